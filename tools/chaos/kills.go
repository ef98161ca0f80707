package main

import (
	"context"
	"syscall"
	"time"
)

// apply does one kill, as soon as its victim is back from the one before, and calls announce as it does. It does not
// wait for the victim's return.
func (a *arena) apply(ctx context.Context, k kill, announce func()) error {
	switch k.kind {
	case killModerator, stopModerator, freezeModerator:
		return a.hitReplica(ctx, a.replicas[k.victim], k, announce)
	case killBroker:
		a.hitBroker(ctx, k, announce)
		return nil
	case deleteStream:
		return a.deleteStream(ctx, announce)
	case putBackStore:
		a.putBack(ctx, k, announce)
		return nil
	default:
		return a.hitLibrary(ctx, k, announce)
	}
}

func (a *arena) hitReplica(ctx context.Context, r *replica, k kill, announce func()) error {
	process, err := r.victim(ctx)
	if err != nil {
		return err
	}
	announce()
	switch k.kind {
	case freezeModerator:
		a.repairs.Go(func() error { freeze(ctx, process, k.down); return nil })
	case stopModerator:
		r.expect(k.down)
		a.repairs.Go(func() error { r.terminate(process); return nil })
	default:
		r.expect(k.down)
		process.signal(syscall.SIGKILL)
	}
	return nil
}

// freeze stops the moderator's clock for a while; it goes on with uploads that others have been given since.
func freeze(ctx context.Context, process *child, hold time.Duration) {
	process.signal(syscall.SIGSTOP)
	sleep(ctx, hold)
	process.signal(syscall.SIGCONT)
}

func (a *arena) hitBroker(ctx context.Context, k kill, announce func()) {
	a.broker.mu.Lock()
	announce()
	a.broker.process.kill()
	a.repairs.Go(func() error {
		defer a.broker.mu.Unlock()
		sleep(ctx, k.down)
		return a.broker.start(ctx)
	})
}

func (a *arena) hitLibrary(ctx context.Context, k kill, announce func()) error {
	sig := syscall.SIGKILL
	if k.kind == quitPostgres {
		sig = syscall.SIGQUIT
	}
	a.library.mu.Lock()
	announce()
	if k.kind == cutPostgres {
		defer a.library.mu.Unlock()
		return a.library.cut(ctx)
	}
	if err := a.library.kill(ctx, sig); err != nil {
		a.library.mu.Unlock()
		return err
	}
	a.repairs.Go(func() error {
		defer a.library.mu.Unlock()
		sleep(ctx, k.down)
		return a.library.start(ctx)
	})
	return nil
}
