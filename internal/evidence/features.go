package evidence

import (
	"moderator/internal/keypoint"
	"moderator/internal/pdq"
	"moderator/internal/verdict"
)

// Feature is a number that the evidence of a candidate is weighed by. Those of one Part are told as one.
type Feature struct {
	Name, Part string
	of         func(e *verdict.Evidence) float64
}

// The parts of the log-odds.
const (
	partScore   = "score"
	partHash    = "pdq"
	partAgree   = "keypoints that agree"
	partMissing = "keypoints that are missing"
	partNew     = "keypoints that are new"
	partShared  = "keypoints that other flags have"
	partSame    = "surroundings of keypoints"
	partWhere   = "where they differ"
	partFrame   = "coarse differences"
	partDetail  = "detail of the pictures"
)

const (
	noKeypoints  = -1           // of a flag whose surroundings were not looked at
	leastPlaced  = 6            // keypoints that places say anything of
	noHash       = pdq.Bits / 2 // the bits of two that are not alike at all
	enoughInside = 6
)

// Features are in the order of the fitted trees. tools/train/evidence.py fits them by their names.
var Features = []Feature{
	{"score", partScore, func(e *verdict.Evidence) float64 { return e.Score }},
	{"pdq", partHash, func(e *verdict.Evidence) float64 {
		if e.PDQ < 0 {
			return noHash
		}
		return float64(min(e.PDQ, noHash))
	}},
	{"least", partDetail, func(e *verdict.Evidence) float64 { return float64(min(e.FlagPoints, e.UploadPoints)) }},
	{"inliers", partAgree, func(e *verdict.Evidence) float64 { return float64(e.Inliers) }},
	{"area", partAgree, func(e *verdict.Evidence) float64 { return e.Area }},
	{"shown", partAgree, func(e *verdict.Evidence) float64 { return e.Shown }},
	{"covered", partAgree, func(e *verdict.Evidence) float64 { return e.Covered }},
	{"agreeing", partAgree, func(e *verdict.Evidence) float64 { return float64(e.Agreeing) }},
	{"share", partAgree, func(e *verdict.Evidence) float64 { return share(e.Agreeing, e.Expected) }},
	{"missing", partMissing, func(e *verdict.Evidence) float64 {
		possible := min(e.Expected, e.Inside) // a blurred upload has few keypoints to agree
		return float64(max(possible-e.Agreeing, 0)) / float64(possible+enoughInside)
	}},
	{"contradicting", partMissing, func(e *verdict.Evidence) float64 { return share(e.Contradicting, e.Expected) }},
	{"bits", partAgree, func(e *verdict.Evidence) float64 { return float64(e.Bits) }},
	{"new", partNew, func(e *verdict.Evidence) float64 { return float64(e.New) }},
	{"new share", partNew, func(e *verdict.Evidence) float64 { return share(e.New, e.Inside) }},
	{"looked", partDetail, func(e *verdict.Evidence) float64 {
		if e.Guided.Looked == 0 {
			return noKeypoints
		}
		return float64(e.Guided.Looked)
	}},
	{"first quartile", partSame, looked(func(e *verdict.Evidence) float64 { return e.Guided.Bits[0] })},
	{"median", partSame, looked(func(e *verdict.Evidence) float64 { return e.Guided.Bits[1] })},
	{"third quartile", partSame, looked(func(e *verdict.Evidence) float64 { return e.Guided.Bits[2] })},
	{"ninth decile", partSame, looked(func(e *verdict.Evidence) float64 { return e.Guided.Bits[3] })},
	{"mean", partSame, looked(func(e *verdict.Evidence) float64 { return e.Guided.Mean })},
	{"first", partSame, looked(func(e *verdict.Evidence) float64 { return e.Guided.First })},
	{"before", partSame, looked(func(e *verdict.Evidence) float64 { return e.Guided.Before })},
	{"same", partSame, looked(func(e *verdict.Evidence) float64 { return e.Guided.Same })},
	{"similar", partSame, looked(func(e *verdict.Evidence) float64 { return e.Guided.Similar })},
	{"apart", partWhere, placed(func(e *verdict.Evidence) float64 { return e.Guided.Apart })},
	{"uneven", partWhere, placed(func(e *verdict.Evidence) float64 { return e.Guided.Uneven })},
	{"cells", partWhere, placed(func(e *verdict.Evidence) float64 { return float64(e.Guided.Cells) })},
	{"cell share", partWhere, placed(func(e *verdict.Evidence) float64 { return e.Guided.CellShare })},
	{"compared", partDetail, func(e *verdict.Evidence) float64 { return float64(e.Guided.Compared.Pairs) }},
	{"difference", partFrame, compared(func(c keypoint.Compared) float64 { return c.Same })},
	{"appeared", partFrame, compared(func(c keypoint.Compared) float64 { return c.Appeared })},
	{"vanished", partFrame, compared(func(c keypoint.Compared) float64 { return c.Vanished })},
	{"alike", partFrame, compared(func(c keypoint.Compared) float64 { return c.Alike })},
	{"worst", partFrame, compared(func(c keypoint.Compared) float64 { return c.Worst })},
	{"frame pdq", partFrame, func(e *verdict.Evidence) float64 {
		if e.Guided.Compared.Pairs == 0 || e.Guided.Compared.PDQ < 0 {
			return noHash
		}
		return float64(min(e.Guided.Compared.PDQ, noHash))
	}},
	// Small under a pattern that covers all of a copy, large where a template is filled in. Alone of all it may speak for either.
	{"spread", partWhere, looked(func(e *verdict.Evidence) float64 {
		return (e.Guided.Bits[2] - e.Guided.Bits[0]) / (e.Guided.Bits[1] + 4)
	})},
	{"shared", partShared, func(e *verdict.Evidence) float64 { return e.Shared }},
	{"own", partShared, func(e *verdict.Evidence) float64 { return own(e) }},
	{"own missing", partShared, func(e *verdict.Evidence) float64 {
		lacking := float64(max(min(e.Expected, e.Inside)-e.Agreeing, 0))
		return lacking / (lacking + own(e) + enoughInside)
	}},
}

// own is how many keypoints agree that no other flag has.
func own(e *verdict.Evidence) float64 { return float64(e.Agreeing) * (1 - e.Shared) }

func share(n, of int) float64 { return float64(n) / float64(max(of, 1)) }

func looked(of func(e *verdict.Evidence) float64) func(e *verdict.Evidence) float64 {
	return atLeast(1, of)
}

func placed(of func(e *verdict.Evidence) float64) func(e *verdict.Evidence) float64 {
	return atLeast(leastPlaced, of)
}

func atLeast(points int, of func(e *verdict.Evidence) float64) func(e *verdict.Evidence) float64 {
	return func(e *verdict.Evidence) float64 {
		if e.Guided.Looked < points {
			return noKeypoints
		}
		return of(e)
	}
}

// compared is noKeypoints where the flag's frame was not compared.
func compared(of func(c keypoint.Compared) float64) func(e *verdict.Evidence) float64 {
	return func(e *verdict.Evidence) float64 {
		if e.Guided.Compared.Pairs == 0 {
			return noKeypoints
		}
		return of(e.Guided.Compared)
	}
}

// Values are those of all Features.
func Values(e verdict.Evidence) []float64 {
	values := make([]float64, len(Features))
	for i, f := range Features {
		values[i] = f.of(&e)
	}
	return values
}
