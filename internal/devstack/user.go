package devstack

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// runAs is the operating system's user that the server runs as. A nil credential is this process's own user.
type runAs struct {
	name       string
	uid, gid   int
	credential *syscall.Credential
}

// serverUser returns this process's own user. For root, which PostgreSQL refuses, it returns postgres, or else nobody.
func serverUser() (runAs, error) {
	if os.Geteuid() != 0 {
		return runAs{uid: os.Geteuid(), gid: os.Getegid()}, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, errUID := strconv.ParseUint(u.Uid, 10, 32)
		gid, errGID := strconv.ParseUint(u.Gid, 10, 32)
		if err := errors.Join(errUID, errGID); err != nil {
			return runAs{}, fmt.Errorf("user %s: %w", name, err)
		}
		return runAs{
			name: name, uid: int(uid), gid: int(gid),
			credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)},
		}, nil
	}
	return runAs{}, errors.New("PostgreSQL does not run as root, and this machine has neither a user postgres nor nobody: " +
		"start moderator as an ordinary user, or give --database-url")
}

// own makes dir with mode 0700 for the user. A directory of a third user is an error: it may be another program's, or a trap
// in a shared temporary folder.
func (r runAs) own(dir string) error {
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !info.IsDir() || !ok || (int(st.Uid) != r.uid && int(st.Uid) != os.Geteuid()) {
		return fmt.Errorf("%s is not a directory of user id %d: remove it or choose another --data-dir", dir, r.uid)
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		return err
	}
	return os.Chown(dir, r.uid, r.gid)
}

// canEnter returns an error if the user cannot reach dir. The error names the closed folder and the remedy.
func (r runAs) canEnter(dir string) error {
	if r.credential == nil {
		return nil
	}
	probe := exec.Command("/bin/sh", "-c", "exit 0")
	probe.Dir = dir
	probe.SysProcAttr = &syscall.SysProcAttr{Credential: r.credential}
	err := probe.Run()
	if err == nil {
		return nil
	}
	if !errors.Is(err, os.ErrPermission) {
		return fmt.Errorf("run a program as user %s: %w", r.name, err)
	}
	closed := dir
	for parent := filepath.Dir(dir); parent != filepath.Dir(parent); parent = filepath.Dir(parent) {
		if info, err := os.Stat(parent); err == nil && info.Mode().Perm()&0o001 == 0 {
			closed = parent
		}
	}
	return fmt.Errorf("PostgreSQL does not run as root but as the user %s, who cannot enter %s: "+
		"choose another --data-dir, such as /var/lib/moderator", r.name, closed)
}
