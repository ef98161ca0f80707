package devstack

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// ErrNoPostgres says that this machine has no PostgreSQL server with pgvector.
var ErrNoPostgres = errors.New("no usable PostgreSQL server on this machine")

const setupRemedy = "run `make setup`, or give --database-url"

// binaries are the two programs of one PostgreSQL installation.
type binaries struct{ initdb, postgres string }

// FindPostgres returns the folder of the PostgreSQL programs that StartPostgres uses. The installation in PATH comes first,
// then the newest in /usr/lib/postgresql/*/bin; it must have pgvector. The error wraps ErrNoPostgres and says what to do.
func FindPostgres() (string, error) {
	var seen []string
	for _, dir := range candidateDirs() {
		b := binariesIn(dir)
		if !isFile(b.initdb) || !isFile(b.postgres) {
			continue
		}
		if hasVector(dir) {
			return dir, nil
		}
		seen = append(seen, dir)
	}
	if len(seen) > 0 {
		return "", fmt.Errorf("%w: %s has no pgvector (vector.control): %s",
			ErrNoPostgres, strings.Join(seen, ", "), setupRemedy)
	}
	return "", fmt.Errorf("%w: initdb and postgres are neither in PATH nor in /usr/lib/postgresql/*/bin: %s",
		ErrNoPostgres, setupRemedy)
}

func binariesIn(dir string) binaries {
	return binaries{initdb: filepath.Join(dir, "initdb"), postgres: filepath.Join(dir, "postgres")}
}

func candidateDirs() []string {
	var dirs []string
	if p, err := exec.LookPath("postgres"); err == nil {
		// A link in PATH leads to the installation, which has the share folder.
		if target, err := filepath.EvalSymlinks(p); err == nil {
			p = target
		}
		dirs = append(dirs, filepath.Dir(p))
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	version := func(dir string) int {
		n, _ := strconv.Atoi(filepath.Base(filepath.Dir(dir)))
		return n
	}
	slices.SortFunc(found, func(a, b string) int { return version(b) - version(a) })
	return append(dirs, found...)
}

// hasVector looks for pgvector where pg_config says that extensions are. Debian packs pg_config with the headers; without it,
// hasVector tries Debian's layout and that of a build with a prefix.
func hasVector(bin string) bool {
	control := filepath.Join("extension", "vector.control")
	if out, err := exec.Command(filepath.Join(bin, "pg_config"), "--sharedir").Output(); err == nil {
		return isFile(filepath.Join(strings.TrimSpace(string(out)), control))
	}
	prefix := filepath.Dir(bin)
	return isFile(filepath.Join("/usr/share/postgresql", filepath.Base(prefix), control)) ||
		isFile(filepath.Join(prefix, "share", control)) ||
		isFile(filepath.Join(prefix, "share", "postgresql", control))
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
