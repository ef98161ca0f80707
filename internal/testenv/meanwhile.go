package testenv

import (
	"sync"
	"sync/atomic"
)

// Meanwhile runs do in n goroutines, again and again, until it returns false or stop is called, which waits for all of them.
func Meanwhile(n int, do func() bool) (stop func()) {
	var stopped atomic.Bool
	var running sync.WaitGroup
	for range n {
		running.Go(func() {
			for !stopped.Load() && do() {
			}
		})
	}
	return func() {
		stopped.Store(true)
		running.Wait()
	}
}
