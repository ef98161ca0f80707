// Command fake-exchanges serves the hash-sharing programmes that moderator fetches from, with generated records, to try exchanges by
// hand. It prints what to type.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"moderator/internal/exchange/fake"
	"moderator/tools/internal/command"
)

type options struct {
	Listen     string        `help:"Address to listen on." default:"127.0.0.1:8765"`
	Records    int           `help:"Records of each programme, up to ten million." default:"10000"`
	Broken     bool          `help:"Make one record in a hundred malformed."`
	BusyEvery  int           `help:"Answer every so many requests with 429. 0: never."`
	FailEvery  int           `help:"Answer every so many requests with 500. 0: never."`
	RetryAfter string        `help:"Retry-After of those, in seconds." default:"1"`
	Change     time.Duration `help:"Delete a record, and bring another back, this often. 0: never."`
}

func main() { command.Main("fake-exchanges", "Hash-sharing programmes with generated records.", run) }

func run(ctx context.Context, o options, stdout io.Writer) error {
	const most = 10_000_000
	if o.Records < 1 || o.Records > most {
		return fmt.Errorf("records is %d, wanted 1 to %d", o.Records, most)
	}
	source := &fake.Source{Records: o.Records, Broken: o.Broken, BusyEvery: o.BusyEvery, FailEvery: o.FailEvery, RetryAfter: o.RetryAfter}
	listener, err := net.Listen("tcp", o.Listen)
	if err != nil {
		return fmt.Errorf("listen on %s: %w: set another address with --listen", o.Listen, err)
	}
	routes := http.NewServeMux()
	for _, programme := range fake.Programmes() {
		routes.Handle("/"+programme.Name+"/", http.StripPrefix("/"+programme.Name, programme.Serve(source)))
		url := fmt.Sprintf("http://%s/%s", listener.Addr(), programme.Name)
		fmt.Fprintf(stdout, "\nprintf '%%s\\n' %s 'url: %s' > credentials/%s\nflagctl bank add %[3]s; flagctl exchange add %[3]s --programme %[3]s --bank %[3]s --url %[2]s%s\n",
			programme.Credentials, url, programme.Name, programme.Flags)
	}
	fmt.Fprintln(stdout, "\nflagctl exchange sync NAME --exchange-credentials credentials --fetch-allow-cidr 127.0.0.0/8")
	if o.Change > 0 {
		go changes(ctx, source, o)
	}
	server := &http.Server{Handler: routes, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		<-ctx.Done()
		_ = server.Close()
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// changes deletes records one after the other, and restores each when the next one is deleted.
func changes(ctx context.Context, source *fake.Source, o options) {
	for i := 0; ; i++ {
		select {
		case <-ctx.Done():
			return
		case <-time.After(o.Change):
		}
		now := time.Now().UTC()
		source.Delete(i%o.Records, now)
		if i > 0 {
			source.Restore((i-1)%o.Records, now)
		}
	}
}
