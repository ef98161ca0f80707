package pdq_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"moderator/internal/pdq"
)

func TestParse(t *testing.T) {
	digits := "d8f8f0cee0f4a84f0637022a078f67f0b36e2ed596621e1d33e6339c4e9c9b22"
	hash, err := pdq.Parse(digits)
	require.NoError(t, err)
	require.Equal(t, digits, hash.String())
	require.Equal(t, byte(0xd8), hash[0])
	upper, err := pdq.Parse(strings.ToUpper(digits))
	require.NoError(t, err)
	require.Equal(t, hash, upper)

	for _, bad := range []string{"", digits[1:], digits + "0", "g" + digits[1:], strings.Repeat("é", 32)} {
		_, err := pdq.Parse(bad)
		require.ErrorContains(t, err, "want 64 hexadecimal digits", bad)
	}
}

func TestDistance(t *testing.T) {
	var zero, ones, one pdq.Hash
	for i := range ones {
		ones[i] = 0xff
	}
	one[9] = 0x10
	require.Equal(t, 0, ones.Distance(ones))
	require.Equal(t, pdq.Bits, zero.Distance(ones))
	require.Equal(t, 1, zero.Distance(one))
	require.Equal(t, pdq.Bits-1, one.Distance(ones))
}

func FuzzParse(f *testing.F) {
	f.Add(strings.Repeat("0F", 32))
	f.Add("0f")
	f.Fuzz(func(t *testing.T, s string) {
		if hash, err := pdq.Parse(s); err == nil {
			require.Equal(t, strings.ToLower(s), hash.String())
		}
	})
}

func BenchmarkDistance(b *testing.B) {
	var h, o pdq.Hash
	o[3] = 7
	for b.Loop() {
		h.Distance(o)
	}
}
