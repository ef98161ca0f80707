package fetch

import (
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestValidateNamesEverySetting(t *testing.T) {
	require.NoError(t, Config{Timeout: DefaultTimeout, MaxRedirects: DefaultMaxRedirects}.Validate())
	require.NoError(t, local("cdn.example.com").Validate())
	err := Config{
		Hosts: []string{"https://cdn.example.com"}, MaxRedirects: 21,
		AllowCIDRs: []netip.Prefix{{}, netip.MustParsePrefix("::ffff:10.0.0.0/104")},
	}.Validate()
	for _, text := range []string{
		`fetch-host is "https://cdn.example.com", wanted`,
		"fetch-allow-cidr is invalid Prefix, wanted",
		"fetch-allow-cidr is ::ffff:10.0.0.0/104, wanted",
		"fetch-timeout is 0s, wanted",
		"fetch-max-redirects is 21, wanted",
	} {
		require.ErrorContains(t, err, text)
	}
	_, err = New(Config{}, nil)
	require.ErrorContains(t, err, "fetch-timeout")
}

func TestParseHosts(t *testing.T) {
	for _, good := range []string{
		"cdn.example.com", "CDN.example.com.", "*.example.com", "*.example.com:8443", "minio:9000", "my_bucket.s3.example.com",
		"10.1.2.3", "10.1.2.3:80", "2001:db8::1", "[2001:db8::1]", "[2001:db8::1]:8080",
	} {
		_, err := parseHosts([]string{good})
		require.NoError(t, err, good)
	}
	for _, bad := range []string{
		"", "*", "*.", ".", "*.*.com", "a.*.com", "*example.com", "http://a", "a/b", "a b", "a:", "a:0", "a:080", "a:65536", "a:http", "a@b",
		"[::1", "[a", "::1]:80", "*.10.1.2.3", "fe80::1%eth0", "bücher.example", "-a.com", strings.Repeat("a.", 130) + "com",
	} {
		_, err := parseHosts([]string{"ok.example", bad})
		require.ErrorContains(t, err, "fetch-host is", "%q", bad)
	}
}

func TestHostsThatMatch(t *testing.T) {
	list, err := parseHosts([]string{"cdn.example.com", "*.img.example.com", "*.net.example:8443", "minio:9000", "10.1.2.3", "[2001:db8:0::1]:8080"})
	require.NoError(t, err)
	for _, good := range []string{
		"https://cdn.example.com/a", "http://cdn.example.com/a", "https://CDN.Example.COM./a", "https://cdn.example.com:443/a", "http://cdn.example.com:80/a",
		"https://a.img.example.com", "https://a.b.img.example.com", "https://a.net.example:8443/", "http://a.net.example:8443/",
		"http://minio:9000/bucket/a", "http://10.1.2.3/a", "http://[2001:db8::1]:8080/", "HTTPS://cdn.example.com/",
	} {
		require.NoError(t, check(t, list, good), good)
	}
	for _, bad := range []string{
		"https://example.com/", "https://cdn.example.com.evil.com/", "https://evilcdn.example.com/", "https://img.example.com/", "https://.img.example.com/",
		"https://evilimg.example.com", "https://cdn.example.com:8443/", "http://cdn.example.com:443/", "https://cdn.example.com:80/", "https://cdn.example.com:0443/",
		"https://a.net.example/", "http://minio/", "http://10.1.2.4/", "http://167838211/", "http://[::ffff:10.1.2.3]/", "http://[2001:db8::1]/",
		"https://а.img.example.com/", "https://a%2eb.img.example.com@evil.com/", "https://" + strings.Repeat("a", 253) + ".img.example.com/",
		"https://a b.img.example.com/", "https:///a", "https:a",
	} {
		if _, parseErr := url.Parse(bad); parseErr == nil {
			require.Error(t, check(t, list, bad), bad)
		}
	}
}

func check(t *testing.T, list hosts, text string) error {
	t.Helper()
	u, err := url.Parse(text)
	require.NoError(t, err)
	return list.check(u)
}

func TestCheckSaysHowToAllow(t *testing.T) {
	require.EqualError(t, check(t, nil, "https://cdn.example.com/a"), "no URL may be fetched: allow its host with --fetch-host cdn.example.com")
	list, err := parseHosts([]string{"a.example"})
	require.NoError(t, err)
	require.EqualError(t, check(t, list, "http://b.example:81/x"), "the host b.example:81 is not allowed: allow it with --fetch-host b.example:81")
	require.EqualError(t, check(t, list, "http://[2001:db8::1]/x"), "the host 2001:db8::1 is not allowed: allow it with --fetch-host 2001:db8::1")
	require.ErrorContains(t, check(t, list, "file:///etc/passwd"), `scheme is "file", wanted http or https`)
	require.ErrorContains(t, check(t, list, "//a.example/x"), `scheme is "", wanted`)
	require.ErrorContains(t, check(t, list, "https://user@a.example/"), "user name or password")
	require.ErrorContains(t, check(t, list, "https://:"+secret+"@a.example/"), "user name or password")
}
