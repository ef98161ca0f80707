package half

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEveryHalfConverts(t *testing.T) {
	for h := range 1 << 16 {
		f := ToFloat(uint16(h))
		if f != f {
			require.Equal(t, uint16(0x7e00), FromFloat(f)&0x7fff)
			continue
		}
		if got := FromFloat(f); got != uint16(h) {
			t.Fatalf("%#04x is %g and becomes %#04x", h, f, got)
		}
	}
	for f, want := range map[float32]uint16{
		1: 0x3c00, -2: 0xc000, 65504: 0x7bff, 65519: 0x7bff, 65520: 0x7c00, 1e9: 0x7c00, 0x1p-25: 0, 0x1.8p-25: 1, 0x1p-24: 1,
		1 + 0x1p-11: 0x3c00, 1 + 0x1.8p-10: 0x3c02, 0x1.ff8p-15: 0x03ff, 0x1.fffp-15: 0x0400,
	} {
		require.Equal(t, want, FromFloat(f), "%g", f)
	}
	require.InDelta(t, 0.333, ToFloat(FromFloat(1.0/3)), 1e-3)
}
