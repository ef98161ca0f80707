package app

import (
	"moderator/internal/pdq"
	"moderator/internal/views"
)

// Comparison is how near two pictures are by their nearest views.
type Comparison struct {
	Score, Similarity float64
	View              string // of the flagged one, by the score
	PDQ               int    // bits of 256 that differ; -1 where there is too little detail for PDQ
}

// Compare holds the views of an upload against those of a flag, as matching does; each has at least one.
func Compare(flagged, uploaded []ViewVector) Comparison {
	best := Comparison{PDQ: -1}
	for i, r := range flagged {
		for j, q := range uploaded {
			similarity := cosine(q.Vector, r.Vector)
			if score := similarity - float64(q.Half) - float64(r.Half) - float64(views.Handicap(r.View)); i+j == 0 || score > best.Score {
				best.Score, best.Similarity, best.View = score, similarity, r.Name()
			}
			distance := q.PDQ.Distance(r.PDQ)
			if min(q.Quality, r.Quality) >= pdq.MinQuality && (best.PDQ < 0 || distance < best.PDQ) {
				best.PDQ = distance
			}
		}
	}
	return best
}

// cosine is the inner product of two normalised vectors.
func cosine(a, b []float32) float64 {
	var sum float64
	for i := range a {
		sum += float64(a[i]) * float64(b[i])
	}
	return sum
}
