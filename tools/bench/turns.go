package main

import (
	"math/rand/v2"
	"slices"

	"moderator/internal/imaging"
	"moderator/internal/recognise"
)

// plane is the matrix of a turn of the plane: x becomes xx·x + xy·y, and y becomes yx·x + yy·y.
type plane struct{ xx, xy, yx, yy float32 }

// turns of the picture, by view. Upright views have the identity.
var turns = map[imaging.View]plane{
	imaging.ViewOriginal: {xx: 1, yy: 1}, imaging.ViewCenter90: {xx: 1, yy: 1},
	imaging.ViewFlipHorizontal: {xx: -1, yy: 1}, imaging.ViewFlipVertical: {xx: 1, yy: -1}, imaging.ViewRotate180: {xx: -1, yy: -1},
	imaging.ViewRotate90: {xy: -1, yx: 1}, imaging.ViewRotate270: {xy: 1, yx: -1},
	imaging.ViewTranspose: {xy: 1, yx: 1}, imaging.ViewTransverse: {xy: -1, yx: -1},
}

// flagViews are the views of a drawn flag, the original first: those of a library that keeps its flags' turns, which takes longer to
// search than one of FlagViews. Few pictures have a trimmed view, so it is left out.
var flagViews = slices.DeleteFunc(recognise.TurnedViews(), func(v imaging.View) bool { return v == imaging.ViewTrimmed })

// answers says how each pair of latent numbers responds to a turn of the picture, by one of the five irreducible representations
// of the square's symmetries. A pair does not change (s), or changes its sign with left and right (m), with width and height
// (q) or with exactly one of both (d), or turns as a point of the plane (p). The mix gives turned views the similarity that
// they have by the shipped model (in brackets, medians of real photographs): a mirror's inner product with the original is
// about 0.57 (0.59 sideways, 0.45 upside down), of half a turn 0.35 (0.31), of a quarter turn 0.31 (0.26), and of a mirror along
// a diagonal 0.28 (0.29).
const answers = "spqspspsqspmspsqspspdspq"

// turn returns a view of a picture.
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
	penalty float32 // background and view penalty, rounded
}

// flags draws n views of pictures: the flagViews of each picture, one picture after the other. Penalties are 0.
func (c *cloud) flags(n int, seed uint64) []stored {
	per := len(flagViews)
	flags := make([]stored, (n+per-1)/per*per)
	inChunks(len(flags)/per, seed, func(i int, random *rand.Rand) {
		picture := c.picture(random)
		for k, view := range flagViews {
			seen := turn(picture, turns[view])
			if view == imaging.ViewCenter90 {
				seen = at(seen, scatter(random), 0.82+0.13*random.Float64()) // as in 8 of 10 real photographs
			}
			flags[i*per+k] = stored{view: view, picture: seen, vector: c.vector(seen)}
		}
	})
	return flags[:n]
}

const (
	editKinds   = 37
	editShared  = 0.22    // share of an edit's change that all edits of its kind have: such residuals have an inner product of 0.05
	turnedEdits = 1.0 / 8 // share of the edits that are of any view; the others are of the original
)

// edit applies an edit of a random kind to a picture, such that its inner product with the original is cosine.
func (c *cloud) edit(picture []float32, cosine float64, random *rand.Rand) []float32 {
	return at(picture, at(c.centres[random.IntN(editKinds)], scatter(random), editShared), cosine)
}
