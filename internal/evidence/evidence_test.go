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
func guided(points int, bits [4]float64, mean, same, similar, apart, uneven, cellShare float64) surroundings {
	return surroundings{
		Looked: points, Bits: bits, Mean: mean, First: bits[1], Before: mean + 1, Same: same, Similar: similar, Apart: apart, Uneven: uneven,
		Cells: int(14 * cellShare), CellShare: cellShare,
	}
}

// surroundings are those of a flag's keypoints.
type surroundings keypoint.Guided

// with adds what the frames come to.
func (g surroundings) with(pairs int, same, appeared, vanished, alike, worst float64, pdq int) keypoint.Guided {
	g.Compared = keypoint.Compared{Pairs: pairs, Same: same, Appeared: appeared, Vanished: vanished, Alike: alike, Worst: worst, PDQ: pdq}
	return keypoint.Guided(g)
}

// Evidence as it was measured; the score of each pair of templates blocked it by itself.
func TestWhatIsMistakenForACopy(t *testing.T) {
	for name, e := range map[string]verdict.Evidence{
		"another page of one layout": {
			HasVector: true, Score: 0.481, PDQ: 98, FlagPoints: 200, UploadPoints: 600, Expected: 200, Inside: 600,
			Agreeing: 38, Inliers: 0, Bits: 31, Area: 0, Shown: 0, Covered: 0, Contradicting: 23, New: 535,
			Guided: guided(102, [4]float64{18, 23, 37.5, 42}, 26.4, 0.098, 0.618, 0.635, 7.87, 0.6).with(1984, 0.679, 0.105, 0.344, 0.312, 0.533, -1),
		},
		"other code": {
			HasVector: true, Score: 0.401, PDQ: 106, FlagPoints: 200, UploadPoints: 200, Expected: 56, Inside: 130,
			Agreeing: 22, Inliers: 6, Bits: 27, Area: 0.00749, Shown: 0.281, Covered: 0.156, Contradicting: 8, New: 90,
			Guided: guided(19, [4]float64{47, 52, 61, 65.6}, 54, 0, 0, 1, 9.26, 0).with(524, 0.358, 0.373, 0.53, 0.15, 0.753, -1),
		},
		"another form": {
			HasVector: true, Score: 0.53, PDQ: 40, FlagPoints: 200, UploadPoints: 600, Expected: 200, Inside: 600,
			Agreeing: 140, Inliers: 99, Bits: 9, Area: 0.726, Shown: 1, Covered: 1, Contradicting: 21, New: 365,
			Guided: guided(120, [4]float64{6, 14, 18, 22}, 13, 0.583, 0.967, 0, 4.39, 1).with(1984, 0.933, 0.0646, 0.0643, 0.703, 0.189, 48),
		},
		"another chart": {
			HasVector: true, Score: 0.535, PDQ: 104, FlagPoints: 179, UploadPoints: 181, Expected: 179, Inside: 181,
			Agreeing: 104, Inliers: 90, Bits: 0, Area: 0.588, Shown: 1, Covered: 1, Contradicting: 0, New: 76,
			Guided: guided(112, [4]float64{4, 10, 18, 22}, 11, 0.652, 0.955, 0.4, 3.82, 1).with(1984, 0.902, 0.0956, 0.125, 0.703, 0.309, 102),
		},
		"another chat": {
			HasVector: true, Score: 0.372, PDQ: 74, FlagPoints: 200, UploadPoints: 549, Expected: 200, Inside: 549,
			Agreeing: 57, Inliers: 15, Bits: 27, Area: 0.385, Shown: 0.98, Covered: 0.948, Contradicting: 16, New: 440,
			Guided: guided(108, [4]float64{20, 28, 46, 56.9}, 32.7, 0.102, 0.435, 0.762, 8.5, 0.214).with(1942, 0.387, 0.237, 0.4, 0.172, 0.5, 78),
		},
		"another screenshot of one program": {
			HasVector: true, Score: 0.56, PDQ: 58, FlagPoints: 200, UploadPoints: 600, Expected: 200, Inside: 600,
			Agreeing: 114, Inliers: 76, Bits: 11, Area: 0.514, Shown: 1, Covered: 1, Contradicting: 10, New: 463,
			Guided: guided(120, [4]float64{6, 12, 20, 28.2}, 14.1, 0.558, 0.858, 0.279, 4.62, 0.8).with(1984, 0.866, 0.101, 0.157, 0.578, 0.479, 56),
		},
		"another barcode": {
			HasVector: true, Score: 0.453, PDQ: 64, FlagPoints: 145, UploadPoints: 168, Expected: 145, Inside: 168,
			Agreeing: 52, Inliers: 9, Bits: 15, Area: 0.182, Shown: 1, Covered: 0.978, Contradicting: 38, New: 79,
			Guided: guided(67, [4]float64{8, 16, 18, 22}, 14.7, 0.493, 0.94, 0.375, 4.51, 1).with(1970, 0.506, 0.0764, 0.3, 0.328, 0.393, 70),
		},
		"another word": {
			HasVector: true, Score: 0.337, PDQ: 114, FlagPoints: 65, UploadPoints: 25, Expected: 65, Inside: 25,
			Agreeing: 2, Inliers: 0, Bits: 44, Area: 0, Shown: 0, Covered: 0, Contradicting: 7, New: 17,
			Guided: guided(41, [4]float64{42, 50, 58, 67}, 48.7, 0.0488, 0.0732, 0.882, 14.1, 0).with(1984, 0.252, 0.00165, 0.424, 0.906, 0.0341, -1),
		},
		"another logo": {
			HasVector: true, Score: 0.419, PDQ: 96, FlagPoints: 118, UploadPoints: 102, Expected: 118, Inside: 102,
			Agreeing: 29, Inliers: 15, Bits: 20, Area: 0.00687, Shown: 0.797, Covered: 0.976, Contradicting: 9, New: 66,
			Guided: guided(113, [4]float64{22, 30, 53, 63.8}, 37.3, 0, 0.407, 0.731, 8.46, 0.25).with(1565, 0.677, 0.0913, 0.619, 0.564, 0.614, -1),
		},
		"other noise": {
			HasVector: true, Score: 0.364, PDQ: 120, FlagPoints: 200, UploadPoints: 587, Expected: 0, Inside: 587,
			Agreeing: 0, Inliers: 0, Bits: 0, Area: 0, Shown: 0, Covered: 0, Contradicting: 0, New: 548,
			Guided: guided(24, [4]float64{60, 62, 66.5, 71.4}, 62.7, 0, 0, 1, 6.21, 0).with(1984, 0.0111, 0.783, 0.519, 0, 0.677, -1),
		},
		"an unrelated picture": {
			HasVector: true, Score: 0.0187, PDQ: 118, FlagPoints: 200, UploadPoints: 594, Expected: 200, Inside: 594,
			Agreeing: 7, Inliers: 0, Bits: 34, Area: 0, Shown: 0, Covered: 0, Contradicting: 49, New: 532,
			Guided: guided(24, [4]float64{50, 52.5, 58, 67.4}, 54.6, 0, 0, 1, 6.38, 0).with(1984, 0.0799, 0.638, 0.542, 0, 0.737, -1),
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
			HasVector: true, Score: 0.604, PDQ: 6, FlagPoints: 200, UploadPoints: 571, Expected: 199, Inside: 571,
			Agreeing: 161, Inliers: 129, Bits: 16, Area: 0.672, Shown: 1, Covered: 1, Contradicting: 9, New: 367,
			Guided: guided(120, [4]float64{6, 10, 14, 18}, 10.5, 0.817, 1, 1, 3.76, 1).with(1984, 1, 0, 0, 1, 0, 8),
		},
		"half of it": {
			HasVector: true, Score: -0.0861, PDQ: 122, FlagPoints: 200, UploadPoints: 237, Expected: 56, Inside: 237,
			Agreeing: 44, Inliers: 41, Bits: 12, Area: 0.143, Shown: 0.25, Covered: 0.996, Contradicting: 2, New: 176,
			Guided: guided(56, [4]float64{6, 8, 14.5, 26}, 11.2, 0.75, 0.893, 0.167, 6.84, 0.857).with(480, 0.997, 0, 0.00565, 0.938, 0, -1),
		},
		"a caption over it": {
			HasVector: true, Score: 0.294, PDQ: 22, FlagPoints: 200, UploadPoints: 593, Expected: 199, Inside: 593,
			Agreeing: 153, Inliers: 147, Bits: 5, Area: 0.671, Shown: 1, Covered: 1, Contradicting: 17, New: 402,
			Guided: guided(120, [4]float64{6, 10, 20, 30}, 14.1, 0.642, 0.867, 0.469, 6.5, 0.938).with(1984, 0.884, 0.181, 0.0531, 0.734, 0.33, 24),
		},
		"turned a little": {
			HasVector: true, Score: 0.526, PDQ: 70, FlagPoints: 200, UploadPoints: 564, Expected: 192, Inside: 564,
			Agreeing: 161, Inliers: 152, Bits: 10, Area: 0.757, Shown: 0.969, Covered: 0.969, Contradicting: 11, New: 376,
			Guided: guided(120, [4]float64{6, 8, 12, 16}, 9.3, 0.883, 0.992, 0, 4.36, 1).with(1888, 0.992, 0.0157, 0.00714, 0.938, 0, 2),
		},
		"pixelated": {
			HasVector: true, Score: 0.486, PDQ: 8, FlagPoints: 200, UploadPoints: 598, Expected: 199, Inside: 598,
			Agreeing: 61, Inliers: 33, Bits: 24, Area: 0.603, Shown: 1, Covered: 1, Contradicting: 45, New: 488,
			Guided: guided(120, [4]float64{13.5, 22, 30, 36}, 21.4, 0.292, 0.692, 0.439, 8.31, 0.688).with(1984, 0.997, 0.059, 0.013, 0.953, 0.0659, 6),
		},
		"under a pattern": {
			HasVector: true, Score: 0.231, PDQ: 72, FlagPoints: 200, UploadPoints: 353, Expected: 198, Inside: 353,
			Agreeing: 68, Inliers: 57, Bits: 16, Area: 0.437, Shown: 1, Covered: 1, Contradicting: 35, New: 234,
			Guided: guided(108, [4]float64{22, 32, 41.2, 52.3}, 33.8, 0.037, 0.38, 0.843, 8.24, 0.273).with(1984, 0.693, 0.508, 0.239, 0.186, 0.673, 70),
		},
		"in another picture": {
			HasVector: true, Score: -0.107, PDQ: 116, FlagPoints: 200, UploadPoints: 200, Expected: 73, Inside: 82,
			Agreeing: 62, Inliers: 52, Bits: 12, Area: 0.358, Shown: 1, Covered: 0.159, Contradicting: 6, New: 23,
			Guided: guided(41, [4]float64{6, 10, 16, 36}, 14, 0.707, 0.878, 0.2, 7.59, 0.889).with(1984, 0.957, 0.0927, 0.028, 0.766, 0.151, 28),
		},
		"in perspective": {
			HasVector: true, Score: 0.551, PDQ: 72, FlagPoints: 200, UploadPoints: 453, Expected: 176, Inside: 453,
			Agreeing: 127, Inliers: 112, Bits: 12, Area: 0.517, Shown: 1, Covered: 0.557, Contradicting: 24, New: 274,
			Guided: guided(120, [4]float64{8, 12, 16, 22.2}, 13.4, 0.675, 0.958, 0.1, 4.47, 0.923).with(1984, 0.991, 0.048, 0.0167, 0.875, 0.108, 6),
		},
	} {
		for _, flags := range []int{100, 20_000, 1_000_000} {
			if name == "under a pattern" && flags > 100 {
				require.NotEqual(t, "allow", outcome(e, flags), "%s among %d", name, flags)
				continue
			}
			require.Equal(t, "block", outcome(e, flags), "%s among %d", name, flags)
		}
	}
}

func TestAHashIsNeverAllowed(t *testing.T) {
	against := verdict.Evidence{
		PDQ: 28, FlagPoints: 200, UploadPoints: 200, Expected: 190, Inside: 190, Agreeing: 20, Inliers: 12, Bits: 2, Area: 0.05, Contradicting: 60, New: 130,
		Guided: guided(120, [4]float64{34, 44, 54, 62}, 44, 0.02, 0.1, 0.6, 11, 0).with(1984, 0.3, 0.4, 0.4, 0.1, 0.7, 100),
	}
	require.Equal(t, "review", outcome(against, 1000), "keypoints that contradict it keep it from blocking")
}

func TestAFlagWithoutKeypointsIsJudgedByItsScore(t *testing.T) {
	for score, want := range map[float64]string{0.6: "block", 0.45: "review", 0.2: "allow"} {
		require.Equal(t, want, outcome(verdict.Evidence{HasVector: true, Score: score, PDQ: -1, UploadPoints: 300}, 10), "%v", score)
	}
	require.Equal(t, "allow", outcome(verdict.Evidence{HasVector: true, Score: 0.45, PDQ: -1, UploadPoints: 300}, 1_000_000))
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
		Shown: 1, Covered: 1, Contradicting: 10, New: 290, Guided: guided(110, [4]float64{6, 12, 22, 32}, 16, 0.55, 0.85, 0.6, 5, 0.8).with(1984, 0.85, 0.2, 0.15, 0.5, 0.4, 60),
	}
	better := map[string]func(*verdict.Evidence){
		"agreeing": func(e *verdict.Evidence) { e.Agreeing = 150 },
		"inliers":  func(e *verdict.Evidence) { e.Inliers = 140 },
		"area":     func(e *verdict.Evidence) { e.Area = 0.7 },
		"pdq":      func(e *verdict.Evidence) { e.PDQ = 10 },
		"score":    func(e *verdict.Evidence) { e.Score = 0.6 },
		"bits":     func(e *verdict.Evidence) { e.Guided.Bits = [4]float64{2, 4, 6, 10} },
		"similar":  func(e *verdict.Evidence) { e.Guided.Same, e.Guided.Similar = 0.95, 1 },
		"frame": func(e *verdict.Evidence) {
			e.Guided.Compared = keypoint.Compared{Pairs: 1984, Same: 0.99, Alike: 1, PDQ: 6}
		},
	}
	worse := map[string]func(*verdict.Evidence){
		"contradicting": func(e *verdict.Evidence) { e.Contradicting = 60 },
		"agreeing":      func(e *verdict.Evidence) { e.Agreeing, e.Inliers = 3, 0 },
		"bits":          func(e *verdict.Evidence) { e.Guided.Bits = [4]float64{14, 40, 58, 64} }, // as unevenly
		"similar":       func(e *verdict.Evidence) { e.Guided.Same, e.Guided.Similar = 0.1, 0.3 },
		"frame": func(e *verdict.Evidence) {
			e.Guided.Compared = keypoint.Compared{Pairs: 1984, Same: 0.3, Appeared: 0.5, Vanished: 0.5, Worst: 0.9, PDQ: 110}
		},
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
		Shown: 0.95, Covered: 0.95, New: 250, Guided: guided(120, [4]float64{4, 6, 10, 14}, 7, 0.9, 1, 1, 3, 1).with(1900, 0.98, 0.02, 0.02, 0.95, 0.1, 10),
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
