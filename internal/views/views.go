// Package views says which views of a picture are compared: what moderator stores of a flag, and what it asks with.
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
