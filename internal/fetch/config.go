package fetch

import (
	"errors"
	"fmt"
	"net/netip"
	"time"
)

// The defaults of Config.
const (
	DefaultTimeout      = 15 * time.Second
	DefaultMaxRedirects = 5
)

// Config is what may be fetched, and for how long.
type Config struct {
	// Hosts are those that URLs may name: cdn.example.com, *.example.com (each host below it, at any depth), either
	// with :port. Without a port the scheme's own is meant, 80 or 443. Empty: no URL is fetched.
	Hosts []string
	// Buckets are those that s3://, gs:// and azblob:// URLs may name, each with its client's options as a query:
	// s3://uploads?region=eu-central-1. Where their stores are is the list's word, so AllowCIDRs is not asked.
	Buckets []string
	// AllowCIDRs are addresses that may be connected to although they are not public, such as 10.20.0.0/16.
	AllowCIDRs []netip.Prefix
	// Timeout is the time that one upload may take, from the first look-up to the last byte.
	Timeout time.Duration
	// MaxRedirects is how many a URL may lead through, 0 to 20.
	MaxRedirects int
}

// Validate reports every setting that cannot work.
func (c Config) Validate() error {
	const mostRedirects = 20
	var errs []error
	if _, err := parseHosts(c.Hosts); err != nil {
		errs = append(errs, err)
	}
	if _, err := parseBuckets(c.Buckets); err != nil {
		errs = append(errs, err)
	}
	for _, p := range c.AllowCIDRs {
		if !p.IsValid() || p.Addr().Is4In6() {
			errs = append(errs, fmt.Errorf("fetch-allow-cidr is %v, wanted a prefix such as 10.20.0.0/16 or fd00:1::/64", p))
		}
	}
	if c.Timeout <= 0 {
		errs = append(errs, fmt.Errorf("fetch-timeout is %v, wanted more than zero", c.Timeout))
	}
	if c.MaxRedirects < 0 || c.MaxRedirects > mostRedirects {
		errs = append(errs, fmt.Errorf("fetch-max-redirects is %d, wanted 0 to %d", c.MaxRedirects, mostRedirects))
	}
	return errors.Join(errs...)
}
