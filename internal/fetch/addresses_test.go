package fetch

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"moderator/internal/event"
)

func TestAddressesThatAreNotPublic(t *testing.T) {
	for _, text := range []string{
		"0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.100.100.200", "100.127.255.255", "127.0.0.1", "127.255.255.254",
		"168.63.129.16", "169.254.0.1", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.0.192", "192.0.2.1", "192.88.99.1",
		"192.168.0.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
		"::", "::1", "::7f00:1", "::8.8.8.8", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:0:127.0.0.1",
		"64:ff9b::7f00:1", "64:ff9b::8.8.8.8", "64:ff9b:1::1", "100::1", "2001::1", "2001:0:7f00:1::", "2001:2::1", "2001:10::1", "2001:20::1", "2001:db8::1",
		"2002:7f00:1::", "2002:808:808::1", "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fdff::1", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "ff0e::1",
	} {
		require.False(t, addresses{}.allowed(netip.MustParseAddr(text)), text)
	}
}

func TestAddressesThatArePublic(t *testing.T) {
	for _, text := range []string{
		"1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.1", "168.63.129.17", "169.253.255.255",
		"169.255.0.0", "172.15.255.255", "172.32.0.0", "192.0.1.1", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255",
		"::ffff:8.8.8.8", "2001:200::1", "2001:4860:4860::8888", "2003::1", "2606:4700:4700::1111", "2a00:1450::1",
	} {
		require.True(t, addresses{}.allowed(netip.MustParseAddr(text)), text)
	}
}

func TestAddressesThatAreExcepted(t *testing.T) {
	a := addresses{except: prefixes("10.20.0.0/16", "127.0.0.1/32", "fd00:1::/64", "fe80::/10")}
	for _, text := range []string{"10.20.0.1", "::ffff:10.20.0.1", "127.0.0.1", "fd00:1::5", "fe80::1%eth0", "8.8.8.8"} {
		require.True(t, a.allowed(netip.MustParseAddr(text)), text)
	}
	for _, text := range []string{"10.21.0.1", "127.0.0.2", "::1", "fd00:1:0:1::5", "::10.20.0.1", "64:ff9b::10.20.0.1"} {
		require.False(t, a.allowed(netip.MustParseAddr(text)), text)
	}
}

func TestControlReadsWhatADialerGives(t *testing.T) {
	require.NoError(t, addresses{}.control(t.Context(), "tcp4", "8.8.8.8:443", nil))
	require.NoError(t, addresses{}.control(t.Context(), "tcp6", "[2606:4700::1]:443", nil))
	requireUnjudgeable(t, addresses{}.control(t.Context(), "tcp6", "[fe80::1%eth0]:80", nil), event.FetchFailed, "fe80::1%eth0 is not public: allow its network with --fetch-allow-cidr")
	requireUnjudgeable(t, addresses{}.control(t.Context(), "unix", "/run/docker.sock", nil), event.FetchFailed, "cannot be read")
}
