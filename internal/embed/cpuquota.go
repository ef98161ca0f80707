package embed

import (
	"io/fs"
	"math"
	"path"
	"runtime"
	"strconv"
	"strings"
)

// cpuSessions is how many single-threaded inferences the machine runs at once: GOMAXPROCS (which knows the CPU affinity),
// or less when the control group allows less. GOMAXPROCS knows the quota too, but never goes below two for it, and two
// sessions on a quota of one are throttled by turns. root is the file system's root.
func cpuSessions(root fs.FS) int {
	n := runtime.GOMAXPROCS(0)
	if quota := cpuQuota(root); quota < float64(n) {
		n = int(math.Ceil(quota))
	}
	return max(n, 1)
}

// cpuQuota is the number of CPUs that the control groups of this process allow, +Inf when they set no limit. A group's
// limit holds for all groups in it, so the lowest on the way up counts. Inside a container the process's path is often
// seen from the host and does not exist; the walk then ends at the root, where the container's own group is mounted.
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
