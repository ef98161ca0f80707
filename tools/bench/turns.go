package main

import (
	"math/rand/v2"
	"slices"

	"moderator/internal/imaging"
	"moderator/internal/recognise"
)

// plane is how a turn moves the two coordinates of a point: x to xx·x + xy·y, y to yx·x + yy·y.
type plane struct{ xx, xy, yx, yy float32 }

// turns of the picture, by view; those that show it upright are the identity.
var turns = map[imaging.View]plane{
	imaging.ViewOriginal: {xx: 1, yy: 1}, imaging.ViewCenter90: {xx: 1, yy: 1},
	imaging.ViewFlipHorizontal: {xx: -1, yy: 1}, imaging.ViewFlipVertical: {xx: 1, yy: -1}, imaging.ViewRotate180: {xx: -1, yy: -1},
	imaging.ViewRotate90: {xy: -1, yx: 1}, imaging.ViewRotate270: {xy: 1, yx: -1},
	imaging.ViewTranspose: {xy: 1, yx: 1}, imaging.ViewTransverse: {xy: -1, yx: -1},
}

// flagViews are the views that a flag is drawn in, the original first: without the trimmed one, which few pictures have.
var flagViews = slices.DeleteFunc(recognise.FlagViews(), func(v imaging.View) bool { return v == imaging.ViewTrimmed })

// answers are the five ways in which what a model sees can answer to a turn of the picture (the irreducible representations of
// the square's symmetries), for pairs of latent numbers: not at all (s), by its sign where left and right are swapped (m), where
// width and height are (q), or where one of these two (d) is, and as a point of the plane (p). They are mixed such that turned
// views are as alike as the shipped model's are (medians of real photographs): a mirror's inner product with the original is
// about 0.57 (0.59 sideways, 0.45 upside down), that of half a turn 0.35 (0.31), of a quarter 0.31 (0.26), and of a mirror
// along a diagonal 0.28 (0.29).
const answers = "spqspspsqspmspsqspspdspq"

// turn is a picture's view of the kind.
func turn(picture []float32, to plane) []float32 {
	side := float32(1) // -1: width and height are swapped
	if to.xx == 0 {
		side = -1
	}
	mirror := to.xx*to.yy - to.xy*to.yx // -1: left and right are
	out := make([]float32, len(picture))
	for i := 0; i < len(picture); i += 2 {
		x, y := picture[i], picture[i+1]
		sign := float32(1)
		switch answers[i/2%len(answers)] {
		case 'm':
			sign = mirror
		case 'q':
			sign = side
		case 'd':
			sign = mirror * side
		case 'p':
			x, y = to.xx*x+to.xy*y, to.yx*x+to.yy*y
		}
		out[i], out[i+1] = sign*x, sign*y
	}
	return out
}

// stored is a view of a drawn flag.
type stored struct {
	view    imaging.View
	picture []float32
	vector  []float32
	penalty float32 // of the score, with the view penalty, rounded
}

// flags draws n views of pictures, the flagViews of each picture one after the other. They have no penalties yet.
func (c *cloud) flags(n int, seed uint64) []stored {
	per := len(flagViews)
	flags := make([]stored, (n+per-1)/per*per)
	inChunks(len(flags)/per, seed, func(i int, random *rand.Rand) {
		picture := c.picture(random)
		for k, view := range flagViews {
			seen := turn(picture, turns[view])
			if view == imaging.ViewCenter90 {
				seen = at(seen, scatter(random), 0.82+0.13*random.Float64()) // as of 8 in 10 real photographs
			}
			flags[i*per+k] = stored{view: view, picture: seen, vector: c.vector(seen)}
		}
	})
	return flags[:n]
}

const (
	editKinds   = 37
	editShared  = 0.22    // of what an edit changes is common to the edits of its kind: such residuals have an inner product of 0.05
	turnedEdits = 1.0 / 8 // of the edits are of any view, the others of the original
)

// edit changes a picture by an edit of any kind until its inner product with the original is cosine.
func (c *cloud) edit(picture []float32, cosine float64, random *rand.Rand) []float32 {
	return at(picture, at(c.centres[random.IntN(editKinds)], scatter(random), editShared), cosine)
}
