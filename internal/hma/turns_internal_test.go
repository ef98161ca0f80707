package hma

import (
	"image"
	"image/draw"
	"testing"

	"github.com/stretchr/testify/require"

	"moderator/internal/pdq"
	"moderator/internal/synth"
)

// mostWrong is how many bits of a turn the derivation gets wrong at most, of these pictures.
const mostWrong = 20

// Each turn of a picture is near one that its upright hash leads to.
func TestTurnsOfAHash(t *testing.T) {
	for i := range 20 {
		grey := image.NewGray(image.Rect(0, 0, 256, 256))
		draw.Draw(grey, grey.Bounds(), synth.Draw(1, i, 256, 256), image.Point{}, draw.Src)
		turns, quality := pdq.Turns(256, 256, grey.Pix)
		if quality < pdq.MinQuality {
			continue
		}
		queries := turnsOf(turns[pdq.Original])
		require.Equal(t, turns[pdq.Original], queries[0].Hash)
		for turn, want := range turns {
			nearest := pdq.Bits
			for _, q := range queries {
				nearest = min(nearest, q.Hash.Distance(want))
			}
			require.LessOrEqual(t, nearest, mostWrong, "picture %d, %v", i, pdq.Turn(turn))
		}
	}
}
