package recognise

import (
	"moderator/internal/keypoint"
	"moderator/internal/pdq"
)

// Compare holds an upload against a flag, as matching does: their nearest views, and their keypoints. Each has at
// least one view. Whether they are the same file is for those to say who have the files.
func Compare(flagged, uploaded Extracted) (Comparison, error) {
	best := Comparison{PDQ: -1, Flat: flagged.Flat() || uploaded.Flat()}
	for i, r := range flagged.Vectors {
		for j, q := range uploaded.Vectors {
			similarity := cosine(q.Vector, r.Vector)
			if score := similarity - float64(q.Penalty) - float64(r.Penalty) - float64(ViewPenalty(r.View)); i+j == 0 || score > best.Score {
				best.Score, best.Similarity, best.View = score, similarity, r.Name()
			}
			distance := pdq.Bits
			for _, turned := range q.Turns {
				distance = min(distance, turned.Distance(r.PDQ))
			}
			if min(q.Quality, r.Quality) >= pdq.MinQuality && (best.PDQ < 0 || distance < best.PDQ) {
				best.PDQ, best.hashAlone = distance, q.Frame > 0 || r.Frame > 0
			}
		}
	}
	flag, err := flagged.Points(true)
	if err != nil {
		return best, err
	}
	upload, err := uploaded.Points(false)
	best.Points = keypoint.Verify(flag, keypoint.Prepare(upload))
	best.FlagPoints, best.UploadPoints = len(flag.Points), len(upload.Points)
	if err != nil {
		return best, err
	}
	g := guide{grey: uploaded.Grey, width: uploaded.Width, height: uploaded.Height}
	defer g.close()
	return best, g.look(flag, &best.Points, true)
}

// cosine is the inner product of two normalised vectors.
func cosine(a, b []float32) float64 {
	var sum float64
	for i := range a {
		sum += float64(a[i]) * float64(b[i])
	}
	return sum
}
