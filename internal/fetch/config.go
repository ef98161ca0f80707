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

// Config says what may be fetched, and bounds the time.
type Config struct {
	// Hosts are allowed in URLs: cdn.example.com, or *.example.com for its subdomains at any depth, both optionally with
	// :port. The default port is the scheme's, 80 or 443. If Hosts is empty, no URL is fetched.
	Hosts []string
	// Buckets are allowed in s3://, gs:// and azblob:// URLs. Each has its client's options as a query:
	// s3://uploads?region=eu-central-1. AllowCIDRs does not apply to them: the operator chooses the store.
	Buckets []string
	// AllowCIDRs are networks that may be connected to although they are not public, such as 10.20.0.0/16.
	AllowCIDRs []netip.Prefix
	// Timeout bounds one fetch, from the DNS look-up to the last byte.
	Timeout time.Duration
	// MaxRedirects bounds the redirects of one fetch, 0 to 20.
	MaxRedirects int
}

// Validate returns all invalid settings, joined into one error.
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
