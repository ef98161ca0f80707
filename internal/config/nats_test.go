package config

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func context(t *testing.T, text string) (path string) {
	path = filepath.Join(t.TempDir(), "c.json")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestNATSContext(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("XDG_CONFIG_HOME", filepath.Join(home, "cfg"))
	t.Setenv("KEYS", "/keys")
	dir := filepath.Join(home, "cfg", "nats", "context")
	require.NoError(t, os.MkdirAll(dir, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "prod.json"),
		[]byte(`{"description": "", "url": "tls://a:4222,tls://b:4222", "creds": "~/prod.creds", "ca": "$KEYS/ca.pem", "tls_first": true, "color_scheme": "blue"}`), 0o600))

	n := NATS{NATSContext: "prod"}
	require.NoError(t, n.AfterApply())
	require.Equal(t, NATS{
		NATSContext: "prod", NATSURL: "tls://a:4222,tls://b:4222", NATSCreds: filepath.Join(home, "prod.creds"), NATSCA: "/keys/ca.pem", NATSTLSFirst: true,
	}, n)

	n = NATS{NATSContext: "prod", NATSURL: "nats://other", NATSUser: "ann", NATSPasswordFile: "/p"}
	require.NoError(t, n.AfterApply())
	require.Equal(t, "nats://other", n.NATSURL)
	require.Empty(t, n.NATSCreds, "a login that is given replaces the context's")

	n = NATS{NATSContext: context(t, `{"url": "u", "user": "ann", "password": "$KEYS~/"}`)}
	require.NoError(t, n.AfterApply())
	require.Equal(t, "$KEYS~/", n.NATSPassword, "no path")
}

func TestNATSSettingsThatDoNotFit(t *testing.T) {
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	for want, n := range map[string]NATS{
		"NATS context gone: ": {NATSContext: "gone"},
		"is not JSON":         {NATSContext: context(t, `url: "u"`)},
		"names no server":     {NATSContext: context(t, `{}`)},
		"sets socks_proxy, which moderator does not support": {NATSContext: context(t, `{"url": "u", "socks_proxy": "p"}`)},
		"belong together":                 {NATSURL: "u", NATSCert: "c"},
		"without --nats-user":             {NATSURL: "u", NATSPasswordFile: "p"},
		"a NATS login is given without a": {NATSCreds: "c"},
	} {
		require.ErrorContains(t, n.AfterApply(), want)
	}
}
