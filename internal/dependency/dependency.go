// Package dependency describes what uploads need and what may be away: the consumer probes it, others implement it.
package dependency

import "context"

// Dependency is a server, a store or a device.
type Dependency struct {
	Name string // in logs, metrics and /readyz
	// Probe asks the dependency a harmless question: an error says that it is away.
	Probe func(context.Context) error
	// Restart says that only a new process brings it back: Consumer.Stuck grows while it is away.
	Restart bool
}
