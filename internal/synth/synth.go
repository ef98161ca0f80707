// Package synth makes pictures out of nothing but a seed: scenes, textures,
// portraits, pages, screens and captioned templates. The demonstration and
// the quality measure use them where no photographs are at hand.
//
// Pictures are the same for the same seed, number and size, and different
// numbers give pictures that differ in composition, subject and palette, so
// that no two of them count as copies of each other:
//
//	number ──► kind (they take turns) ─┐
//	seed, number ──► random stream ────┴─► canvas (float colours) ─► light, grain ─► 8 bit
package synth

import (
	"fmt"
	"image"
	"math/rand/v2"
)

// Kind names what a picture shows.
type Kind string

// The kinds, in the order in which numbers take turns.
const (
	Landscape Kind = "landscape"
	Portrait  Kind = "portrait"
	Leaves    Kind = "leaves"
	Poster    Kind = "poster"
	StillLife Kind = "still-life"
	Screen    Kind = "screen"
	Street    Kind = "street"
	Texture   Kind = "texture"
	Page      Kind = "page"
	Room      Kind = "room"
	Chart     Kind = "chart"
	Meme      Kind = "meme"
)

type artist struct {
	kind Kind
	draw func(*canvas, *rand.Rand)
}

func artists() []artist {
	return []artist{
		{Landscape, landscape},
		{Portrait, portrait},
		{Leaves, leaves},
		{Poster, poster},
		{StillLife, stillLife},
		{Screen, screen},
		{Street, street},
		{Texture, texture},
		{Page, page},
		{Room, room},
		{Chart, chart},
		{Meme, meme},
	}
}

// minSide is the smallest side, in pixels, in which the pictures can be told
// apart.
const minSide = 64

// KindOf returns what picture i shows, whatever the seed.
func KindOf(i int) Kind {
	all := artists()
	return all[i%len(all)].kind
}

// Name returns a file name without extension for picture i: its number, so
// that names sort, and its kind.
func Name(i int) string { return fmt.Sprintf("%04d-%s", i, KindOf(i)) }

// Draw returns picture i of a seed, width x height pixels, opaque. It panics
// for a negative i and for sides of fewer than 64 pixels.
func Draw(seed uint64, i, width, height int) *image.RGBA {
	if i < 0 || width < minSide || height < minSide {
		panic(fmt.Sprintf("drawn: picture %d of %dx%d pixels, want a number from 0 and sides of at least %d", i, width, height, minSide))
	}
	all := artists()
	c := newCanvas(width, height)
	all[i%len(all)].draw(c, stream(seed, i))
	return c.image()
}

// stream returns the random numbers of one picture.
func stream(seed uint64, i int) *rand.Rand {
	return rand.New(rand.NewPCG(seed, uint64(i)*0x9e3779b97f4a7c15+1))
}
