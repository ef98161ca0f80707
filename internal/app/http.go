package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"moderator/internal/ask"
	"moderator/internal/config"
	"moderator/internal/matchdb"
)

// stuckAfter is how long an upload may be in flight before the process counts as hung. It exceeds what slow stages take
// within their budgets, so that a slow dependency does not restart a healthy process.
const stuckAfter = 2 * time.Minute

// probes answer /healthz and /readyz.
type probes struct {
	nc    *nats.Conn
	db    *matchdb.DB
	stuck func() time.Duration
	away  func() []string // a line for each dependency whose outage stops pulling
}

// live fails only if the process hangs. An outage of a server is no reason to restart it.
func (p probes) live(w http.ResponseWriter, _ *http.Request) {
	if age := p.stuck(); age > stuckAfter {
		http.Error(w, fmt.Sprintf("an upload has been in flight for %v", age.Round(time.Second)), http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "ok")
}

// ready fails with a line for each dependency that is away.
func (p probes) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	wrong := p.away()
	if !p.nc.IsConnected() {
		wrong = append(wrong, "nats: "+strings.ToLower(p.nc.Status().String()))
	}
	if err := p.db.Ping(ctx); err != nil {
		wrong = append(wrong, "postgres: "+err.Error())
	}
	if len(wrong) > 0 {
		http.Error(w, strings.Join(wrong, "\n"), http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "ok")
}

// web is a running HTTP server.
type web struct {
	url    string
	server *http.Server
	done   chan struct{}

	handler replaceable
}

// listenHTTP serves the handler until it is replaced.
func listenHTTP(addr string, handler http.Handler, log *slog.Logger) (*web, error) {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w: set another address with --http-listen", addr, err)
	}
	return serveHTTP(listener, &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second}, log), nil
}

// judgingHandler answers once moderator judges.
func judgingHandler(p probes, judge http.Handler, reg *prometheus.Registry) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+config.LivePath, p.live)
	mux.HandleFunc("GET "+config.ReadyPath, p.ready)
	mux.Handle("GET "+config.MetricsPath, promhttp.HandlerFor(reg, promhttp.HandlerOpts{Registry: reg}))
	mux.Handle("POST "+ask.HTTPPath, http.NewCrossOriginProtection().Handler(judge)) // no web page makes its visitor's browser ask
	return mux
}

func serveHTTP(listener net.Listener, server *http.Server, log *slog.Logger) *web {
	w := &web{url: "http://" + listener.Addr().String(), server: server, done: make(chan struct{})}
	w.replace(server.Handler)
	server.Handler = &w.handler
	go func() {
		defer close(w.done)
		if err := w.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			log.Error("the HTTP server ended", "error", err)
		}
	}()
	return w
}

// replace has another handler answer the requests that come from now on.
func (w *web) replace(handler http.Handler) { w.handler.set(handler) }

func (w *web) stop(ctx context.Context) error {
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	err := w.server.Shutdown(bounded)
	if err != nil {
		err = w.server.Close()
	}
	<-w.done
	return err
}
