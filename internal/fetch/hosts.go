package fetch

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// host is one entry of the list.
type host struct {
	name     string // "cdn.example.com", an address, or ".example.com" for a wildcard
	wildcard bool   // matches every host whose name ends in name
	port     string // "": the scheme's default
}

type hosts []host

var hostname = regexp.MustCompile(`^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$`)

// parseHosts parses the list. Its error names every invalid entry.
func parseHosts(list []string) (hosts, error) {
	var parsed hosts
	var errs []error
	for _, entry := range list {
		h, ok := parseHost(entry)
		if !ok {
			errs = append(errs, fmt.Errorf("fetch-host is %q, wanted a host without scheme and path: cdn.example.com, *.example.com, cdn.example.com:8443 or [2001:db8::1]:8443", withoutLogin(entry)))
			continue
		}
		parsed = append(parsed, h)
	}
	return parsed, errors.Join(errs...)
}

// withoutLogin removes passwords and signatures from an invalid entry, for an error.
func withoutLogin(entry string) string {
	if strings.ContainsAny(entry, "@?") {
		return withoutSecrets(entry)
	}
	return entry
}

func parseHost(entry string) (h host, ok bool) {
	name := strings.ToLower(entry)
	if strings.Count(name, ":") == 1 || strings.Contains(name, "]:") {
		var err error
		if name, h.port, err = net.SplitHostPort(name); err != nil {
			return h, false
		}
		if n, err := strconv.ParseUint(h.port, 10, 16); err != nil || n == 0 || h.port[0] == '0' {
			return h, false
		}
	}
	if strings.HasPrefix(name, "[") && strings.HasSuffix(name, "]") {
		name = name[1 : len(name)-1]
	}
	name, h.wildcard = strings.CutPrefix(name, "*.")
	h.name = plainName(name)
	if !validName(h.name) || h.wildcard && isAddress(h.name) {
		return h, false
	}
	if h.wildcard {
		h.name = "." + h.name
	}
	return h, true
}

// plainName returns a name in lower case without the dot of the DNS root, or an address in its shortest form.
func plainName(name string) string {
	name = strings.TrimSuffix(strings.ToLower(name), ".")
	if address, err := netip.ParseAddr(name); err == nil {
		return address.String()
	}
	return name
}

func isAddress(name string) bool {
	address, err := netip.ParseAddr(name)
	return err == nil && address.Zone() == ""
}

// validName refuses names that are not ASCII: the resolver would convert them to names that are not on the list.
func validName(name string) bool {
	const longest = 253 // DNS' limit
	return len(name) <= longest && (isAddress(name) || hostname.MatchString(name))
}

// check returns an error unless the URL's scheme and host are allowed.
func (list hosts) check(u *url.URL) error {
	standard := map[string]string{"http": "80", "https": "443"}[u.Scheme]
	if standard == "" {
		return fmt.Errorf("the URL's scheme is %q, wanted http or https", truncate(u.Scheme, 20))
	}
	if u.User != nil {
		return errors.New("the URL holds a user name or password, wanted none: sign the URL instead")
	}
	name, port := plainName(u.Hostname()), u.Port()
	if port == "" {
		port = standard
	}
	if len(list) == 0 {
		return fmt.Errorf("no URL may be fetched: allow its host with --fetch-host %s", asEntry(name, port, standard))
	}
	for _, h := range list {
		if h.matches(name, port, standard) {
			return nil
		}
	}
	return fmt.Errorf("the host %s is not allowed: allow it with --fetch-host %[1]s", asEntry(name, port, standard))
}

func (h host) matches(name, port, standard string) bool {
	wanted := h.port
	if wanted == "" {
		wanted = standard
	}
	if port != wanted || !validName(name) {
		return false
	}
	if h.wildcard {
		return strings.HasSuffix(name, h.name) && len(name) > len(h.name)
	}
	return name == h.name
}

// asEntry returns the list's entry that would allow a host.
func asEntry(name, port, standard string) string {
	name = truncate(name, 253)
	if port != standard {
		return net.JoinHostPort(name, truncate(port, 5))
	}
	return name
}
