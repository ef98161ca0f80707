package main

import (
	"math"
	"sync"

	"moderator/internal/imaging"
)

// What pictures are to each other is told by their pixels, as no signal that is measured here may say it.

// smallSide is the side of the grey pictures, in pixels, that near copies are told by, and sameCorrelation their correlation.
const (
	smallSide       = 64
	sameCorrelation = 0.95
)

// same tells whether a candidate is pixel for pixel nearly what was uploaded, perhaps turned or mirrored: a frame of one animation,
// one icon in two folders. It is a copy then, though nobody made it one.
func (p *platform) same(u *upload, flag int) bool {
	f, of := &p.library.flags[flag], p.shown(u)
	return f.sum == of.sum || f.file && inSomeTurn(f.small, smallSide, func(turned []byte) bool {
		return correlation(of.small, turned) >= sameCorrelation
	})
}

// shown is the picture that an upload is an edit of, or itself.
func (p *platform) shown(u *upload) *features {
	if u.original >= 0 {
		return &p.library.flags[u.original]
	}
	return u.features
}

// Two pictures are one that was changed in part if, of the blocks of their grey pictures that show anything, half are the same.
const (
	partSide    = 256
	blockSide   = 16
	leastDetail = 6   // standard deviation of a block that shows something, in grey levels
	sameBlock   = 0.9 // correlation
	leastSame   = 0.5 // of the blocks
)

// changed tells whether the upload is the candidate with a part changed: a dialog with other values in it, a bin that is full now. A template
// with another caption is none: it has a row of its own. Each pair is compared once.
func (p *platform) changed(u *upload, flag int) (bool, error) {
	if u.kind == memeTemplate {
		return false, nil
	}
	of := p.shown(u)
	pair := [2]*features{of, &p.library.flags[flag]}
	once, _ := p.parts.LoadOrStore(pair, sync.OnceValues(func() (bool, error) {
		a, err := of.grey(partSide)
		if err != nil {
			return false, err
		}
		b, err := pair[1].grey(partSide)
		if err != nil {
			return false, err
		}
		return inSomeTurn(b, partSide, func(turned []byte) bool { return sameBlocks(a, turned) >= leastSame }), nil
	}))
	return once.(func() (bool, error))()
}

// grey is the picture in grey, squeezed into side x side pixels, row by row.
func (f *features) grey(side int) ([]byte, error) {
	file, err := f.picture()
	if err != nil {
		return nil, err
	}
	result, err := imaging.Decode(file, imaging.Request{Gray: true, Limits: oneFrame()})
	if err != nil {
		return nil, err
	}
	small, err := result.Frames[0].Views[0].Gray.Resized(side, side)
	if err != nil {
		return nil, err
	}
	return small.Pix, nil
}

// sameBlocks is the share of the blocks that show anything in one of two pictures and are the same in both.
func sameBlocks(a, b []byte) float64 {
	shown, same := 0, 0
	x, y := make([]byte, 0, blockSide*blockSide), make([]byte, 0, blockSide*blockSide)
	for top := 0; top < partSide; top += blockSide {
		for left := 0; left < partSide; left += blockSide {
			x, y = x[:0], y[:0]
			for row := top; row < top+blockSide; row++ {
				at := row*partSide + left
				x, y = append(x, a[at:at+blockSide]...), append(y, b[at:at+blockSide]...)
			}
			if max(deviation(x), deviation(y)) < leastDetail {
				continue
			}
			shown++
			if correlation(x, y) >= sameBlock {
				same++
			}
		}
	}
	return float64(same) / float64(max(shown, 1))
}

// turns are the ways in which a square can be laid: bit 0 is mirrored, bit 1 upside down, bit 2 with rows as columns.
const turns = 8

// inSomeTurn tells whether something holds for a square in one of the turns.
func inSomeTurn(pix []byte, side int, holds func(turned []byte) bool) bool {
	for turn := range turns {
		if holds(turned(pix, side, turn)) {
			return true
		}
	}
	return false
}

func turned(pix []byte, side, turn int) []byte {
	out := make([]byte, len(pix))
	for y := range side {
		for x := range side {
			u, v := x, y
			if turn&1 != 0 {
				u = side - 1 - u
			}
			if turn&2 != 0 {
				v = side - 1 - v
			}
			if turn&4 != 0 {
				u, v = v, u
			}
			out[y*side+x] = pix[v*side+u]
		}
	}
	return out
}

// correlation is Pearson's, of two planes of one size; 0 where one of them is flat.
func correlation(a, b []byte) float64 {
	var sa, sb, aa, bb, ab, n float64
	for i := range a {
		x, y := float64(a[i]), float64(b[i])
		sa, sb, aa, bb, ab, n = sa+x, sb+y, aa+x*x, bb+y*y, ab+x*y, n+1
	}
	if va, vb := n*aa-sa*sa, n*bb-sb*sb; va > 0 && vb > 0 {
		return (n*ab - sa*sb) / math.Sqrt(va*vb)
	}
	return 0
}

// deviation is the standard deviation of a plane.
func deviation(a []byte) float64 {
	var s, ss float64
	for _, v := range a {
		s, ss = s+float64(v), ss+float64(v)*float64(v)
	}
	n := float64(len(a))
	return math.Sqrt(max(0, ss/n-s/n*s/n))
}
