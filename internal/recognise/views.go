package recognise

import "moderator/internal/imaging"

// FlagViews is the views that a flagged picture is stored with: itself, and where it has a uniform border, its trimmed picture. Each
// costs a row and its sketch. Mirrors, turns and crops of it are found by keypoints, and by the hashes of the upload's turns:
// seven more views found .001 more of the copies of docs/quality.md.
func FlagViews() []imaging.View {
	return []imaging.View{imaging.ViewOriginal, imaging.ViewTrimmed}
}

// TurnedViews is a picture's views in all turns, for comparing pictures without keypoints.
func TurnedViews() []imaging.View {
	return []imaging.View{
		imaging.ViewOriginal, imaging.ViewFlipHorizontal, imaging.ViewRotate90, imaging.ViewRotate180, imaging.ViewRotate270,
		imaging.ViewFlipVertical, imaging.ViewTranspose, imaging.ViewTransverse, imaging.ViewTrimmed, imaging.ViewCenter90,
	}
}

// QueryViews is the views that an upload is compared with: itself, and where it has a uniform border, its trimmed picture.
// Each costs an embedding.
func QueryViews() []imaging.View {
	return []imaging.View{imaging.ViewOriginal, imaging.ViewTrimmed}
}

// viewPenalty lowers the score of a turned, mirrored or cropped view of a flag: most pictures that a network mistakes for
// each other lie on their side, or are parts. Such a view seldom blocks by itself; it brings a candidate.
const viewPenalty = 0.1

// ViewPenalty is added to the background penalty of a flag's view; see package embed for the score.
func ViewPenalty(view imaging.View) float32 {
	switch view {
	case imaging.ViewOriginal, imaging.ViewTrimmed, imaging.ViewCenter90:
		return 0
	}
	return viewPenalty
}
