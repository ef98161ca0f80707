package app

import (
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"moderator/internal/config"
)

// Times without progress after which a start counts as hung. A step's progress is its end, and of a reading each row. TensorRT
// builds an engine for each batch size in one step, which takes 20 minutes.
const (
	stepTime   = 5 * time.Minute
	engineTime = 40 * time.Minute
	turnTime   = time.Hour // of waiting for other moderators; each has its own probes
)

// modelTime is the time that opening a model may take.
func modelTime(provider string) time.Duration {
	if provider == "tensorrt" {
		return engineTime
	}
	return stepTime
}

// starting answers probes until moderator judges uploads. A start that goes on is alive, however long it takes.
type starting struct {
	mu       sync.Mutex
	step     string
	limit    time.Duration
	progress func() int64 // rises while the step goes on; nil: nothing is seen of it
	last     int64
	moved    time.Time // when the step began, or last was seen to rise
}

// begin ends the step before.
func (s *starting) begin(step string, limit time.Duration, progress func() int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.step, s.limit, s.progress, s.last, s.moved = step, limit, progress, 0, time.Now()
}

// state describes the current step, and reports whether it makes no progress.
func (s *starting) state(now time.Time) (text string, hangs bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	text = "starting: " + s.step
	if s.progress != nil {
		done := s.progress()
		if done != s.last {
			s.last, s.moved = done, now
		}
		text = fmt.Sprintf("%s: %d rows", text, done)
	}
	if still := now.Sub(s.moved); still > s.limit {
		return fmt.Sprintf("%s: no progress for %v", text, still.Round(time.Second)), true
	}
	return text, false
}

// live fails only if the start hangs.
func (s *starting) live(w http.ResponseWriter, _ *http.Request) {
	text, hangs := s.state(time.Now())
	if hangs {
		http.Error(w, text, http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, text)
}

// notReady answers everything else.
func (s *starting) notReady(w http.ResponseWriter, _ *http.Request) {
	text, _ := s.state(time.Now())
	w.Header().Set("Retry-After", "5")
	http.Error(w, text, http.StatusServiceUnavailable)
}

func (s *starting) handler(reg *prometheus.Registry) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+config.LivePath, s.live)
	mux.Handle("GET "+config.MetricsPath, promhttp.HandlerFor(reg, promhttp.HandlerOpts{Registry: reg}))
	mux.HandleFunc("/", s.notReady)
	return mux
}

// replaceable is a handler that may be replaced while it serves.
type replaceable struct{ current atomic.Pointer[http.Handler] }

func (r *replaceable) set(h http.Handler) { r.current.Store(&h) }

func (r *replaceable) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	(*r.current.Load()).ServeHTTP(w, req)
}
