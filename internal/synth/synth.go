// Package synth draws pictures from a seed: scenes, textures, portraits,
// pages, screens and captioned templates. The demo and the quality measure
// use them in place of photographs.
//
// The same seed, number and size give the same picture. Other numbers give
// pictures of another composition, subject and palette, which do not count as
// copies of each other:
//
//	number ──► kind (numbers cycle) ───┐
//	seed, number ──► random stream ────┴─► canvas (float colours) ─► light, grain ─► 8 bit
package synth

import (
	"fmt"
	"image"
	"math/rand/v2"
)

// Kind is the subject of a picture.
type Kind string

// The kinds, in the order of the numbers.
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

// minSide is the smallest side, in pixels, at which pictures can be
// distinguished.
const minSide = 64

// KindOf returns the kind of picture i, which does not depend on the seed.
func KindOf(i int) Kind {
	all := artists()
	return all[i%len(all)].kind
}

// Name returns a file name without extension for picture i: its number, so
// that names sort, and its kind.
func Name(i int) string { return fmt.Sprintf("%04d-%s", i, KindOf(i)) }

// Draw returns picture i of a seed, width x height pixels, opaque. It panics
// for a negative i and for sides below 64 pixels.
func Draw(seed uint64, i, width, height int) *image.RGBA {
	if i < 0 || width < minSide || height < minSide {
		panic(fmt.Sprintf("synth: picture %d of %dx%d pixels, want a number from 0 and sides of at least %d", i, width, height, minSide))
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
