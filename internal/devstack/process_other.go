//go:build !linux

package devstack

import (
	"os/exec"
	"strconv"
	"strings"
)

// serversOn returns parent, if it is a PostgreSQL server on the data directory.
func serversOn(data string, parent int) []int {
	out, err := exec.Command("ps", "-o", "command=", "-p", strconv.Itoa(parent)).Output()
	if err != nil || !strings.Contains(string(out), "postgres -D "+data+" ") {
		return nil
	}
	return []int{parent}
}
