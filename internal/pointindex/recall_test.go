package pointindex_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"moderator/internal/imaging"
	"moderator/internal/keypoint"
	"moderator/internal/pointindex"
	"moderator/internal/synth"
	"moderator/internal/transforms"
)

func points(t testing.TB, file []byte, flagged bool) keypoint.Features {
	t.Helper()
	result, err := imaging.Decode(file, imaging.Request{Gray: true, Limits: imaging.DefaultLimits()})
	require.NoError(t, err)
	w, h := keypoint.Size(result.Width, result.Height)
	g, err := result.Frames[0].Views[0].Gray.Resized(w, h)
	require.NoError(t, err)
	most := keypoint.UploadPoints
	if flagged {
		most = keypoint.FlagPoints
	}
	return keypoint.Extract(g.Width, g.Height, g.Pix, most)
}

// Copies that verification accepts are among the candidates.
func TestVerifiableCopiesAreCandidates(t *testing.T) {
	const flags, originals = 120, 12
	x := pointindex.New()
	all := make([]keypoint.Features, flags)
	for i := range all {
		file, err := transforms.Encode(synth.Draw(11, i, 480, 360), transforms.JPEG, 92)
		require.NoError(t, err)
		all[i] = points(t, file, true)
		require.Equal(t, uint32(i), x.Add(all[i]))
	}
	wanted := map[string]bool{
		"crop-75-corner": true, "crop-50": true, "caption-bar": true, "rotated-25": true, "mirror": true, "negative": true, "side-by-side": true,
		"phone-screenshot": true, "combination": true,
	}
	verifiable, candidates, first := 0, 0, 0
	for i := range originals {
		p, other := synth.Draw(11, i, 480, 360), synth.Draw(11, i+originals, 480, 360)
		for _, e := range transforms.Quality() {
			if !wanted[e.Name] {
				continue
			}
			file, err := e.Apply(p, other, uint64(i))
			require.NoError(t, err)
			upload := keypoint.Prepare(points(t, file, false))
			if keypoint.Verify(all[i], upload).Score() < keypoint.BlockAt {
				continue
			}
			verifiable++
			for rank, c := range x.Search(upload, 8) {
				if c.ID == uint32(i) {
					candidates++
					if rank == 0 {
						first++
					}
				}
			}
		}
	}
	t.Logf("%d verifiable copies, %d among 8 candidates, %d the first", verifiable, candidates, first)
	require.GreaterOrEqual(t, verifiable, originals*4)
	require.GreaterOrEqual(t, candidates*100, verifiable*98)
	require.GreaterOrEqual(t, first*100, verifiable*85) // side by side, the other picture is one too
}
