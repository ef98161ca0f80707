// Package dependency describes the dependencies of judging that can be away. The consumer probes them.
package dependency

import "context"

// Dependency is a server, a store or a device.
type Dependency struct {
	Name string // in logs, metrics and /readyz
	// Probe sends a harmless request. An error means that the dependency is away.
	Probe func(context.Context) error
	// Restart means that only a restart of the process ends an outage. Consumer.Stuck grows meanwhile.
	Restart bool
}
