// Prints each decision once: decisions DURABLE
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

func main() {
	nc, err := nats.Connect(os.Getenv("NATS_URL"))
	check(err)
	js, err := jetstream.New(nc)
	check(err)
	consumer, err := js.CreateOrUpdateConsumer(context.Background(), "DECISIONS", jetstream.ConsumerConfig{Durable: os.Args[1]})
	check(err)
	seen := map[string]bool{} // in your program: a table whose primary key is the id
	_, err = consumer.Consume(func(msg jetstream.Msg) {
		var event struct{ ID, Subject string } // and Data, as docs/events.md lists it
		check(json.Unmarshal(msg.Data(), &event))
		if !seen[event.ID] {
			fmt.Println(msg.Subject(), event.Subject)
			seen[event.ID] = true
		}
		check(msg.DoubleAck(context.Background())) // after the work is done: what is not acknowledged comes again
	})
	check(err)
	select {}
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
