package testenv

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/dns/dnsmessage"
	"golang.org/x/sys/unix"
)

// WatchNetwork records the traffic in this process's network namespace. seen returns the destinations of TCP connections and
// UDP packets since then, such as "tcp 192.0.2.1:443", and the names that were looked up. They are sorted, each once.
func WatchNetwork(t *testing.T) (seen func() []string) {
	t.Helper()
	const (
		everyProtocol = unix.ETH_P_ALL<<8&0xff00 | unix.ETH_P_ALL>>8 // in network byte order
		buffer        = 512 << 20                                    // bytes; enough for all packets until they are read
	)
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, everyProtocol)
	require.NoError(t, err)
	t.Cleanup(func() { _ = unix.Close(fd) })
	require.NoError(t, unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING, 1)) // the loopback delivers each packet, too
	require.NoError(t, unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, buffer))
	return func() []string {
		t.Helper()
		all := map[string]bool{}
		packet := make([]byte, 2048)
		for {
			n, _, err := unix.Recvfrom(fd, packet, 0)
			if err == unix.EAGAIN {
				break
			}
			require.NoError(t, err)
			if what := destination(packet[:n]); what != "" {
				all[what] = true
			}
		}
		stats, err := unix.GetsockoptTpacketStats(fd, unix.SOL_PACKET, unix.PACKET_STATISTICS)
		require.NoError(t, err)
		require.Zero(t, stats.Drops, "packets were lost: the buffer is too small")
		return slices.Sorted(maps.Keys(all))
	}
}

// destination returns the destination of a packet that begins a connection or belongs to none; "" for any other packet.
func destination(ip []byte) string {
	const tcpSYN, tcpACK = 1 << 1, 1 << 4
	var to netip.Addr
	var protocol byte
	var payload []byte
	switch {
	case len(ip) >= 20 && ip[0]>>4 == 4:
		to, _ = netip.AddrFromSlice(ip[16:20])
		protocol, payload = ip[9], ip[min(int(ip[0]&15)*4, len(ip)):]
	case len(ip) >= 40 && ip[0]>>4 == 6:
		to, _ = netip.AddrFromSlice(ip[24:40])
		protocol, payload = ip[6], ip[40:]
	default:
		return ""
	}
	switch {
	case protocol == unix.IPPROTO_ICMP, protocol == unix.IPPROTO_ICMPV6: // the kernel's refusals
		return ""
	case protocol == unix.IPPROTO_TCP && len(payload) >= 20:
		if payload[13]&(tcpSYN|tcpACK) != tcpSYN {
			return ""
		}
		return "tcp " + netip.AddrPortFrom(to, binary.BigEndian.Uint16(payload[2:])).String()
	case protocol == unix.IPPROTO_UDP && len(payload) >= 8:
		return "udp " + netip.AddrPortFrom(to, binary.BigEndian.Uint16(payload[2:])).String() + question(payload[8:])
	}
	return fmt.Sprintf("protocol %d to %s", protocol, to)
}

// question returns the name in a DNS query, or "".
func question(data []byte) string {
	var p dnsmessage.Parser
	if _, err := p.Start(data); err != nil {
		return ""
	}
	q, err := p.Question()
	if err != nil {
		return ""
	}
	return " asks for " + q.Name.String()
}

// WatchFiles records the files that processes with this process's mounts write. written returns the paths of files that were
// closed since then, sorted, each once.
func WatchFiles(t *testing.T) (written func() []string) {
	t.Helper()
	fd, err := unix.FanotifyInit(unix.FAN_CLOEXEC|unix.FAN_NONBLOCK|unix.FAN_UNLIMITED_QUEUE, unix.O_RDONLY|unix.O_LARGEFILE|unix.O_CLOEXEC)
	require.NoError(t, err)
	t.Cleanup(func() { _ = unix.Close(fd) })
	mounts, err := os.ReadFile("/proc/self/mounts")
	require.NoError(t, err)
	marked := 0
	for line := range strings.Lines(string(mounts)) {
		fields := strings.Fields(line)
		if slices.Contains([]string{"proc", "sysfs", "devtmpfs", "devpts", "cgroup", "cgroup2", "mqueue", "nsfs"}, fields[2]) {
			continue // not a disk
		}
		if unix.FanotifyMark(fd, unix.FAN_MARK_ADD|unix.FAN_MARK_MOUNT, unix.FAN_CLOSE_WRITE, unix.AT_FDCWD, fields[1]) == nil {
			marked++ // a mount that another one hides cannot be marked, and cannot be written to
		}
	}
	require.NotZero(t, marked)
	return func() []string {
		t.Helper()
		all := map[string]bool{}
		events := make([]byte, 64<<10)
		for {
			n, err := unix.Read(fd, events)
			if err == unix.EAGAIN {
				return slices.Sorted(maps.Keys(all))
			}
			require.NoError(t, err)
			for rest := events[:n]; len(rest) > 0; {
				var event unix.FanotifyEventMetadata
				require.NoError(t, binary.Read(bytes.NewReader(rest[:unsafe.Sizeof(event)]), binary.NativeEndian, &event))
				path, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", event.Fd))
				require.NoError(t, err)
				require.NoError(t, unix.Close(int(event.Fd)))
				all[path] = true
				rest = rest[event.Event_len:]
			}
		}
	}
}
