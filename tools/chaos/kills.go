package main

import (
	"context"
	"syscall"
	"time"

	"moderator/internal/child"
)

// apply waits until the victim has returned from the kill before, calls announce and does one kill. It does not wait for the
// victim's return.
func (a *arena) apply(ctx context.Context, k kill, announce func()) error {
	switch k.kind {
	case killModerator, stopModerator, freezeModerator:
		return a.hitReplica(ctx, a.replicas[k.victim], k, announce)
	case killBroker:
		a.hitBroker(ctx, k, announce)
		return nil
	case deleteStream:
		return a.deleteStream(ctx, announce)
	case rollBackStore:
		a.rollBack(ctx, k, announce)
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
		process.Signal(syscall.SIGKILL)
	}
	return nil
}

// freeze stops the moderator for a while. It then continues with uploads that were redelivered to others.
func freeze(ctx context.Context, process *child.Process, hold time.Duration) {
	process.Signal(syscall.SIGSTOP)
	sleep(ctx, hold)
	process.Signal(syscall.SIGCONT)
}

func (a *arena) hitBroker(ctx context.Context, k kill, announce func()) {
	a.broker.mu.Lock()
	announce()
	a.broker.process.Kill()
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
