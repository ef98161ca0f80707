package flagctl

import (
	"fmt"
	"os"
	"strconv"

	"github.com/rogpeppe/go-internal/testscript"
)

// pictures DIR N draws N pictures into a folder, 0000.jpg and so on.
func pictures(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	ts.Check(os.MkdirAll(ts.MkAbs(args[0]), 0o755))
	for i := range n {
		picture(ts, false, []string{fmt.Sprintf("%s/%04d.jpg", args[0], i), strconv.Itoa(i), "90"})
	}
}
