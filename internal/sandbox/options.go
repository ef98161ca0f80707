package sandbox

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"moderator/internal/imaging"
)

// Options says what workers decode to, and within which limits.
type Options struct {
	Command   []string        // starts a worker; see Self
	Request   imaging.Request // the same for every picture
	Workers   int
	Lazy      bool          // a worker starts with its first picture, and what keeps it from starting is that picture's error
	MaxMemory int64         // bytes that a worker may take on top of what it starts with
	CPUTime   time.Duration // of one picture; whole seconds
	Timeout   time.Duration // how long a worker may use no CPU before it counts as hung
	Recycle   int           // pictures after which a worker is replaced
	Metrics   prometheus.Registerer
	Logger    *slog.Logger // hears of workers that died; nil: nobody does
}

// minMemory is what libvips and its codecs need for a picture of the default limits.
const minMemory = 256 << 20

// withDefaults fills in what parent and worker must agree on.
func (o Options) withDefaults() Options {
	if len(o.Request.Views) == 0 {
		o.Request.Views = []imaging.View{imaging.ViewOriginal}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// Validate reports every option that cannot work.
func (o Options) Validate() error {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if len(o.Command) == 0 {
		wrong("no command for the decode workers")
	}
	if l := o.Request.Limits; l.MaxBytes <= 0 || l.MaxPixels <= 0 || l.MaxFrames <= 0 {
		wrong("limits of decoding are %+v, wanted more than zero", l)
	}
	for _, t := range o.Request.Targets {
		if err := t.Validate(); err != nil {
			errs = append(errs, err)
		}
	}
	if o.Workers <= 0 {
		wrong("decode-workers is %d, wanted more than zero", o.Workers)
	}
	if o.MaxMemory < minMemory {
		wrong("decode-memory is %d, wanted at least %d: libvips and its codecs need it", o.MaxMemory, minMemory)
	}
	if o.CPUTime < time.Second {
		wrong("decode-cpu-time is %v, wanted at least 1s", o.CPUTime)
	}
	if o.Timeout < time.Second {
		wrong("decode-timeout is %v, wanted at least 1s", o.Timeout)
	}
	if o.Recycle <= 0 {
		wrong("decode-recycle is %d, wanted more than zero", o.Recycle)
	}
	if o.Metrics == nil {
		wrong("no registry for the metrics of the decode workers")
	}
	return errors.Join(errs...)
}

// Self is the command that starts this binary as a worker.
func Self() ([]string, error) {
	path, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find our own binary for the decode workers: %w", err)
	}
	return []string{path, Argument}, nil
}

// env is a worker's environment, without secrets of ours. libvips starts no threads of its own for one picture and keeps
// large animations in memory, as there is no disc for them; a crash names its cause in one line.
func (o Options) env() []string {
	env := []string{
		"LC_ALL=C.UTF-8", "VIPS_CONCURRENCY=1", fmt.Sprintf("VIPS_DISC_THRESHOLD=%d", o.MaxMemory),
		"GOTRACEBACK=none", "MALLOC_ARENA_MAX=2",
	}
	if path, ok := os.LookupEnv("LD_LIBRARY_PATH"); ok { // where the libraries of this very binary are
		env = append(env, "LD_LIBRARY_PATH="+path)
	}
	return env
}
