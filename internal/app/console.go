package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os/user"
	"strings"
	"syscall"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"moderator/internal/config"
	"moderator/internal/console"
	"moderator/internal/embed"
	"moderator/internal/endpoint"
	"moderator/internal/fetch"
	"moderator/internal/matchdb"
	"moderator/internal/recognise"
)

const leastToken = 16 // bytes; a shorter one can be guessed

// consoleConfig returns the console's configuration. On a loopback address without a token, it generates one.
func consoleConfig(c config.Run) (console.Config, error) {
	out := console.Config{Token: c.ConsoleToken, UserHeader: c.ConsoleUserHeader, DefaultUser: "console", MaxUploadBytes: c.MaxUploadBytes, ReviewBreak: c.ReviewBreak}
	if u, err := user.Current(); err == nil {
		out.DefaultUser = u.Username
	}
	var errs []error
	for _, text := range c.ConsoleProxies {
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			errs = append(errs, fmt.Errorf("console-proxy is %q, wanted a network such as 10.1.0.0/16", text))
		}
		out.Proxies = append(out.Proxies, prefix)
	}
	var err error
	if out.Role, err = console.ParseRole(c.ConsoleRole); err != nil {
		errs = append(errs, fmt.Errorf("console-role: %w", err))
	}
	out.Roles, err = consoleRoles(c.ConsoleRoles)
	errs = append(errs, err)
	out.OIDC, err = consoleOIDC(c.Console)
	errs = append(errs, err)
	if n := len(out.Token); n > 0 && n < leastToken {
		errs = append(errs, fmt.Errorf("console-token has %d bytes, wanted %d or more: `openssl rand -hex 16` makes one", n, leastToken))
	}
	local, err := isLoopback(c.ConsoleListen)
	errs = append(errs, err)
	if err == nil && !local && out.Token == "" && out.UserHeader == "" && out.OIDC.Issuer == "" {
		errs = append(errs, fmt.Errorf("console-listen is %s, which others can reach, wanted console-token, console-user-header or console-oidc-issuer with it", c.ConsoleListen))
	}
	if local && out.Token == "" {
		out.Token = rand.Text()
	}
	return out, errors.Join(errs...)
}

// consoleRoles reads entries NAME=ROLE. A name may have an equals sign.
func consoleRoles(entries []string) (map[string]console.Role, error) {
	roles := map[string]console.Role{}
	var errs []error
	for _, entry := range entries {
		at := strings.LastIndex(entry, "=")
		if at <= 0 {
			errs = append(errs, fmt.Errorf("console-roles has %q, wanted NAME=ROLE such as ann@example.org=reviewer", entry))
			continue
		}
		role, err := console.ParseRole(entry[at+1:])
		if err != nil {
			errs = append(errs, fmt.Errorf("console-roles has %q: %w", entry, err))
		}
		roles[entry[:at]] = role
	}
	return roles, errors.Join(errs...)
}

func isLoopback(listen string) (bool, error) {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return false, fmt.Errorf("console-listen is %q, wanted host:port", listen)
	}
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback(), nil
}

// runningConsole is the console with its HTTP server. Nil means that there is none; its methods allow that.
type runningConsole struct {
	console  *console.Console
	pictures *console.Pictures
	web      *web
	token    string
}

// consoleParts are shared with the consumer.
type consoleParts struct {
	previews *console.Previews
	js       jetstream.JetStream
	db       *matchdb.DB
	fetcher  *fetch.Fetcher
	model    *embed.Model
}

// consoleOn reports whether to serve the console. The default is to serve it with the embedded servers.
func consoleOn(c config.Run, embedded bool) bool {
	return c.Console.Console == "on" || c.Console.Console == "auto" && embedded
}

// startConsole serves the console. It returns nil if consoleOn is false.
func startConsole(c config.Run, embedded bool, parts consoleParts, log *slog.Logger) (*runningConsole, error) {
	if !consoleOn(c, embedded) {
		return nil, nil
	}
	cfg, err := consoleConfig(c)
	if err != nil {
		return nil, err
	}
	pictures, err := console.NewPictures(parts.model, parts.db, recognise.ImageLimits(c.Limits), c.Sandbox, log)
	if err != nil {
		return nil, err
	}
	served, err := console.New(cfg, console.Parts{
		JetStream: parts.js, Library: parts.db, Fetcher: parts.fetcher, Pictures: pictures, Previews: parts.previews,
		Model: parts.model.Folder().Fingerprint(), Logger: log,
	})
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", c.ConsoleListen)
	if errors.Is(err, syscall.EADDRINUSE) && c.Console.Console == "auto" {
		host, _, _ := net.SplitHostPort(c.ConsoleListen)
		listener, err = net.Listen("tcp", net.JoinHostPort(host, "0"))
	}
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w: set another address with --console-listen", c.ConsoleListen, err)
	}
	server := &http.Server{Handler: served.Handler(), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 2 * time.Minute}
	server.RegisterOnShutdown(served.Close)
	d := &runningConsole{console: served, pictures: pictures, web: serveHTTP(listener, server, log), token: cfg.Token}
	log.Info("console", "url", d.web.url, "address_with_token", endpoint.StatePath(c.DataDir))
	return d, nil
}

// address returns the URL that opens the console, with its token.
func (d *runningConsole) address() string {
	switch {
	case d == nil:
		return ""
	case d.token == "":
		return d.web.url + "/"
	}
	return d.web.url + "/?token=" + url.QueryEscape(d.token)
}

func (d *runningConsole) stop(ctx context.Context) error {
	if d == nil {
		return nil
	}
	err := d.web.stop(ctx)
	d.console.Close()
	d.pictures.Close()
	return err
}

func printConsole(w io.Writer, d *runningConsole) {
	if d != nil {
		fmt.Fprintf(w, "The console, with its token: %s\n\n", d.address())
	}
}
