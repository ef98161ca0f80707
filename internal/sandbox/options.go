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

// Options configures a pool of workers.
type Options struct {
	Command   []string        // starts a worker; see Self
	Request   imaging.Request // the same for every picture
	Workers   int
	Lazy      bool          // start each worker with its first picture, which gets the error if it cannot start
	MaxMemory int64         // bytes that a worker may allocate after its start
	CPUTime   time.Duration // most for one picture; whole seconds
	Timeout   time.Duration // a worker that neither uses nor waits for a CPU for this long counts as hung
	Recycle   int           // pictures after which a worker is replaced
	Metrics   prometheus.Registerer
	Logger    *slog.Logger // logs workers that died; nil discards
}

// minMemory is what libvips and its codecs need for a picture within the default limits, in bytes.
const minMemory = 256 << 20

// withDefaults sets defaults that parent and worker must agree on.
func (o Options) withDefaults() Options {
	if len(o.Request.Views) == 0 {
		o.Request.Views = []imaging.View{imaging.ViewOriginal}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// Validate returns all invalid options, joined into one error.
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

// Self returns the command that starts this binary as a worker.
func Self() ([]string, error) {
	path, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find our own binary for the decode workers: %w", err)
	}
	return []string{path, Argument}, nil
}

// env returns a worker's environment, without the moderator's secrets. libvips starts no threads and keeps large animations
// in memory, because a worker cannot write files. A crash prints its cause in one line.
func (o Options) env() []string {
	env := []string{
		"LC_ALL=C.UTF-8", "VIPS_CONCURRENCY=1", fmt.Sprintf("VIPS_DISC_THRESHOLD=%d", o.MaxMemory),
		"GOTRACEBACK=none", "MALLOC_ARENA_MAX=2",
	}
	if path, ok := os.LookupEnv("LD_LIBRARY_PATH"); ok { // this binary may need it to find its libraries
		env = append(env, "LD_LIBRARY_PATH="+path)
	}
	return env
}
