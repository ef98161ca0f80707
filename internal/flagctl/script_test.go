package flagctl

import (
	"context"
	"fmt"
	"image/jpeg"
	"os"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"

	"moderator/internal/app"
	"moderator/internal/config"
	"moderator/internal/drawn"
	"moderator/internal/matchdb"
	"moderator/internal/testenv"
)

// tests runs the package's tests with their servers, where this binary is not a script's flagctl.
type tests struct{ m *testing.M }

func (t tests) Run() int { return testenv.Main(t.m) }

func TestMain(m *testing.M) {
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

// scripts are those of a folder. Each has a library of its own, with the shipped model registered.
func scripts(t *testing.T, dir string) testscript.Params {
	library := testenv.ONNXRuntime(t)
	return testscript.Params{
		Dir: dir,
		Setup: func(env *testscript.Env) error {
			url := testenv.Postgres(env.T().(testing.TB))
			env.Setenv("MODERATOR_DATABASE_URL", url)
			env.Setenv("MODERATOR_ONNXRUNTIME_LIB", library)
			env.Setenv("MODERATOR_AS", "mo")
			env.Values["t"] = env.T()
			return migrate(env.T().(testing.TB).Context(), url)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"picture": picture, "pictures": pictures, "flat": flat, "id": id,
			"otherdatabase": otherDatabase, "emptydatabase": emptyDatabase, "md5list": md5List, "biglist": bigList, "loaded": loaded, "othermodel": otherModel,
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
	folder, err := app.Folder(config.Model{})
	if err != nil {
		return err
	}
	record, _ := app.ModelRecord(folder)
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
	ts.Check(jpeg.Encode(file, drawn.Draw(1, number, 640, 480), &jpeg.Options{Quality: quality}))
	ts.Check(file.Close())
}

func TestPrintableKeepsControlCharactersOffTheTerminal(t *testing.T) {
	require.Equal(t, "a�[31mb�c", printable("a\x1b[31mb\u009bc"))
	require.Equal(t, "naïve – 雪.jpg", printable("naïve – 雪.jpg"))
}
