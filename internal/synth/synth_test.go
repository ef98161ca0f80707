package synth

import (
	"image"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"moderator/internal/pdq"
)

func TestSameNumberSamePicture(t *testing.T) {
	for i := range len(artists()) {
		require.Equal(t, Draw(7, i, 96, 72).Pix, Draw(7, i, 96, 72).Pix, "%s is not the same twice", Name(i))
		require.NotEqual(t, Draw(7, i, 96, 72).Pix, Draw(8, i, 96, 72).Pix, "%s is the same for another seed", Name(i))
	}
}

func TestPicturesFillTheirSize(t *testing.T) {
	for _, size := range []image.Point{{64, 64}, {97, 211}, {320, 100}} {
		for i := range len(artists()) {
			img := Draw(3, i, size.X, size.Y)
			require.Equal(t, size, img.Rect.Size(), Name(i))
			require.True(t, img.Opaque(), "%s has holes", Name(i))
		}
	}
	require.Panics(t, func() { Draw(1, 0, 63, 64) })
	require.Panics(t, func() { Draw(1, -1, 64, 64) })
}

func TestNamesSortAndTellTheKind(t *testing.T) {
	require.Equal(t, "0003-poster", Name(3))
	require.Equal(t, Landscape, KindOf(24))
	require.True(t, strings.HasSuffix(Name(23), string(Meme)))
}

// Each picture has a PDQ hash of good quality, far from the hashes of all
// turns of the other pictures.
func TestPicturesAreNoCopies(t *testing.T) {
	const pictures = 72
	var upright []pdq.Hash
	good := 0
	for i := range pictures {
		turned, quality := pdq.Turns(320, 240, luma(Draw(1, i, 320, 240)))
		if quality >= pdq.MinQuality {
			good++
			for k, other := range upright {
				for _, h := range turned {
					require.Greater(t, h.Distance(other), 2*pdq.MaxDistance, "%s looks like picture %d", Name(i), k)
				}
			}
			upright = append(upright, turned[0])
		}
	}
	require.Greater(t, good, pictures*9/10, "too many pictures without detail")
}

func luma(img *image.RGBA) []byte {
	plane := make([]byte, 0, len(img.Pix)/4)
	for i := 0; i < len(img.Pix); i += 4 {
		plane = append(plane, byte(0.299*float64(img.Pix[i])+0.587*float64(img.Pix[i+1])+0.114*float64(img.Pix[i+2])+0.5))
	}
	return plane
}

func BenchmarkDraw(b *testing.B) {
	for i := range b.N {
		Draw(1, i, 640, 480)
	}
}
