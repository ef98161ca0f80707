package evidence

import (
	"testing"

	"github.com/stretchr/testify/require"

	"moderator/internal/keypoint"
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

// guided is what the surroundings of a flag's keypoints come to.
func guided(points int, bits [4]float64, mean, same, similar, apart, uneven, cellShare float64) keypoint.Guided {
	return keypoint.Guided{
		Looked: points, Bits: bits, Mean: mean, First: bits[1], Before: mean + 1, Same: same, Similar: similar, Apart: apart, Uneven: uneven,
		Cells: int(14 * cellShare), CellShare: cellShare,
	}
}

// Evidence as it was measured; the score of each pair of templates blocked it by itself.
func TestWhatIsMistakenForACopy(t *testing.T) {
	for name, e := range map[string]verdict.Evidence{
		"another page of one layout": {
			HasVector: true, Score: 0.40, PDQ: 84, FlagPoints: 200, UploadPoints: 600, Expected: 200, Inside: 600,
			Agreeing: 37, Inliers: 0, Bits: 28, Area: 0, Shown: 0, Covered: 0, Contradicting: 15, New: 547,
			Guided: guided(104, [4]float64{20.0, 27.0, 36.0, 42}, 28.7, 0.096, 0.5, 0.75, 8.1, 0.36),
		},
		"other code": {
			HasVector: true, Score: 0.12, PDQ: 112, FlagPoints: 200, UploadPoints: 550, Expected: 200, Inside: 550,
			Agreeing: 53, Inliers: 0, Bits: 30, Area: 0, Shown: 0, Covered: 0, Contradicting: 44, New: 417,
			Guided: guided(120, [4]float64{30.0, 44.0, 54.5, 64.1}, 41.2, 0.12, 0.23, 0.91, 8.9, 0),
		},
		"another form": {
			HasVector: true, Score: 0.49, PDQ: 66, FlagPoints: 200, UploadPoints: 600, Expected: 200, Inside: 600,
			Agreeing: 129, Inliers: 86, Bits: 8, Area: 0.7, Shown: 1, Covered: 1, Contradicting: 21, New: 399,
			Guided: guided(120, [4]float64{4.0, 11.0, 18.0, 22}, 11.5, 0.65, 0.97, 0.12, 4.5, 1),
		},
		"another chart": {
			HasVector: true, Score: 0.22, PDQ: 82, FlagPoints: 130, UploadPoints: 130, Expected: 130, Inside: 113,
			Agreeing: 48, Inliers: 19, Bits: 12, Area: 0.2, Shown: 1, Covered: 0.92, Contradicting: 3, New: 63,
			Guided: guided(83, [4]float64{8.0, 20.0, 40.5, 56}, 26, 0.41, 0.57, 0.82, 5.1, 0.62),
		},
		"another chat": {
			HasVector: true, Score: 0.32, PDQ: 68, FlagPoints: 200, UploadPoints: 566, Expected: 200, Inside: 566,
			Agreeing: 68, Inliers: 12, Bits: 30, Area: 0.4, Shown: 1, Covered: 0.99, Contradicting: 18, New: 449,
			Guided: guided(95, [4]float64{20.0, 30.0, 42.0, 53.2}, 31.9, 0.11, 0.43, 0.69, 9, 0.33),
		},
		"another screenshot of one program": {
			HasVector: true, Score: 0.59, PDQ: 46, FlagPoints: 200, UploadPoints: 600, Expected: 200, Inside: 600,
			Agreeing: 107, Inliers: 76, Bits: 10, Area: 0.37, Shown: 1, Covered: 1, Contradicting: 10, New: 468,
			Guided: guided(120, [4]float64{6.0, 13.0, 22.5, 32}, 15.6, 0.53, 0.79, 0.59, 4.7, 0.67),
		},
		"another barcode": {
			HasVector: true, Score: 0.41, PDQ: 70, FlagPoints: 122, UploadPoints: 157, Expected: 122, Inside: 157,
			Agreeing: 66, Inliers: 10, Bits: 13, Area: 0.33, Shown: 1, Covered: 1, Contradicting: 30, New: 58,
			Guided: guided(96, [4]float64{8.0, 12.0, 14.0, 21}, 12.2, 0.78, 0.96, 0.25, 3.9, 1),
		},
		"another word": {
			HasVector: true, Score: 0.26, PDQ: 90, FlagPoints: 119, UploadPoints: 128, Expected: 119, Inside: 128,
			Agreeing: 37, Inliers: 27, Bits: 13, Area: 0.071, Shown: 1, Covered: 0.86, Contradicting: 21, New: 70,
			Guided: guided(87, [4]float64{17.0, 28.0, 34.0, 42}, 26.2, 0.18, 0.47, 0.81, 5.9, 0.17),
		},
		"another logo": {
			HasVector: true, Score: 0.34, PDQ: 90, FlagPoints: 63, UploadPoints: 42, Expected: 63, Inside: 42,
			Agreeing: 14, Inliers: 9, Bits: 19, Area: 0.00098, Shown: 0.94, Covered: 0.93, Contradicting: 4, New: 25,
			Guided: guided(57, [4]float64{18.0, 32.0, 51.0, 55.4}, 34.2, 0.16, 0.44, 0.86, 9, 0.57),
		},
		"other noise": {
			HasVector: true, Score: 0.33, PDQ: 114, FlagPoints: 200, UploadPoints: 583, Expected: 0, Inside: 583,
			Agreeing: 0, Inliers: 0, Bits: 0, Area: 0, Shown: 0, Covered: 0, Contradicting: 0, New: 551,
			Guided: guided(98, [4]float64{56.0, 60.0, 68.0, 72.6}, 61.8, 0, 0, 1, 6.5, 0),
		},
		"an unrelated picture": {
			HasVector: true, Score: -0.03, PDQ: 112, FlagPoints: 200, UploadPoints: 488, Expected: 200, Inside: 488,
			Agreeing: 26, Inliers: 4, Bits: 23, Area: 0.012, Shown: 1, Covered: 0.94, Contradicting: 42, New: 431,
			Guided: guided(120, [4]float64{32.0, 48.0, 58.5, 70}, 46, 0.017, 0.22, 0.96, 7.5, 0.14),
		},
	} {
		require.NotEqual(t, "block", outcome(e, 1000), name)
	}
}

func TestCopies(t *testing.T) {
	for name, e := range map[string]verdict.Evidence{
		"a hash, no keypoints known": {PDQ: 12, UploadPoints: 400},
		"the second page of a file": {
			HasVector: true, Score: 0.6, PDQ: 2, HashAlone: true, FlagPoints: 200, UploadPoints: 300, Expected: 190, Inside: 280, Agreeing: 3, Bits: 35,
			Contradicting: 40, New: 200,
		},
		"compressed": {
			HasVector: true, Score: 0.62, PDQ: 6, FlagPoints: 200, UploadPoints: 500, Expected: 190, Inside: 480, Agreeing: 170, Inliers: 165, Bits: 3, Area: 0.7,
			Shown: 1, Covered: 1, New: 250, Guided: guided(120, [4]float64{0, 2, 4, 8}, 3, 0.97, 1, 1, 2, 1),
		},
		"half of it": {
			HasVector: true, Score: 0.08, PDQ: 120, FlagPoints: 200, UploadPoints: 480, Expected: 60, Inside: 450, Agreeing: 50, Inliers: 46, Bits: 6, Area: 0.16,
			Shown: 0.25, Covered: 1, Contradicting: 1, New: 350, Guided: guided(62, [4]float64{4, 6, 10, 14}, 7, 0.91, 1, 1, 3, 1),
		},
		"a caption over it": {
			HasVector: true, Score: 0.17, PDQ: 90, FlagPoints: 200, UploadPoints: 500, Expected: 190, Inside: 480, Agreeing: 150, Inliers: 140, Bits: 3, Area: 0.7,
			Shown: 1, Covered: 1, Contradicting: 6, New: 260, Guided: guided(120, [4]float64{0, 2, 6, 34}, 8, 0.84, 0.88, 0.8, 4, 0.87),
		},
		"turned a little": {
			HasVector: true, Score: 0.5, PDQ: 100, FlagPoints: 200, UploadPoints: 500, Expected: 185, Inside: 470, Agreeing: 156, Inliers: 150, Bits: 6, Area: 0.7,
			Shown: 0.95, Covered: 0.95, Contradicting: 2, New: 250, Guided: guided(120, [4]float64{4, 6, 10, 14}, 7, 0.9, 1, 1, 3, 1),
		},
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
	base := verdict.Evidence{
		HasVector: true, Score: 0.2, PDQ: 60, FlagPoints: 200, UploadPoints: 500, Expected: 160, Inside: 400, Agreeing: 80, Inliers: 60, Bits: 12, Area: 0.3,
		Shown: 1, Covered: 1, Contradicting: 10, New: 290, Guided: guided(110, [4]float64{6, 12, 22, 32}, 16, 0.55, 0.85, 0.6, 5, 0.8),
	}
	better := map[string]func(*verdict.Evidence){
		"agreeing": func(e *verdict.Evidence) { e.Agreeing = 150 },
		"inliers":  func(e *verdict.Evidence) { e.Inliers = 140 },
		"area":     func(e *verdict.Evidence) { e.Area = 0.7 },
		"pdq":      func(e *verdict.Evidence) { e.PDQ = 10 },
		"score":    func(e *verdict.Evidence) { e.Score = 0.6 },
		"bits":     func(e *verdict.Evidence) { e.Guided.Bits = [4]float64{2, 4, 6, 10} },
		"similar":  func(e *verdict.Evidence) { e.Guided.Same, e.Guided.Similar = 0.95, 1 },
	}
	worse := map[string]func(*verdict.Evidence){
		"contradicting": func(e *verdict.Evidence) { e.Contradicting = 60 },
		"agreeing":      func(e *verdict.Evidence) { e.Agreeing, e.Inliers = 3, 0 },
		"bits":          func(e *verdict.Evidence) { e.Guided.Bits = [4]float64{20, 40, 50, 60} },
		"similar":       func(e *verdict.Evidence) { e.Guided.Same, e.Guided.Similar = 0.1, 0.3 },
	}
	now := LogOdds(base)
	all, none := base, base
	for name, change := range better {
		e := base
		change(&e)
		change(&all)
		require.GreaterOrEqual(t, LogOdds(e), now, name)
	}
	for name, change := range worse {
		e := base
		change(&e)
		change(&none)
		require.LessOrEqual(t, LogOdds(e), now, name)
	}
	require.Greater(t, LogOdds(all), now+1)
	require.Less(t, LogOdds(none), now-1)
}

// The parts come to the log-odds, and tell apart what is for the copy.
func TestPartsSumUp(t *testing.T) {
	e := verdict.Evidence{
		HasVector: true, Score: 0.5, PDQ: 100, FlagPoints: 200, UploadPoints: 500, Expected: 185, Inside: 470, Agreeing: 156, Inliers: 150, Bits: 6, Area: 0.7,
		Shown: 0.95, Covered: 0.95, New: 250, Guided: guided(120, [4]float64{4, 6, 10, 14}, 7, 0.9, 1, 1, 3, 1),
	}
	sum, parts := 0.0, map[string]float64{}
	for _, p := range Parts(e) {
		sum += p.Amount
		parts[p.Name] = p.Amount
	}
	require.InDelta(t, LogOdds(e), sum, 1e-6)
	require.Positive(t, parts[partAgree])
	require.Positive(t, parts[partSame])
	require.Equal(t, []Part{{partHash, hashAlone}}, Parts(verdict.Evidence{PDQ: 3}), "of a hash-only flag nothing else is known")
}
