package main

import (
	"math"
	"slices"

	"moderator/internal/keypoint"
	"moderator/internal/pdq"
	"moderator/internal/recognise"
)

// features are the features of one picture, as a flag and as an upload.
type features struct {
	views  []recognise.ViewVector
	flag   keypoint.Features
	upload keypoint.Upload
}

func featuresOf(picture recognise.Extracted) (features, error) {
	flag, err := picture.Points(true)
	if err != nil {
		return features{}, err
	}
	upload, err := picture.Points(false)
	return features{picture.Vectors, flag, keypoint.Prepare(upload)}, err
}

// nearest returns the score of the nearest two views: of all views of a flag, and the query views of an upload.
func nearest(flag, upload []recognise.ViewVector) float32 {
	best := float32(math.Inf(-1))
	for _, q := range upload {
		if !slices.Contains(recognise.QueryViews(), q.View) {
			continue
		}
		for _, r := range flag {
			var product float32
			for i := range r.Vector {
				product += q.Vector[i] * r.Vector[i]
			}
			best = max(best, product-q.Penalty-r.Penalty-recognise.ViewPenalty(r.View))
		}
	}
	return best
}

func sameHash(a, b []recognise.ViewVector) bool {
	for _, x := range a {
		for _, y := range b {
			if x.PDQ.Distance(y.PDQ) <= relatedBits {
				return true
			}
		}
	}
	return false
}

// sharePoints reports whether the upload shows a part of the flag.
func sharePoints(flag, upload features) bool {
	return keypoint.Verify(flag.flag, upload.upload).Score() >= keypoint.ReviewAt*relatedShare
}

// plain reports whether a view of the first frame has too little detail for PDQ.
func plain(views []recognise.ViewVector) bool {
	return slices.ContainsFunc(views, func(v recognise.ViewVector) bool { return v.Frame == 0 && v.Quality < pdq.MinQuality })
}
