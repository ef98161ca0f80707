package devstack

import (
	"os"
	"path/filepath"
	"strconv"
)

// serversOn returns the pids of the PostgreSQL processes, parent and children, whose working directory is the data directory.
// So another program that has got the pid is left alone.
func serversOn(data string, _ int) []int {
	dir, err := os.Stat(data)
	if err != nil {
		return nil
	}
	links, _ := filepath.Glob("/proc/[0-9]*/cwd")
	var pids []int
	for _, link := range links {
		cwd, err := os.Stat(link)
		if err != nil || !os.SameFile(cwd, dir) {
			continue // it has ended, or belongs to another user
		}
		proc := filepath.Dir(link)
		comm, _ := os.ReadFile(filepath.Join(proc, "comm"))
		if pid, err := strconv.Atoi(filepath.Base(proc)); err == nil && string(comm) == "postgres\n" {
			pids = append(pids, pid)
		}
	}
	return pids
}
