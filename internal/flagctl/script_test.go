package flagctl

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image/jpeg"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"

	"moderator/internal/config"
	"moderator/internal/hashlist"
	"moderator/internal/matchdb"
	"moderator/internal/recognise"
	"moderator/internal/sandbox/sandboxtest"
	"moderator/internal/synth"
	"moderator/internal/testenv"
)

// tests runs the package's tests with their servers. The binary is also the scripts' flagctl.
type tests struct{ m *testing.M }

func (t tests) Run() int { return testenv.Main(t.m) }

func TestMain(m *testing.M) {
	sandboxtest.WorkIfStarted()
	testscript.Main(tests{m}, map[string]func(){
		"flagctl": func() {
			if err := Run(context.Background(), os.Args[1:], os.Stdout, os.Stderr); err != nil {
				fmt.Fprintf(os.Stderr, "flagctl: %v\n", err)
				os.Exit(1)
			}
		},
	})
}

func TestScripts(t *testing.T) { testscript.Run(t, scripts(t, "testdata")) }

// scripts returns the scripts of a folder. Each has a library of its own, with the shipped model registered.
func scripts(t *testing.T, dir string) testscript.Params {
	library := testenv.ONNXRuntime(t)
	return testscript.Params{
		Dir: dir,
		Setup: func(env *testscript.Env) error {
			url := testenv.Postgres(env.T().(testing.TB))
			env.Setenv("MODERATOR_DATABASE_URL", url)
			env.Setenv("MODERATOR_ONNXRUNTIME_LIB", library)
			env.Setenv("SUDO_USER", "mo")
			env.Values["t"] = env.T()
			return migrate(env.T().(testing.TB).Context(), url)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"picture": picture, "pictures": pictures, "flat": flat, "interlaced": interlaced, "id": id, "lastid": lastID,
			"otherdatabase": otherDatabase, "emptydatabase": emptyDatabase, "sumlist": sumList, "biglist": bigList, "loaded": loaded, "othermodel": otherModel, "serve": serve,
		},
	}
}

func migrate(ctx context.Context, url string) error {
	if _, _, err := matchdb.Migrate(ctx, url); err != nil {
		return err
	}
	db, err := matchdb.Open(ctx, url)
	if err != nil {
		return err
	}
	defer db.Close()
	folder, err := recognise.Folder(config.Model{})
	if err != nil {
		return err
	}
	record, _ := recognise.ModelRecord(folder)
	return db.RegisterModel(ctx, record)
}

// picture FILE NUMBER QUALITY draws a picture as a JPEG.
func picture(ts *testscript.TestScript, _ bool, args []string) {
	number, err := strconv.Atoi(args[1])
	ts.Check(err)
	quality, err := strconv.Atoi(args[2])
	ts.Check(err)
	file, err := os.Create(ts.MkAbs(args[0]))
	ts.Check(err)
	ts.Check(jpeg.Encode(file, synth.Draw(1, number, 640, 480), &jpeg.Options{Quality: quality}))
	ts.Check(file.Close())
}

func TestPrintableKeepsControlCharactersOffTheTerminal(t *testing.T) {
	require.Equal(t, "a�[31mb�c", printable("a\x1b[31mb\u009bc"))
	require.Equal(t, "naïve – 雪.jpg", printable("naïve – 雪.jpg"))
	require.Equal(t, "gpj.�txt", printable("gpj.\u202etxt"))
	require.Equal(t, "a�b�c�d�e", printable("a\u2066b\u2028c\ufeffd\U000e0041e"))
	require.Equal(t, "👩\u200d🔬", printable("👩\u200d🔬"))
	failure := errors.New("gpj.\u202etxt: \x1b[2J\nsecond line")
	require.EqualError(t, printableError{failure}, "gpj.�txt: �[2J\nsecond line")
	require.ErrorIs(t, printableError{failure}, failure)
}

func TestJSONHasNoInvisibleCharacters(t *testing.T) {
	var out bytes.Buffer
	c := &cli{Grammar: &Grammar{Output: "json"}, stdout: &out}
	name := "gpj.\u202etxt\U000e0041\u0085\x1b雪"
	require.NoError(t, c.print(name, "", nil))
	require.Equal(t, `"gpj.\u202etxt\udb40\udc41\u0085\u001b雪"`+"\n", out.String())
	var back string
	require.NoError(t, json.Unmarshal(out.Bytes(), &back))
	require.Equal(t, name, back)
}

// The pipe has no writer: only ctx ends the reading of a picture or a list.
func TestReadingAPipeCanBeInterrupted(t *testing.T) {
	for what, reading := range map[string]func(ctx context.Context, pipe string) error{
		"picture": func(ctx context.Context, pipe string) error {
			_, err := read(ctx, pipe, 100)
			return err
		},
		"list": func(ctx context.Context, pipe string) error {
			in, _, err := open(ctx, pipe)
			require.NoError(t, err)
			_, err = hashlist.Open(in, "")
			return err
		},
	} {
		t.Run(what, func(t *testing.T) {
			pipe := filepath.Join(t.TempDir(), "pipe")
			require.NoError(t, syscall.Mkfifo(pipe, 0o600))
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			require.EqualError(t, reading(ctx, pipe), "interrupted")
			writer, err := os.OpenFile(pipe, os.O_WRONLY, 0) // waits for the reader, whose read then ends
			require.NoError(t, err)
			require.NoError(t, writer.Close())
		})
	}
}

func TestAPipeIsReadUpToTheLimit(t *testing.T) {
	for length, want := range map[int]string{100: "", 101: "it has more than 100 bytes, the most allowed: raise --max-upload-bytes"} {
		pipe := filepath.Join(t.TempDir(), strconv.Itoa(length)) // the last pipe's reader may still have it open
		require.NoError(t, syscall.Mkfifo(pipe, 0o600))
		go func() { _ = os.WriteFile(pipe, make([]byte, length), 0o600) }()
		data, err := read(t.Context(), pipe, 100)
		if want != "" {
			require.EqualError(t, err, want)
			continue
		}
		require.NoError(t, err)
		require.Len(t, data, length)
	}
}
