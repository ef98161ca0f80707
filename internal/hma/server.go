package hma

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"log/slog"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"moderator/internal/event"
	"moderator/internal/matchdb"

	"github.com/prometheus/client_golang/prometheus"
)

// DefaultPort is HMA's own.
const DefaultPort = "5100"

// Config bounds requests.
type Config struct {
	Key            string // clients send it as "Authorization: Bearer KEY"; "" asks for none
	MaxUploadBytes int64
	Concurrent     int           // files that are held in memory at a time; further requests wait
	StaleAfter     time.Duration // without reading the library, until /status says INDEX-STALE
}

// Fetcher is fetch.Fetcher, with its checks of hosts and addresses.
type Fetcher interface {
	Fetch(ctx context.Context, u event.Upload, maxBytes int64, reserve func(bytes int64) bool) ([]byte, error)
}

// Server answers HMA's clients. Handler returns its handler.
type Server struct {
	config   Config
	db       *matchdb.DB
	pictures *Pictures
	fetcher  Fetcher
	log      *slog.Logger
	slots    chan struct{}
	requests *prometheus.CounterVec
}

// New returns a Server over the library db, which is read into memory before it is served.
func New(c Config, db *matchdb.DB, pictures *Pictures, fetcher Fetcher, metrics prometheus.Registerer, log *slog.Logger) *Server {
	s := &Server{
		config: c, db: db, pictures: pictures, fetcher: fetcher, log: log, slots: make(chan struct{}, c.Concurrent),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "moderator_hma_requests_total", Help: "Requests of HMA's clients, by endpoint and class of the status (2xx, 4xx, 5xx).",
		}, []string{"endpoint", "status"}),
	}
	metrics.MustRegister(s.requests)
	for _, r := range s.routes() {
		for _, class := range []string{"2xx", "4xx", "5xx"} {
			s.requests.WithLabelValues(r.method+" "+r.path, class) // rates need a first zero
		}
	}
	return s
}

// Handler routes requests. Requests that a web page of another origin makes are refused.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	allowed := map[string][]string{}
	for _, r := range s.routes() {
		mux.Handle(r.method+" "+r.path, s.counted(r))
		allowed[r.path] = append(allowed[r.path], r.method)
	}
	for path, methods := range allowed {
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodPatch} {
			if !slices.Contains(methods, method) {
				mux.Handle(method+" "+path, s.answer(wrongMethod)) // JSON, unlike ServeMux's own answer
			}
		}
	}
	mux.Handle("GET /{$}", http.RedirectHandler("/status", http.StatusFound))
	for _, role := range []string{"/h/", "/m/", "/c/"} {
		mux.Handle(role, s.answer(unknownPath))
	}
	sameOrigin := http.NewCrossOriginProtection()
	sameOrigin.SetDenyHandler(s.answer(otherOrigin))
	return sameOrigin.Handler(plainPaths(s.authenticated(mux)))
}

func otherOrigin(*http.Request) (answer, error) {
	return answer{}, refuse(http.StatusForbidden, "a web page of another origin asks")
}

func wrongMethod(r *http.Request) (answer, error) {
	return answer{}, refuse(http.StatusMethodNotAllowed, "%s is not allowed for %s", r.Method, r.URL.Path)
}

func unknownPath(r *http.Request) (answer, error) {
	return answer{}, refuse(http.StatusNotFound, "no endpoint %s", r.URL.Path)
}

var slashes = regexp.MustCompile(`/{2,}`)

// plainPaths removes doubled and last slashes. ServeMux would redirect such paths, and a redirected POST becomes a GET.
func plainPaths(next http.Handler) http.Handler {
	plain := func(path string) string {
		path = slashes.ReplaceAllString(path, "/")
		if len(path) > 1 {
			path = strings.TrimSuffix(path, "/")
		}
		return path
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r = r.Clone(r.Context())
		r.URL.Path, r.URL.RawPath = plain(r.URL.Path), plain(r.URL.RawPath)
		next.ServeHTTP(w, r)
	})
}

// openPaths need no key.
var openPaths = map[string]bool{"/": true, "/status": true, "/status/live": true, "/site-map": true}

// authenticated asks for the key, where there is one.
func (s *Server) authenticated(next http.Handler) http.Handler {
	if s.config.Key == "" {
		return next
	}
	want := sha256.Sum256([]byte(s.config.Key))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		got := sha256.Sum256([]byte(key))
		if !openPaths[r.URL.Path] && (!bearer || subtle.ConstantTimeCompare(got[:], want[:]) != 1) {
			w.Header().Set("WWW-Authenticate", "Bearer")
			http.Error(w, "Unauthorized", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// enter waits for a slot in which a request may hold a file.
func (s *Server) enter(ctx context.Context) (leave func(), err error) {
	limited, cancel := context.WithTimeout(ctx, slotWait)
	defer cancel()
	select {
	case s.slots <- struct{}{}:
		return func() { <-s.slots }, nil
	case <-limited.Done():
		return nil, errors.Join(ctx.Err(), refuse(http.StatusServiceUnavailable, "as many files are being hashed as may be at a time: try again"))
	}
}

const slotWait = 10 * time.Second
