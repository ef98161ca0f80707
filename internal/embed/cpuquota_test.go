package embed

import (
	"math"
	"runtime"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

func TestCPUQuota(t *testing.T) {
	file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	inf := math.Inf(1)
	for name, c := range map[string]struct {
		files fstest.MapFS
		want  float64
	}{
		"no control groups": {fstest.MapFS{}, inf},
		"v2, no limit": {fstest.MapFS{
			"proc/self/cgroup":      file("0::/\n"),
			"sys/fs/cgroup/cpu.max": file("max 100000\n"),
		}, inf},
		"v2, a container": {fstest.MapFS{
			"proc/self/cgroup":      file("0::/\n"),
			"sys/fs/cgroup/cpu.max": file("150000 100000\n"),
		}, 1.5},
		"v2, the parent is tighter": {fstest.MapFS{
			"proc/self/cgroup":                        file("0::/a.slice/b.service\n"),
			"sys/fs/cgroup/a.slice/cpu.max":           file("200000 100000\n"),
			"sys/fs/cgroup/a.slice/b.service/cpu.max": file("400000 100000\n"),
		}, 2},
		"v1, with the host's path": {fstest.MapFS{
			"proc/self/cgroup":                    file("5:memory:/docker/1\n4:cpu,cpuacct:/docker/1\n0::/docker/1\n"),
			"sys/fs/cgroup/cpu/cpu.cfs_quota_us":  file("50000\n"),
			"sys/fs/cgroup/cpu/cpu.cfs_period_us": file("100000\n"),
		}, 0.5},
		"v1, no limit": {fstest.MapFS{
			"proc/self/cgroup":                    file("4:cpu:/\n"),
			"sys/fs/cgroup/cpu/cpu.cfs_quota_us":  file("-1\n"),
			"sys/fs/cgroup/cpu/cpu.cfs_period_us": file("100000\n"),
		}, inf},
	} {
		require.Equal(t, c.want, cpuQuota(c.files), name)
		require.Equal(t, int(max(1, min(math.Ceil(c.want), float64(runtime.GOMAXPROCS(0))))), cpuSessions(c.files), name)
	}
}
