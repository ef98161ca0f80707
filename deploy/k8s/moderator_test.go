package k8s_test

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	core "k8s.io/api/core/v1"

	"moderator/internal/config"
)

// checkModerator compares the Deployment with the program: its settings, its probes' paths, and how long it takes to stop.
func (f *found) checkModerator(w pods) {
	settings, err := parseSettings(f.t, f.settings)
	if err != nil {
		f.wrong("moderator.yaml: %w", err)
		return
	}
	c := w.Spec.Containers[0]
	_, port, err := net.SplitHostPort(settings.HTTPListen)
	if have := portOf(c, "http"); err != nil || have != port {
		f.wrong("%s has port %s, moderator listens on %q", w.name, have, settings.HTTPListen)
	}
	for _, env := range c.Env {
		if have := portOf(c, "console"); env.Name == "MODERATOR_CONSOLE_LISTEN" && env.Value != ":"+have {
			f.wrong("%s has port %s, the console listens on %s", w.name, have, env.Value)
		}
	}
	for _, p := range []struct {
		kind, path string
		probe      *core.Probe
	}{
		{"startup", config.LivePath, c.StartupProbe},
		{"liveness", config.LivePath, c.LivenessProbe},
		{"readiness", config.ReadyPath, c.ReadinessProbe},
	} {
		switch {
		case p.probe == nil || p.probe.HTTPGet == nil:
			f.wrong("%s has no %s probe over HTTP", w.name, p.kind)
		case p.probe.HTTPGet.Path != p.path || p.probe.HTTPGet.Port.String() != "http":
			f.wrong("%s: the %s probe asks for %s on port %s, the server has %s on port http", w.name, p.kind, p.probe.HTTPGet.Path, p.probe.HTTPGet.Port.String(), p.path)
		}
	}
	if c.Lifecycle == nil || c.Lifecycle.PreStop == nil || c.Lifecycle.PreStop.Sleep == nil {
		f.wrong("%s has no preStop", w.name)
		return
	}
	f.checkGrace(w, settings, time.Duration(c.Lifecycle.PreStop.Sleep.Seconds)*time.Second)
}

// checkGrace wants time for the worst batch: embedding and finishing may take a budget each, and the drain time bounds
// both; closing servers and model takes seconds more.
func (f *found) checkGrace(w pods, settings config.Run, preStop time.Duration) {
	const closing = 10 * time.Second
	if settings.DrainTime < 2*settings.BatchBudget {
		f.wrong("drain-time is %v, wanted at least two batch budgets of %v", settings.DrainTime, settings.BatchBudget)
	}
	var grace time.Duration
	if seconds := w.Spec.TerminationGracePeriodSeconds; seconds != nil {
		grace = time.Duration(*seconds) * time.Second
	}
	if least := preStop + settings.DrainTime + closing; grace < least {
		f.wrong("%s: the grace period is %v, wanted at least %v: preStop, drain-time and %v to close", w.name, grace, least, closing)
	}
}

// parseSettings reads moderator.yaml as moderator does.
func parseSettings(t *testing.T, text string) (config.Run, error) {
	file := filepath.Join(t.TempDir(), "moderator.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return config.Run{}, err
	}
	var grammar struct {
		Config config.File
		config.Run
	}
	parser, err := config.New(&grammar, "moderator", "", io.Discard, io.Discard)
	if err != nil {
		return config.Run{}, err
	}
	_, err = parser.Parse([]string{"--config", file})
	return grammar.Run, err
}

func portOf(c core.Container, name string) string {
	for _, p := range c.Ports {
		if p.Name == name {
			return strconv.Itoa(int(p.ContainerPort))
		}
	}
	return "none"
}

// checkRestricted is the "restricted" level of the pod security standards, as far as these pods use what it speaks of,
// and a root file system that cannot be written.
func (f *found) checkRestricted(w pods) {
	if len(w.Spec.Containers) == 0 { // an operator makes the pods
		return
	}
	s := w.Spec.SecurityContext
	if s == nil || s.RunAsNonRoot == nil || !*s.RunAsNonRoot || s.RunAsUser == nil || *s.RunAsUser == 0 {
		f.wrong("%s: runAsNonRoot with a user above 0 is wanted", w.name)
	}
	if s == nil || s.SeccompProfile == nil || s.SeccompProfile.Type != core.SeccompProfileTypeRuntimeDefault {
		f.wrong("%s: seccompProfile RuntimeDefault is wanted", w.name)
	}
	if mount := w.Spec.AutomountServiceAccountToken; mount == nil || *mount {
		f.wrong("%s: automountServiceAccountToken: false is wanted", w.name)
	}
	if w.Spec.HostNetwork || w.Spec.HostPID || w.Spec.HostIPC || len(w.Spec.InitContainers) > 0 {
		f.wrong("%s: nothing of the host, and no init containers are wanted", w.name)
	}
	for _, volume := range w.Spec.Volumes {
		if volume.ConfigMap == nil && volume.EmptyDir == nil && volume.Secret == nil {
			f.wrong("%s: volume %s is of a kind that is not wanted", w.name, volume.Name)
		}
	}
	for _, c := range w.Spec.Containers {
		f.checkContainer(w.name+": container "+c.Name, c)
	}
}

func (f *found) checkContainer(name string, c core.Container) {
	s := c.SecurityContext
	if s == nil {
		f.wrong("%s: a securityContext is wanted", name)
		return
	}
	if s.AllowPrivilegeEscalation == nil || *s.AllowPrivilegeEscalation {
		f.wrong("%s: allowPrivilegeEscalation: false is wanted", name)
	}
	if s.ReadOnlyRootFilesystem == nil || !*s.ReadOnlyRootFilesystem {
		f.wrong("%s: readOnlyRootFilesystem: true is wanted", name)
	}
	if s.Capabilities == nil || !slices.Contains(s.Capabilities.Drop, "ALL") || len(s.Capabilities.Add) > 0 {
		f.wrong("%s: capabilities: drop: [ALL] is wanted", name)
	}
	for _, resource := range []core.ResourceName{core.ResourceCPU, core.ResourceMemory} {
		if _, ok := c.Resources.Requests[resource]; !ok {
			f.wrong("%s: a request of %s is wanted", name, resource)
		}
	}
	if _, ok := c.Resources.Limits[core.ResourceMemory]; !ok {
		f.wrong("%s: a limit of memory is wanted", name)
	}
}
