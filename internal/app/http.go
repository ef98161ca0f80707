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

	"moderator/internal/config"
	"moderator/internal/matchdb"
)

// stuckAfter is how long one upload may be in hand before the loop counts as hung: well above the attempts that a
// batch's budget allows, so that a slow dependency never restarts a healthy process.
const stuckAfter = 2 * time.Minute

// probes are what the health endpoints look at.
type probes struct {
	nc    *nats.Conn
	db    *matchdb.DB
	stuck func() time.Duration
	away  func() []string // dependencies without which nothing is pulled, a line each
}

// live says whether the loop moves, whatever the servers do: a restart would not bring them back.
func (p probes) live(w http.ResponseWriter, _ *http.Request) {
	if age := p.stuck(); age > stuckAfter {
		http.Error(w, fmt.Sprintf("an upload has been in hand for %v", age.Round(time.Second)), http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "ok")
}

// ready says whether uploads can be judged now, and what is in the way.
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

// web is an HTTP server: that of probes and metrics, or the console's.
type web struct {
	url    string
	server *http.Server
	done   chan struct{}
}

func listenHTTP(addr string, p probes, reg *prometheus.Registry, log *slog.Logger) (*web, error) {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w: another address is set by --http-listen", addr, err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+config.LivePath, p.live)
	mux.HandleFunc("GET "+config.ReadyPath, p.ready)
	mux.Handle("GET "+config.MetricsPath, promhttp.HandlerFor(reg, promhttp.HandlerOpts{Registry: reg}))
	return serveHTTP(listener, &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}, log), nil
}

func serveHTTP(listener net.Listener, server *http.Server, log *slog.Logger) *web {
	w := &web{url: "http://" + listener.Addr().String(), server: server, done: make(chan struct{})}
	go func() {
		defer close(w.done)
		if err := w.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			log.Error("the HTTP server ended", "error", err)
		}
	}()
	return w
}

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
