package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"moderator/internal/config"
	"moderator/internal/embed"
	"moderator/internal/fetch"
	"moderator/internal/hma"
	"moderator/internal/matchdb"
	"moderator/internal/recognise"
)

const (
	hmaStale     = time.Minute // as HMA's own limit
	hmaPerWorker = 4           // files that HMA's API holds in memory for each decode worker
)

// hmaAddress completes a port, or a host, to the address to listen on. "" stays.
func hmaAddress(listen string) (string, error) {
	if listen == "" {
		return "", nil
	}
	isPort := func(text string) bool { _, err := strconv.ParseUint(text, 10, 16); return err == nil }
	if isPort(listen) {
		return net.JoinHostPort("127.0.0.1", listen), nil
	}
	host, port, err := net.SplitHostPort(listen)
	if err != nil { // no port
		host, port = strings.Trim(listen, "[]"), hma.DefaultPort
	}
	if !isPort(port) || strings.ContainsAny(host, " /") {
		return "", fmt.Errorf("hma-listen is %q, wanted host:port, a port or a host", listen)
	}
	return net.JoinHostPort(host, port), nil
}

// hmaKey reads the key's file.
func hmaKey(path string) (string, error) {
	if path == "" {
		return "", nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("hma-key-file: %w", err)
	}
	key := strings.TrimSpace(string(data))
	if len(key) < leastToken {
		return "", fmt.Errorf("hma-key-file: the key has %d bytes, wanted %d or more: `openssl rand -hex 16` makes one", len(key), leastToken)
	}
	return key, nil
}

// runningHMA is HMA's API with its HTTP server. Nil means that there is none; its methods allow that.
type runningHMA struct {
	pictures *hma.Pictures
	web      *web
}

// startHMA serves HMA's API, which reads the library that warm has read. It returns nil without --hma-listen.
func startHMA(c config.Run, db *matchdb.DB, fetcher *fetch.Fetcher, model *embed.Model, reg prometheus.Registerer, log *slog.Logger) (*runningHMA, error) {
	address, err := hmaAddress(c.HMAListen)
	if err != nil || address == "" {
		return nil, err
	}
	key, err := hmaKey(c.HMAKeyFile)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w: set another address with --hma-listen", address, err)
	}
	pictures, err := hma.NewPictures(model, recognise.ImageLimits(c.Limits), c.Sandbox, log)
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	served := hma.New(hma.Config{
		Key: key, MaxUploadBytes: c.MaxUploadBytes, Concurrent: hmaPerWorker * orCPUs(c.DecodeWorkers), StaleAfter: hmaStale,
	}, db, pictures, fetcher, reg, log)
	server := &http.Server{Handler: served.Handler(), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 2 * time.Minute}
	h := &runningHMA{pictures, serveHTTP(listener, server, log)}
	log.Info("HMA's API", "url", h.web.url, "key", key != "", "urls_from_hosts", c.FetchHosts)
	if len(c.FetchHosts) == 0 {
		log.Warn("HMA's API fetches no URL: allow the hosts of the platform's media with --fetch-host")
	}
	if local, err := isLoopback(address); err == nil && !local && key == "" {
		log.Warn("HMA's API asks for no key, and others can reach it: they can change banks", "address", address)
	}
	return h, nil
}

func (h *runningHMA) url() string {
	if h == nil {
		return ""
	}
	return h.web.url
}

func (h *runningHMA) stop(ctx context.Context) error {
	if h == nil {
		return nil
	}
	err := h.web.stop(ctx)
	h.pictures.Close()
	return err
}
