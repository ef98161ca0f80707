package devstack

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// ErrInUse says that another live process holds the directory.
var ErrInUse = errors.New("the directory is in use by another running process")

// lockDir makes dir and takes its lock. A new dir has mode 0755, so that the server's user can pass through. Closing the
// returned file releases the lock, as does the end of this process. Children do not inherit the file.
func lockDir(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make the data directory: %w (choose another --data-dir)", err)
	}
	path := filepath.Join(dir, "lock")
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the data directory: %w (choose another --data-dir)", err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		return f, nil
	}
	_ = f.Close()
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, fmt.Errorf("%s: %w: stop it or choose another --data-dir", dir, ErrInUse)
	}
	return nil, fmt.Errorf("lock %s: %w", path, err)
}
