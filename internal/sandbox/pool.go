package sandbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"moderator/internal/imaging"
)

// Options says what workers decode to, and within which limits.
type Options struct {
	Command   []string        // starts a worker; see Self
	Request   imaging.Request // the same for every picture; without Gray
	Workers   int
	MaxMemory int64         // bytes of memory that one worker may have
	CPUTime   time.Duration // of one picture; whole seconds
	Timeout   time.Duration // of one picture, by the clock
	Recycle   int           // pictures after which a worker is replaced
	Metrics   prometheus.Registerer
}

// Validate reports every option that cannot work.
func (o Options) Validate() error {
	var errs []error
	if len(o.Command) == 0 {
		errs = append(errs, errors.New("no command for the decode workers"))
	}
	if o.Workers <= 0 {
		errs = append(errs, fmt.Errorf("decode-workers is %d, wanted more than zero", o.Workers))
	}
	if o.MaxMemory < 256<<20 {
		errs = append(errs, fmt.Errorf("decode-memory is %d, wanted at least %d: libvips and its codecs need it", o.MaxMemory, 256<<20))
	}
	if o.CPUTime < time.Second || o.Timeout < time.Second {
		errs = append(errs, fmt.Errorf("decode-cpu-time is %v and decode-timeout %v, wanted at least 1s", o.CPUTime, o.Timeout))
	}
	if o.Recycle <= 0 {
		errs = append(errs, fmt.Errorf("decode-recycle is %d, wanted more than zero", o.Recycle))
	}
	return errors.Join(errs...)
}

// Pool is the decode workers. It is safe for concurrent use.
type Pool struct {
	options Options
	idle    chan *process // nil: a worker that has to be started first
	hello   greeting
	deaths  prometheus.Counter
}

// Start starts the workers.
func Start(o Options) (*Pool, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	p := &Pool{options: o, idle: make(chan *process, o.Workers), deaths: prometheus.NewCounter(prometheus.CounterOpts{
		Name: "moderator_decode_worker_deaths_total", Help: "Decode workers that crashed, hung or grew too large.",
	})}
	for range o.Workers {
		worker, err := start(o)
		if err != nil {
			p.stop(len(p.idle))
			return nil, err
		}
		p.hello = worker.hello
		p.idle <- worker
	}
	o.Metrics.MustRegister(p.deaths)
	return p, nil
}

// Confinement is what limits the workers, and what this kernel lacks.
func (p *Pool) Confinement() (inForce, missing []string) { return p.hello.InForce, p.hello.Missing }

// Decode is imaging.Decode with the pool's request, in a worker. A picture on which a worker dies is tried once more
// in a fresh one; when that dies too, the error wraps imaging.ErrUndecodable and says how. It returns ctx's error when
// no worker is free before ctx is done.
func (p *Pool) Decode(ctx context.Context, data []byte) (*imaging.Result, error) {
	if limit := p.options.Request.Limits.MaxBytes; int64(len(data)) > limit {
		return nil, fmt.Errorf("%w: %d bytes, wanted at most %d", imaging.ErrTooLarge, len(data), limit)
	}
	var worker *process
	select {
	case worker = <-p.idle:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { p.idle <- worker }()
	for deaths := 0; ; {
		if worker == nil {
			var err error
			if worker, err = start(p.options); err != nil {
				return nil, err
			}
		}
		result, broken, err := worker.decode(data, p.options)
		if !broken {
			if worker.served >= p.options.Recycle {
				worker.stop()
				worker = nil
			}
			return result, err
		}
		worker = nil
		p.deaths.Inc()
		if deaths++; deaths == 2 {
			return nil, fmt.Errorf("%w: the decoder died of it twice: %w", imaging.ErrUndecodable, err)
		}
	}
}

// Close ends the workers, once the decodes under way are done. No decode may begin after it.
func (p *Pool) Close() { p.stop(cap(p.idle)) }

func (p *Pool) stop(workers int) {
	for range workers {
		if worker := <-p.idle; worker != nil {
			worker.stop()
		}
	}
}
