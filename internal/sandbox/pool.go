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

// Pool is a set of decode workers. It is safe for concurrent use. The caller closes it.
type Pool struct {
	options Options
	idle    chan *process // a nil process is to be started
	hello   greeting
	deaths  prometheus.Counter
}

// Start starts all workers and returns when they are ready. A lazy pool starts its workers later.
func Start(o Options) (*Pool, error) {
	o = o.withDefaults()
	if err := o.Validate(); err != nil {
		return nil, err
	}
	p := &Pool{options: o, idle: make(chan *process, o.Workers), deaths: prometheus.NewCounter(prometheus.CounterOpts{
		Name: "moderator_decode_worker_deaths_total", Help: "Decode workers that crashed, hung or exceeded a limit.",
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

// Confinement returns what confines the workers, and what this system lacks. Both are empty for a lazy pool.
func (p *Pool) Confinement() (inForce, missing []string) { return p.hello.InForce, p.hello.Missing }

// ErrWorkersEnded is the error of a picture whose workers were stopped or killed from outside. It is worth another attempt.
var ErrWorkersEnded = errors.New("decode workers were stopped or killed from outside")

// Decode runs imaging.Decode with the pool's request in a worker, and returns its result or error. A picture on which a
// worker dies is tried once more in a new worker. If that dies too, the error wraps imaging.ErrUndecodable, or
// ErrWorkersEnded if a signal from outside ended one. Decode returns ctx's error if ctx is done first. Any other error
// means that no worker could be started.
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
			return nil, fmt.Errorf("%w: two decode workers ended on it, the second: %s", fault, cause)
		}
	}
}

func (p *Pool) bury(worker *process, how string) {
	p.deaths.Inc()
	p.options.Logger.Warn("a decode worker died and is replaced", slog.Int("pid", worker.cmd.Process.Pid),
		slog.Int("pictures", worker.served), slog.String("how", how))
}

// Close waits for the decodes in progress and stops the workers. Decode must not be called afterwards.
func (p *Pool) Close() {
	for range p.options.Workers {
		if worker := <-p.idle; worker != nil {
			worker.stop()
		}
	}
}
