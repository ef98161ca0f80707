package flagctl

import (
	"crypto/md5"
	"crypto/sha1"
	"fmt"
	"hash"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/rogpeppe/go-internal/testscript"

	"moderator/internal/config"
	"moderator/internal/hashlist"
	"moderator/internal/recognise"
	"moderator/internal/testenv"
)

// longTests is the variable that enables tests of many minutes.
const longTests = "MODERATOR_LONG_TESTS"

// otherDatabase switches to another, empty library.
func otherDatabase(ts *testscript.TestScript, _ bool, _ []string) {
	t := ts.Value("t").(testing.TB)
	url := testenv.Postgres(t)
	ts.Check(migrate(t.Context(), url))
	ts.Setenv("MODERATOR_DATABASE_URL", url)
}

// emptyDatabase switches to another database, without a schema.
func emptyDatabase(ts *testscript.TestScript, _ bool, _ []string) {
	ts.Setenv("MODERATOR_DATABASE_URL", testenv.Postgres(ts.Value("t").(testing.TB)))
}

// sumList md5|sha1 LIST FILE writes a list of the file's hash.
func sumList(ts *testscript.TestScript, _ bool, args []string) {
	sum := map[string]hash.Hash{"md5": md5.New(), "sha1": sha1.New()}[args[0]]
	_, _ = io.WriteString(sum, ts.ReadFile(args[2])) // never fails
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), fmt.Appendf(nil, "%x\n", sum.Sum(nil)), 0o644))
}

// bigList LIST N EVERY writes a list of N flags. One in EVERY has a PDQ hash and an embedding.
func bigList(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	every, err := strconv.Atoi(args[2])
	ts.Check(err)
	folder, err := recognise.Folder(config.Model{})
	ts.Check(err)
	model := hashlist.Model{Fingerprint: folder.Fingerprint(), Dims: folder.Dims()}
	file, err := os.Create(ts.MkAbs(args[0]))
	ts.Check(err)
	w, err := hashlist.NewWriter(file, hashlist.Own, hashlist.Header{Models: []hashlist.Model{model}})
	ts.Check(err)
	r := rand.New(rand.NewPCG(1, 1))
	for i := range n {
		sum := md5.Sum([]byte(args[1] + strconv.Itoa(i)))
		f := hashlist.Flag{Bank: "default", MD5: sum[:], Source: fmt.Sprintf("picture %d", i)}
		if i%every == 0 {
			var square float64
			v := make([]float32, model.Dims)
			for j := range v {
				v[j] = float32(r.NormFloat64())
				square += float64(v[j]) * float64(v[j])
			}
			for j := range v {
				v[j] /= float32(math.Sqrt(square))
			}
			hash := hashlist.PDQ{View: "original", Quality: 100}
			for j := range hash.Hash {
				hash.Hash[j] = byte(r.Uint32())
			}
			f.PDQ = []hashlist.PDQ{hash}
			f.Embeddings = []hashlist.Embedding{{Model: model.Fingerprint, View: "original", Vector: v}}
		}
		_, err := w.Write(f)
		ts.Check(err)
	}
	ts.Check(w.Close())
	ts.Check(file.Close())
}

// loaded MIN MAX waits until the library has MIN flags, and fails where it has more than MAX.
func loaded(ts *testscript.TestScript, _ bool, args []string) {
	ctx := ts.Value("t").(testing.TB).Context()
	least, err := strconv.Atoi(args[0])
	ts.Check(err)
	most, err := strconv.Atoi(args[1])
	ts.Check(err)
	conn, err := pgx.Connect(ctx, ts.Getenv("MODERATOR_DATABASE_URL"))
	ts.Check(err)
	defer conn.Close(ctx)
	for deadline := time.Now().Add(5 * time.Minute); ; {
		var count int
		ts.Check(conn.QueryRow(ctx, "SELECT count(*) FROM flagged_image").Scan(&count))
		if count > most {
			ts.Fatalf("%d flags, wanted at most %d", count, most)
		}
		if count >= least {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("%d flags, wanted %d or more", count, least)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// TestScriptsLong runs the scripts that take many minutes, with libraries as large as real ones.
func TestScriptsLong(t *testing.T) {
	if os.Getenv(longTests) == "" {
		t.Skip("set " + longTests + "=1 to run it")
	}
	testscript.Run(t, scripts(t, "testdata/long"))
}
