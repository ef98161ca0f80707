package recognise

import (
	"testing"

	"github.com/stretchr/testify/require"

	"moderator/internal/evidence"
	"moderator/internal/feature"
	"moderator/internal/keypoint"
	"moderator/internal/matchdb"
	"moderator/internal/pdq"
	"moderator/internal/verdict"
)

// A flagged picture on the second page is judged by that page: the keypoints of the first page do not speak against it.
func TestKeypointsOfAnotherFrameSayNothing(t *testing.T) {
	views := []feature.View{{Turns: make([]pdq.Hash, 8), Quality: 100}, {Turns: make([]pdq.Hash, 8), Quality: 100, Frame: 1}}
	_, hashes := hashQueries(views)
	last := len(hashes) - 1
	require.Equal(t, 1, hashes[last].view)
	require.True(t, ofLaterFrame(views, matchdb.Evidence{PDQ: 3, PDQQuery: last}))
	require.False(t, ofLaterFrame(views, matchdb.Evidence{PDQ: 3, PDQQuery: 0, HasVector: true, Query: 1}))
	require.True(t, ofLaterFrame(views, matchdb.Evidence{PDQ: -1, HasVector: true, Query: 1}))
	require.False(t, ofLaterFrame(views, matchdb.Evidence{PDQ: -1, HasVector: true, Query: 0}))

	e := nearestEvidence{Evidence: verdict.Evidence{
		HasVector: true, Score: 0.6, PDQ: 0, FlagPoints: 200, UploadPoints: 255, Expected: 200, Agreeing: 2, Contradicting: 10, Inside: 200,
		Guided: keypoint.Guided{
			Looked: 24, Bits: [4]float64{50, 52, 58, 67}, Mean: 55, First: 55, Before: 56, Apart: 1, Uneven: 6,
			Compared: keypoint.Compared{Pairs: 1984, Same: 0.08, Appeared: 0.6, Vanished: 0.5, Worst: 0.7, PDQ: -1},
		},
	}}
	block := evidence.For(1, evidence.DefaultFalseBlocks).Block
	require.Less(t, evidence.LogOdds(e.Evidence), block)
	require.Greater(t, evidence.LogOdds(e.withoutKeypoints().Evidence), block)
	e.Inliers = 40 // the first page shows it as well
	require.Equal(t, e, e.withoutKeypoints())
}
