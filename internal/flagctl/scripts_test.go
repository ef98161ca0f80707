package flagctl

import (
	"image"
	"image/jpeg"
	"os"
	"regexp"

	"github.com/rogpeppe/go-internal/testscript"
)

// flat FILE writes a picture of one colour.
func flat(ts *testscript.TestScript, _ bool, args []string) {
	file, err := os.Create(ts.MkAbs(args[0]))
	ts.Check(err)
	ts.Check(jpeg.Encode(file, image.NewGray(image.Rect(0, 0, 320, 240)), nil))
	ts.Check(file.Close())
}

var uuids = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)

// id PATTERN sets $ID to the id that the first line of stdout has which matches the pattern.
func id(ts *testscript.TestScript, _ bool, args []string) {
	line := regexp.MustCompile("(?m)^.*" + args[0] + ".*$").FindString(ts.ReadFile("stdout"))
	found := uuids.FindString(line)
	if found == "" {
		ts.Fatalf("no id in line %q", line)
	}
	ts.Setenv("ID", found)
}
