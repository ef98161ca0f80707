package evidence

import (
	"testing"

	"github.com/stretchr/testify/require"

	"moderator/internal/verdict"
)

func outcome(e verdict.Evidence, flags int) string {
	w := For(flags, DefaultFalseBlocks).Weigh(e)
	switch {
	case w.Probability >= w.BlockAt:
		return "block"
	case w.Probability >= w.ReviewAt:
		return "review"
	}
	return "allow"
}

// Evidence as it was measured; the score of each pair of templates blocked it by itself.
func TestWhatIsMistakenForACopy(t *testing.T) {
	for name, e := range map[string]verdict.Evidence{
		"another page of one layout": {HasVector: true, Score: 0.43, PDQ: 112, FlagPoints: 64, UploadPoints: 66, Expected: 64, Inside: 66, Agreeing: 3, Inliers: 0, Bits: 24, Contradicting: 6},
		"other code, no agreement":   {HasVector: true, Score: 0.45, PDQ: 112, FlagPoints: 49, UploadPoints: 60, Expected: 49, Inside: 60},
		"other bars":                 {HasVector: true, Score: 0.49, PDQ: 94, FlagPoints: 62, UploadPoints: 52, Expected: 62, Inside: 52, Agreeing: 22, Inliers: 15, Bits: 8, Area: 0.2, Contradicting: 4},
		"another form":               {HasVector: true, Score: 0.53, PDQ: 64, FlagPoints: 103, UploadPoints: 105, Expected: 103, Inside: 105, Agreeing: 58, Inliers: 40, Bits: 6, Area: 0.6, Contradicting: 9},
		"another chat":               {HasVector: true, Score: 0.41, PDQ: 60, FlagPoints: 47, UploadPoints: 50, Expected: 47, Inside: 50, Agreeing: 11, Inliers: 9, Bits: 10, Area: 0.09},
		"another barcode":            {HasVector: true, Score: 0.45, PDQ: 60, FlagPoints: 68, UploadPoints: 70, Expected: 68, Inside: 70, Agreeing: 18, Inliers: 5, Bits: 17, Area: 0.02},
		"other noise":                {HasVector: true, Score: 0.35, PDQ: 120, FlagPoints: 106, UploadPoints: 300, Expected: 106, Inside: 290},
		"an unrelated photograph":    {HasVector: true, Score: 0.05, PDQ: 118, FlagPoints: 200, UploadPoints: 500, Expected: 180, Inside: 450, Agreeing: 6, Inliers: 5, Bits: 30, Area: 0.02, Contradicting: 40},
	} {
		require.NotEqual(t, "block", outcome(e, 1000), name)
	}
}

func TestCopies(t *testing.T) {
	for name, e := range map[string]verdict.Evidence{
		"a hash, no keypoints known": {PDQ: 12, UploadPoints: 400},
		"compressed":                 {HasVector: true, Score: 0.62, PDQ: 6, FlagPoints: 200, UploadPoints: 500, Expected: 190, Inside: 480, Agreeing: 170, Inliers: 165, Bits: 3, Area: 0.7},
		"half of it":                 {HasVector: true, Score: 0.08, PDQ: 120, FlagPoints: 200, UploadPoints: 480, Expected: 60, Inside: 450, Agreeing: 42, Inliers: 38, Bits: 12, Area: 0.12, Shown: 0.25, Contradicting: 2},
		"a caption over it":          {HasVector: true, Score: 0.17, PDQ: 90, FlagPoints: 200, UploadPoints: 500, Expected: 190, Inside: 480, Agreeing: 140, Inliers: 130, Bits: 5, Area: 0.6, Contradicting: 12},
		"turned a little":            {HasVector: true, Score: 0.5, PDQ: 100, FlagPoints: 200, UploadPoints: 500, Expected: 185, Inside: 470, Agreeing: 146, Inliers: 128, Bits: 8, Area: 0.65, Contradicting: 8},
	} {
		for _, flags := range []int{100, 20_000, 1_000_000} {
			require.Equal(t, "block", outcome(e, flags), "%s among %d", name, flags)
		}
	}
}

func TestAHashIsNeverAllowed(t *testing.T) {
	against := verdict.Evidence{PDQ: 7, FlagPoints: 200, UploadPoints: 200, Expected: 190, Inside: 190, Agreeing: 20, Inliers: 12, Bits: 2, Area: 0.05, Contradicting: 60}
	require.Equal(t, "review", outcome(against, 1000), "keypoints that contradict it keep it from blocking")
}

func TestThresholdsRiseWithTheLibraryAndFallWithTheRate(t *testing.T) {
	require.Greater(t, For(1_000_000, 1e-4).Block, For(1000, 1e-4).Block)
	require.Less(t, For(1000, 1e-3).Block, For(1000, 1e-4).Block)
	require.Less(t, For(0, 1e-4).Review, For(0, 1e-4).Block)
}

// More that agrees never counts against a copy, and more that is missing never for one.
func TestEachSignalPointsOneWay(t *testing.T) {
	at := func(change func(*verdict.Evidence)) float64 {
		e := verdict.Evidence{HasVector: true, Score: 0.2, PDQ: 60, FlagPoints: 150, UploadPoints: 300, Expected: 120, Inside: 200, Agreeing: 60, Inliers: 50, Bits: 12, Area: 0.1, Contradicting: 5}
		change(&e)
		return LogOdds(e)
	}
	now := at(func(*verdict.Evidence) {})
	require.Greater(t, at(func(e *verdict.Evidence) { e.Agreeing = 80 }), now)
	require.Greater(t, at(func(e *verdict.Evidence) { e.Inliers = 53 }), now)
	require.Greater(t, at(func(e *verdict.Evidence) { e.Area = 0.14 }), now)
	require.Greater(t, at(func(e *verdict.Evidence) { e.PDQ = 20 }), now)
	require.Less(t, at(func(e *verdict.Evidence) { e.Contradicting = 20 }), now)
	require.Less(t, at(func(e *verdict.Evidence) { e.Agreeing, e.Inliers = 0, 0 }), now)
}
