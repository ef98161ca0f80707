package imaging

import (
	"encoding/binary"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func s15Fixed16(values ...float64) (out []byte) {
	for _, v := range values {
		out = binary.BigEndian.AppendUint32(out, uint32(int32(math.Round(v*65536))))
	}
	return out
}

var (
	srgbPrimaries    = [3][]float64{{0.4360, 0.2225, 0.0139}, {0.3851, 0.7169, 0.0971}, {0.1431, 0.0606, 0.7141}}
	displayPrimaries = [3][]float64{{0.5151, 0.2412, -0.0011}, {0.2920, 0.6922, 0.0419}, {0.1571, 0.0666, 0.7841}}
	srgbCurve        = append([]byte("para\x00\x00\x00\x00\x00\x03\x00\x00"), s15Fixed16(2.4, 1/1.055, 0.055/1.055, 1/12.92, 0.04045)...)
	gammaCurve       = []byte("curv\x00\x00\x00\x00\x00\x00\x00\x01\x02\x33")
)

// srgbTable is sRGB's curve as in the profiles of cameras and Windows.
func srgbTable(n int) []byte {
	table := binary.BigEndian.AppendUint32([]byte("curv\x00\x00\x00\x00"), uint32(n))
	for i := range n {
		x := float64(i) / float64(n-1)
		y := x / 12.92
		if x > 0.04045 {
			y = math.Pow((x+0.055)/1.055, 2.4)
		}
		table = binary.BigEndian.AppendUint16(table, uint16(math.Round(y*math.MaxUint16)))
	}
	return table
}

// matrixProfile returns a minimal RGB profile with the tags.
func matrixProfile(primaries [3][]float64, curve []byte) []byte {
	profile := make([]byte, 128+4+6*12)
	copy(profile[16:], "RGB XYZ ")
	copy(profile[36:], "acsp")
	profile[131] = 6
	for i, name := range []string{"rXYZ", "gXYZ", "bXYZ", "rTRC", "gTRC", "bTRC"} {
		tag := curve
		if i < 3 {
			tag = append([]byte("XYZ \x00\x00\x00\x00"), s15Fixed16(primaries[i]...)...)
		}
		entry := profile[132+12*i:]
		copy(entry, name)
		binary.BigEndian.PutUint32(entry[4:], uint32(len(profile)))
		binary.BigEndian.PutUint32(entry[8:], uint32(len(tag)))
		profile = append(profile, tag...)
	}
	return profile
}

func TestIsSRGB(t *testing.T) {
	srgb := matrixProfile(srgbPrimaries, srgbCurve)
	require.True(t, isSRGB(srgb))
	require.True(t, isSRGB(matrixProfile(srgbPrimaries, srgbTable(1024))))
	require.True(t, isSRGB(matrixProfile(srgbPrimaries, srgbTable(64))))
	require.False(t, isSRGB(matrixProfile(displayPrimaries, srgbCurve)), "Display P3")
	require.False(t, isSRGB(matrixProfile(srgbPrimaries, gammaCurve)))
	require.False(t, isSRGB(nil))
	for n := range srgb {
		require.False(t, isSRGB(srgb[:n]), "cut off after %d bytes", n)
	}
}

// In browsers, tables of any intent have precedence over matrix and curves.
func TestTablesBesideTheMatrix(t *testing.T) {
	for _, name := range []string{"A2B0", "A2B1", "D2B0"} {
		profile := matrixProfile(srgbPrimaries, srgbCurve)
		const end = 128 + 4 + 6*12
		for at := 132; at < end; at += 12 {
			binary.BigEndian.PutUint32(profile[at+4:], binary.BigEndian.Uint32(profile[at+4:])+12)
		}
		profile[131] = 7
		entry := append([]byte(name), 0, 0, 0, 0, 0, 0, 0, 0)
		profile = append(append(profile[:end:end], entry...), profile[end:]...)
		require.False(t, isSRGB(profile), name)
		copy(profile[end:], "wtpt")
		require.True(t, isSRGB(profile))
	}
}
