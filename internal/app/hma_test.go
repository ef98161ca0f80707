package app

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestHMAAddress(t *testing.T) {
	for given, want := range map[string]string{
		"": "", "5100": "127.0.0.1:5100", ":5100": ":5100", "0.0.0.0": "0.0.0.0:5100", "localhost": "localhost:5100",
		"10.0.0.1:9876": "10.0.0.1:9876", "[::1]": "[::1]:5100", "::1": "[::1]:5100", "[::1]:9": "[::1]:9",
	} {
		address, err := hmaAddress(given)
		require.NoError(t, err, given)
		require.Equal(t, want, address, given)
	}
	_, err := hmaAddress("http://here/")
	require.ErrorContains(t, err, "wanted host:port, a port or a host")
}

func TestHMAKey(t *testing.T) {
	write := func(text string) string {
		path := filepath.Join(t.TempDir(), "key")
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	key, err := hmaKey(write("0123456789abcdef\n"))
	require.NoError(t, err)
	require.Equal(t, "0123456789abcdef", key)
	_, err = hmaKey(write("short\n"))
	require.ErrorContains(t, err, "the key has 5 bytes, wanted 16 or more")
	_, err = hmaKey(write(""))
	require.ErrorContains(t, err, "the key has 0 bytes")
	_, err = hmaKey("/no/such/file")
	require.ErrorContains(t, err, "hma-key-file: open /no/such/file")
	key, err = hmaKey("")
	require.NoError(t, err)
	require.Empty(t, key)
}
