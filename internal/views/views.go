// Package views says which views of a picture are compared, and how: what moderator stores of a flag, and what it asks with.
// docs/quality.md says what each of them gains and costs.
package views

import "moderator/internal/imaging"

// Flag is the views that a flagged picture is stored with, so that mirrors, turns, borders and crops of it are no escape.
// Each costs a row, and nothing of the search's time.
func Flag() []imaging.View {
	return []imaging.View{
		imaging.ViewOriginal, imaging.ViewFlipHorizontal, imaging.ViewRotate90, imaging.ViewRotate180, imaging.ViewRotate270,
		imaging.ViewFlipVertical, imaging.ViewTranspose, imaging.ViewTransverse, imaging.ViewTrimmed,
		imaging.ViewCenter90,
	}
}

// Query is the views that an upload is compared with: itself, and where it has a uniform border, what is inside. Each costs
// an embedding.
func Query() []imaging.View {
	return []imaging.View{imaging.ViewOriginal, imaging.ViewTrimmed}
}

// handicap is what a turned, mirrored or cropped view of a flag loses of its score: most of the pictures that a network
// takes for each other by mistake lie on their side, or are parts. It seldom blocks by itself, and leads to a closer look.
const handicap = 0.1

// Handicap is added to the half of a flag's view; see package embed for the score.
func Handicap(view imaging.View) float32 {
	switch view {
	case imaging.ViewOriginal, imaging.ViewTrimmed, imaging.ViewCenter90:
		return 0
	}
	return handicap
}

// CandidateBits is how many bits the PDQ hashes of an upload and a flag may differ in for a closer look at their points of
// interest (package keypoint). By the score, the nearest are looked at, whatever theirs.
const CandidateBits = 80
