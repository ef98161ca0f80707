package fetch

import (
	"context"
	"net"
	"net/netip"
	"syscall"
)

// reserved are the IPv4 networks of IANA's special-purpose registry (RFC 6890), one public address that answers only inside
// Azure, and the IPv6 networks inside global unicast that stand for other addresses.
var reserved = prefixes(
	"0.0.0.0/8",        // this network
	"10.0.0.0/8",       // private
	"100.64.0.0/10",    // carrier-grade NAT; Alibaba's metadata service
	"127.0.0.0/8",      // loopback
	"168.63.129.16/32", // Azure's host, with its metadata
	"169.254.0.0/16",   // link-local; the clouds' metadata services
	"172.16.0.0/12",    // private
	"192.0.0.0/24",     // protocol assignments; Oracle's metadata service
	"192.0.2.0/24",     // documentation
	"192.88.99.0/24",   // 6to4 relays
	"192.168.0.0/16",   // private
	"198.18.0.0/15",    // benchmarks
	"198.51.100.0/24",  // documentation
	"203.0.113.0/24",   // documentation
	"224.0.0.0/4",      // multicast
	"240.0.0.0/4",      // reserved, broadcast
	// IPv6:
	"2001::/23",     // protocol assignments; Teredo
	"2001:db8::/32", // documentation
	"2002::/16",     // 6to4
	"3fff::/20",     // documentation
)

// globalUnicast is IPv6's public address space (RFC 4291). It excludes loopback, IPv4-compatible, NAT64 (64:ff9b::), unique
// local, link-local, site-local and multicast addresses.
var globalUnicast = netip.MustParsePrefix("2000::/3")

func prefixes(texts ...string) []netip.Prefix {
	list := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		list[i] = netip.MustParsePrefix(text)
	}
	return list
}

// addresses allows connections to public addresses and to the exceptions.
type addresses struct{ except []netip.Prefix }

// allowed reports whether ip may be connected to. An IPv4-mapped IPv6 address counts as the IPv4 address.
func (a addresses) allowed(ip netip.Addr) bool {
	ip = ip.Unmap().WithZone("")
	if within(ip, a.except) {
		return true
	}
	return (ip.Is4() || globalUnicast.Contains(ip)) && !within(ip, reserved)
}

func within(ip netip.Addr, list []netip.Prefix) bool {
	for _, p := range list {
		if p.Contains(ip) {
			return true
		}
	}
	return false
}

// control is a dialer's ControlContext. It checks the address of the connection itself, so that a DNS name cannot change
// between the check and the use.
func (a addresses) control(_ context.Context, _, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return unjudgeable("the address %q cannot be read", truncate(address, 60))
	}
	if !a.allowed(to.Addr()) {
		return unjudgeable("the host's address %s is not public: allow its network with --fetch-allow-cidr", to.Addr())
	}
	return nil
}

// Dialer connects to public addresses and to those inside allow. It refuses all others, whatever name led to them.
func Dialer(allow []netip.Prefix) *net.Dialer {
	return &net.Dialer{Timeout: dialTimeout, ControlContext: addresses{except: allow}.control}
}
