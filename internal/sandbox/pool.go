package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"moderator/internal/imaging"
)

// Pool is the decode workers. It is safe for concurrent use.
type Pool struct {
	options Options
	idle    chan *process // nil: a worker that has to be started first
	hello   greeting
	deaths  prometheus.Counter
}

// Start starts the workers, all at once, and returns when they are ready; those of a lazy pool start later.
func Start(o Options) (*Pool, error) {
	o = o.withDefaults()
	if err := o.Validate(); err != nil {
		return nil, err
	}
	p := &Pool{options: o, idle: make(chan *process, o.Workers), deaths: prometheus.NewCounter(prometheus.CounterOpts{
		Name: "moderator_decode_worker_deaths_total", Help: "Decode workers that crashed, hung or were ended by a limit.",
	})}
	if o.Lazy {
		for range o.Workers {
			p.idle <- nil
		}
		o.Metrics.MustRegister(p.deaths)
		return p, nil
	}
	var starts errgroup.Group
	for range o.Workers {
		starts.Go(func() error {
			worker, err := startProcess(o)
			p.idle <- worker
			return err
		})
	}
	if err := starts.Wait(); err != nil {
		p.Close()
		return nil, err
	}
	worker := <-p.idle
	p.hello = worker.hello
	p.idle <- worker
	o.Metrics.MustRegister(p.deaths)
	return p, nil
}

// Confinement is what limits the workers, and what this system lacks. A lazy pool does not know it.
func (p *Pool) Confinement() (inForce, missing []string) { return p.hello.InForce, p.hello.Missing }

// ErrWorkersEnded is the error of a picture whose workers were ended from outside: the picture may be good, and is to be
// tried again.
var ErrWorkersEnded = errors.New("decode workers were stopped or killed from outside")

// Decode is imaging.Decode with the pool's request, in a worker. A picture on which a worker dies is tried once more
// in a fresh one; when that dies too, the error wraps imaging.ErrUndecodable and says how. Deaths by a signal from outside
// end in ErrWorkersEnded instead. It returns ctx's error when ctx is done before the answer is there. What a decode takes is
// bounded by CPU time and not by the clock, so that the result does not depend on the machine's load. Any other error is
// this system's: no worker can be started.
func (p *Pool) Decode(ctx context.Context, data []byte) (*imaging.Result, error) {
	if limit := p.options.Request.Limits.MaxBytes; int64(len(data)) > limit {
		return nil, fmt.Errorf("%w: %d bytes, the limit is %d", imaging.ErrTooLarge, len(data), limit)
	}
	var worker *process
	select {
	case worker = <-p.idle:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { p.idle <- worker }()

	if worker != nil && worker.hasEnded() {
		p.bury(worker, worker.kill(io.EOF)+", while idle")
		worker = nil
	}
	fault := imaging.ErrUndecodable
	for deaths := 0; ; {
		if worker == nil {
			var err error
			if worker, err = startProcess(p.options); err != nil {
				return nil, err
			}
		}
		result, err, broken := worker.decode(ctx, data)
		if broken == nil {
			if worker.isWorn(result) {
				worker.stop()
				worker = nil
			}
			return result, err
		}
		dead, cause := worker, worker.kill(broken)
		worker = nil
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		p.bury(dead, cause)
		if !dead.isPicturesFault(broken) {
			fault = ErrWorkersEnded
		}
		if deaths++; deaths == 2 {
			return nil, fmt.Errorf("%w: two decoders ended on it, the second: %s", fault, cause)
		}
	}
}

// bury counts a dead worker.
func (p *Pool) bury(worker *process, how string) {
	p.deaths.Inc()
	p.options.Logger.Warn("a decode worker ended and is replaced", slog.Int("pid", worker.cmd.Process.Pid),
		slog.Int("pictures", worker.served), slog.String("how", how))
}

// Close ends the workers, once the decodes under way are done. No decode may begin after it.
func (p *Pool) Close() {
	for range p.options.Workers {
		if worker := <-p.idle; worker != nil {
			worker.stop()
		}
	}
}
