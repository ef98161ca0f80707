// Package feature holds what a picture is compared by, without the libraries that compute it. The consumer carries features
// through its stages; package recognise fills them in and searches by them.
package feature

import (
	"slices"

	"moderator/internal/pdq"
)

// Picture is a decoded upload.
type Picture struct {
	Format        string
	Width, Height int
	Views         []View // at least one
	Grey          Plane
}

// Plane is a picture's first frame in grey, of at most 512 x 512 pixels and perhaps not of the picture's shape.
type Plane struct {
	Width, Height int
	Luma          []byte // row by row
}

// View is one view of one frame.
type View struct {
	Crops   [][]byte    // RGB pixels as each model takes them
	Vectors [][]float32 // one for each model, L2-normalised
	PDQ     pdq.Hash
	Turns   []pdq.Hash // of the view turned and mirrored, by pdq.Turn; the first is PDQ
	Quality int        // of the PDQ hash, 0 to 100
	Frame   int        // 0: of the first frame as it is rendered first, which Picture.Grey is of too
}

// Query is an upload as the library is searched for it.
type Query struct {
	SHA256 string // of the file, hex
	File   []byte
	Views  []View // empty for an upload that cannot be decoded

	Width, Height int   // of the picture
	Grey          Plane // for geometric verification
}

// Flat reports whether no frame or view has detail. The trimmed view shows the detail that a border hides.
func Flat(views []View) bool {
	return !slices.ContainsFunc(views, func(v View) bool { return v.Quality >= pdq.FlatQuality })
}
