// Publishes one upload: publish ID FILE-OR-URL
package main

import (
	"context"
	"encoding/json"
	"os"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

func main() {
	id, what := os.Args[1], os.Args[2]
	nc, err := nats.Connect(os.Getenv("NATS_URL"))
	check(err)
	defer nc.Close()
	js, err := jetstream.New(nc)
	check(err)
	msg := nats.NewMsg("uploads.example")
	msg.Header.Set("Nats-Msg-Id", id) // a second try with the same id stores nothing
	if strings.Contains(what, "://") {
		msg.Header.Set("Content-Type", "application/json")
		msg.Data, err = json.Marshal(map[string]string{"id": id, "url": what, "uploader": "u-17"})
	} else {
		msg.Data, err = os.ReadFile(what)
	}
	check(err)
	_, err = js.PublishMsg(context.Background(), msg) // waits until the stream has stored it
	check(err)
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
