// Package version names the build.
package version

import (
	"fmt"
	"runtime"
)

// Set by the linker: -X moderator/internal/version.Version=… and Commit.
var (
	Version = "dev"
	Commit  = "unknown"
)

// String is the version, the commit it was built from, and the toolchain.
func String() string { return fmt.Sprintf("%s (commit %s, %s)", Version, Commit, runtime.Version()) }

// Semantic is the version as a semantic version, as NATS' services want it.
func Semantic() string {
	if Version == "dev" {
		return "0.0.0-dev"
	}
	return Version
}
