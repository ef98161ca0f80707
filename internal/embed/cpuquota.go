package embed

import (
	"io/fs"
	"math"
	"path"
	"runtime"
	"strconv"
	"strings"
)

// cpuSessions returns how many single-threaded inferences can run at once: GOMAXPROCS, which respects the CPU affinity, or
// less if the control group's quota is less. GOMAXPROCS never goes below two for a quota, and the kernel would throttle two
// sessions on a quota of one CPU. root is the root of the file system.
func cpuSessions(root fs.FS) int {
	n := runtime.GOMAXPROCS(0)
	if quota := cpuQuota(root); quota < float64(n) {
		n = int(math.Ceil(quota))
	}
	return max(n, 1)
}

// cpuQuota returns the number of CPUs that this process's control groups allow, +Inf without a limit. A group's limit
// applies to all groups below it, so the lowest on the way to the root counts. In a container, the process's path may be
// the host's and not exist; the container's own group is then at the root.
func cpuQuota(root fs.FS) float64 {
	groups, err := fs.ReadFile(root, "proc/self/cgroup")
	if err != nil {
		return math.Inf(1)
	}
	lowest := math.Inf(1)
	for line := range strings.Lines(string(groups)) {
		part := strings.SplitN(strings.TrimSpace(line), ":", 3) // hierarchy:controllers:path
		if len(part) != 3 {
			continue
		}
		var mount string
		var read func(fs.FS, string) float64
		switch {
		case part[1] == "":
			mount, read = "sys/fs/cgroup", quotaV2
		case strings.Contains(","+part[1]+",", ",cpu,"):
			mount, read = "sys/fs/cgroup/cpu", quotaV1
		default:
			continue
		}
		for dir := path.Clean("/" + part[2]); ; dir = path.Dir(dir) {
			lowest = min(lowest, read(root, path.Join(mount, dir)))
			if dir == "/" {
				break
			}
		}
	}
	return lowest
}

// quotaV2 reads cpu.max: "max 100000" or "150000 100000" (microseconds of CPU in each period).
func quotaV2(root fs.FS, dir string) float64 {
	text, err := fs.ReadFile(root, path.Join(dir, "cpu.max"))
	quota, period, ok := strings.Cut(strings.TrimSpace(string(text)), " ")
	if err != nil || !ok {
		return math.Inf(1)
	}
	return ratio(quota, period)
}

// quotaV1 reads cpu.cfs_quota_us (-1: none) and cpu.cfs_period_us.
func quotaV1(root fs.FS, dir string) float64 {
	quota, err := fs.ReadFile(root, path.Join(dir, "cpu.cfs_quota_us"))
	if err != nil {
		return math.Inf(1)
	}
	period, err := fs.ReadFile(root, path.Join(dir, "cpu.cfs_period_us"))
	if err != nil {
		return math.Inf(1)
	}
	return ratio(strings.TrimSpace(string(quota)), strings.TrimSpace(string(period)))
}

func ratio(quota, period string) float64 {
	q, err := strconv.ParseFloat(quota, 64)
	if err != nil || q <= 0 {
		return math.Inf(1)
	}
	p, err := strconv.ParseFloat(period, 64)
	if err != nil || p <= 0 {
		return math.Inf(1)
	}
	return q / p
}
