package sandbox

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"moderator/internal/imaging"
)

// workAs runs a worker, either as usual or taken over by a picture, or a parent of workers.
func workAs(mode string) {
	switch mode {
	case "parent":
		parent()
	case "victim":
		victim()
		return
	case "attack itself":
		fmt.Println(strings.Join(attackOn(os.Getpid(), syscall.SIGURG, limits()), ", "))
		return
	case "free":
		fmt.Println(probe([]byte(os.Args[2]), nil, imaging.Request{}).Error)
		return
	}
	decoders := map[string]func(file, pixels []byte, r imaging.Request) answer{
		"": decode, "crash": crash, "hang": hang, "attack": attack, "spin": spin, "slow": slow, "stopped": stopped, "killed": killed, "grow": grow, "probe": probe,
		"garbage": garbage, "oversized": oversized, "incredible": incredible, "installation": installation,
	}
	if err := work(os.Stdin, os.Stdout, decoders[mode]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// parent starts workers that hang in a picture, prints their pids, and waits to be killed.
func parent() {
	o := Options{Command: []string{"/usr/bin/env", "SANDBOX_TEST=hang", os.Args[0], Argument}, Request: request(), MaxMemory: 512 << 20}
	for range 2 {
		p, err := startProcess(o)
		if err != nil {
			panic(err)
		}
		_ = writeLength(p.requests, 0)
		fmt.Println(p.cmd.Process.Pid)
	}
	select {}
}

func crash([]byte, []byte, imaging.Request) answer {
	_ = syscall.Tgkill(os.Getpid(), syscall.Gettid(), syscall.SIGSEGV)
	select {}
}

func hang([]byte, []byte, imaging.Request) answer {
	for {
		time.Sleep(time.Hour) // the parent kills the process
	}
}

// slow uses three seconds of CPU time before it decodes.
func slow(file, pixels []byte, r imaging.Request) answer {
	for began := cpuTime(os.Getpid()); cpuTime(os.Getpid()) < began+3*time.Second; {
	}
	return decode(file, pixels, r)
}

// stopped and killed signal themselves, so that the signal arrives during the decode.
func stopped([]byte, []byte, imaging.Request) answer {
	_ = syscall.Tgkill(os.Getpid(), syscall.Gettid(), syscall.SIGSTOP)
	select {}
}

func killed([]byte, []byte, imaging.Request) answer {
	_ = syscall.Tgkill(os.Getpid(), syscall.Gettid(), syscall.SIGKILL)
	select {}
}

func spin([]byte, []byte, imaging.Request) answer {
	for {
		_ = time.Now()
	}
}

// grow allocates until allocation fails.
func grow([]byte, []byte, imaging.Request) answer {
	for all := []byte{1}; ; {
		all = append(all, all...)
	}
}

// garbage writes an answer that cannot be parsed.
func garbage([]byte, []byte, imaging.Request) answer {
	_, _ = os.Stdout.Write([]byte("\x05\x00\x00\x00hello"))
	return answer{}
}

// oversized announces more bytes than any answer has.
func oversized([]byte, []byte, imaging.Request) answer {
	_, _ = os.Stdout.Write(binary.LittleEndian.AppendUint32(nil, 1<<31))
	return answer{}
}

// incredible answers with more frames than were requested.
func incredible(_, _ []byte, r imaging.Request) answer {
	a := answer{Format: "gif", Width: 1, Height: 1, FrameCount: 1000}
	for i := range r.Limits.MaxFrames*imaging.MaxRenderings + 1 {
		a.Frames = append(a.Frames, answerFrame{Index: i})
	}
	return a
}

func installation([]byte, []byte, imaging.Request) answer {
	return failure(errors.New("libvips is broken"))
}

// probe tries to get out of the sandbox, and reports what worked.
func probe(file, _ []byte, _ imaging.Request) answer {
	var done []string
	try := func(what string, attempt func() error) {
		if attempt() == nil {
			done = append(done, what)
		}
	}
	paths := strings.Split(string(file), "\n") // a file, a folder that can be written to
	read := func(path string) func() error {
		return func() error { _, err := os.ReadFile(path); return err }
	}
	socket := func(family, kind int) func() error {
		return func() error { _, err := unix.Socket(family, kind, 0); return err }
	}
	try("read a file", read(paths[0]))
	try("read /etc/passwd", read("/etc/passwd"))
	try("read the parent's environment", read(fmt.Sprintf("/proc/%d/environ", os.Getppid())))
	try("list the home folder", func() error { _, err := os.ReadDir("/root"); return err })
	try("write a file", func() error { return os.WriteFile(paths[1]+"/new", []byte("x"), 0o600) })
	try("empty a file", func() error { return os.Truncate(paths[0], 0) })
	try("change a file's mode", func() error { return os.Chmod(paths[0], 0o700) })
	try("remove a file", func() error { return os.Remove(paths[0]) })
	try("make a folder", func() error { return os.Mkdir(paths[1]+"/folder", 0o700) })
	try("link a file", func() error { return os.Symlink("/etc/passwd", paths[1]+"/link") })
	try("open a TCP socket", socket(unix.AF_INET, unix.SOCK_STREAM))
	try("open a UDP socket", socket(unix.AF_INET6, unix.SOCK_DGRAM))
	try("open a unix socket", socket(unix.AF_UNIX, unix.SOCK_STREAM))
	try("open a netlink socket", socket(unix.AF_NETLINK, unix.SOCK_RAW))
	try("listen", func() error { _, err := net.Listen("tcp", "127.0.0.1:0"); return err })
	try("start a program", func() error { return exec.Command("/bin/true").Run() })
	try("signal the parent", func() error { return unix.Kill(os.Getppid(), 0) })
	try("read the parent's memory", func() error {
		_, err := unix.ProcessVMReadv(os.Getppid(), []unix.Iovec{{}}, []unix.RemoteIovec{{}}, 0)
		return err
	})
	try("enter a namespace", func() error { return unix.Unshare(unix.CLONE_NEWUSER) })
	try("share memory that no limit counts", func() error {
		_, err := unix.Mmap(-1, 0, 1<<20, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_ANON)
		return err
	})
	try("make a file in memory", func() error { _, err := unix.MemfdCreate("x", 0); return err })
	try("lift the memory limit", func() error {
		return unix.Setrlimit(unix.RLIMIT_DATA, &unix.Rlimit{Cur: unix.RLIM_INFINITY, Max: unix.RLIM_INFINITY})
	})
	try("use io_uring", func() error {
		if _, _, errno := unix.Syscall(unix.SYS_IO_URING_SETUP, 1, 0, 0); errno != unix.EPERM {
			return nil
		}
		return unix.EPERM
	})
	try("become another user", func() error { return syscall.Setuid(1) })
	return answer{Error: "worked: " + strings.Join(done, ", ")}
}
