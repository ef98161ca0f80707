package flagctl

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"moderator/internal/testenv"
)

// otherDatabase goes on with another, empty library.
func otherDatabase(ts *testscript.TestScript, _ bool, _ []string) {
	t := ts.Value("t").(testing.TB)
	url := testenv.Postgres(t)
	ts.Check(migrate(t.Context(), url))
	ts.Setenv("MODERATOR_DATABASE_URL", url)
}

// md5List LIST FILE writes a list of the file's MD5.
func md5List(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(md5Hex([]byte(ts.ReadFile(args[1])))), 0o644))
}
