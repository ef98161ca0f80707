package flagctl

import (
	"bytes"
	"image"
	"image/jpeg"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"moderator/internal/testenv"
	"moderator/models"
	"moderator/tools/hostile/classics"
)

// serve DIR serves a folder by HTTP, at $HOST, and sets $NATS to a server's URL.
func serve(ts *testscript.TestScript, _ bool, args []string) {
	server := httptest.NewServer(http.FileServer(http.Dir(ts.MkAbs(args[0]))))
	ts.Defer(server.Close)
	ts.Setenv("HOST", server.Listener.Addr().String())
	ts.Setenv("NATS", testenv.NATS(ts.Value("t").(testing.TB)))
}

// flat FILE writes a picture of one colour.
func flat(ts *testscript.TestScript, _ bool, args []string) {
	file, err := os.Create(ts.MkAbs(args[0]))
	ts.Check(err)
	ts.Check(jpeg.Encode(file, image.NewGray(image.Rect(0, 0, 320, 240)), nil))
	ts.Check(file.Close())
}

// interlaced FILE writes a PNG of 7000 x 7000 pixels whose decoding takes 392 MB.
func interlaced(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), classics.InterlacedPNG(7000, 7000), 0o644))
}

// othermodel DIR writes another model: the shipped one with other preprocessing.
func otherModel(ts *testscript.TestScript, _ bool, args []string) {
	dir := ts.MkAbs(args[0])
	ts.Check(os.CopyFS(dir, models.CopyDetect()))
	path := filepath.Join(dir, "preprocessor_config.json")
	text, err := os.ReadFile(path)
	ts.Check(err)
	ts.Check(os.WriteFile(path, bytes.Replace(text, []byte("0.485"), []byte("0.45"), 1), 0o644))
}

var uuids = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)

// id PATTERN sets $ID to the id in the first line of stdout that matches the pattern.
func id(ts *testscript.TestScript, _ bool, args []string) {
	line := regexp.MustCompile("(?m)^.*" + args[0] + ".*$").FindString(ts.ReadFile("stdout"))
	found := uuids.FindString(line)
	if found == "" {
		ts.Fatalf("no id in line %q", line)
	}
	ts.Setenv("ID", found)
}

// lastID sets $ID to the last id on stdout.
func lastID(ts *testscript.TestScript, _ bool, _ []string) {
	found := uuids.FindAllString(ts.ReadFile("stdout"), -1)
	if len(found) == 0 {
		ts.Fatalf("no id on stdout")
	}
	ts.Setenv("ID", found[len(found)-1])
}
