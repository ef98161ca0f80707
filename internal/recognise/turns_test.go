package recognise

import (
	"testing"

	"github.com/stretchr/testify/require"

	"moderator/internal/feature"
	"moderator/internal/imaging"
	"moderator/internal/pdq"
	"moderator/internal/synth"
	"moderator/internal/transforms"
)

// An upload that shows a flag turned or mirrored is near to it by the hash of one of its turns, which names how.
func TestTurnedUploadsAreNearUprightFlags(t *testing.T) {
	file, err := transforms.Encode(synth.Draw(3, 1, 480, 360), transforms.JPEG, 92)
	require.NoError(t, err)
	views := TurnedViews()[:8]
	result, err := imaging.Decode(file, imaging.Request{Views: views, Gray: true, Limits: imaging.DefaultLimits()})
	require.NoError(t, err)
	for i, shown := range result.Frames[0].Views {
		require.Equal(t, views[i], shown.View)
		turns, quality := pdq.Turns(shown.Gray.Width, shown.Gray.Height, shown.Gray.Pix)
		hashes, of := hashQueries([]feature.View{{}, {Turns: turns[:], Quality: quality}})
		require.Len(t, hashes, 8)
		flag, _ := pdq.Compute(result.Frames[0].Views[0].Gray.Width, result.Frames[0].Views[0].Gray.Height, result.Frames[0].Views[0].Gray.Pix)
		near := 0
		for k, h := range hashes {
			require.Equal(t, turned{1, pdq.Turn(k)}, of[k])
			if h.Hash.Distance(flag) <= pdq.MaxDistance {
				near++
				require.Equal(t, string(shown.View), turnedView("original", of[k].turn))
				require.Equal(t, "trimmed", turnedView("trimmed", of[k].turn))
			}
		}
		require.Equal(t, 1, near, shown.View)
	}
}
