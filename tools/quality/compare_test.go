package main

import (
	"crypto/sha256"
	"testing"

	"github.com/stretchr/testify/require"

	"moderator/internal/imaging"
	"moderator/internal/pdq"
)

const (
	upright = imaging.ViewOriginal
	trimmed = imaging.ViewTrimmed
)

func TestVectorGrid(t *testing.T) {
	flags := []features{
		{looks: map[imaging.View]look{upright: {vector: []float32{1, 0, 0, 0, 0}, penalty: 0.1}}},
		{looks: map[imaging.View]look{
			upright: {vector: []float32{0, 1, 0, 0, 0}, penalty: 0.2}, trimmed: {vector: []float32{0, 0, 0, 0, 1}, penalty: 0},
		}},
	}
	queries := []answered{{features: features{looks: map[imaging.View]look{upright: {vector: []float32{0.6, 0, 0, 0, 0.8}, penalty: 0.05}}}}}

	require.InDeltaSlice(t, []float32{0.6, 0}, vectorGrid(flags, queries, upright, upright, false).at, 1e-6)
	require.InDeltaSlice(t, []float32{0.45, -0.25}, vectorGrid(flags, queries, upright, upright, true).at, 1e-6)
	require.Equal(t, []float32{never, never}, vectorGrid(flags, queries, trimmed, upright, true).at, "the upload has no borders")

	both := []imaging.View{upright, trimmed}
	best := overViews(both, both, func(q, f imaging.View) *grid { return vectorGrid(flags, queries, q, f, true) })
	require.InDeltaSlice(t, []float32{0.45, 0.75}, best.at, 1e-6)
}

func TestPDQGrids(t *testing.T) {
	at := func(bits, quality int) look {
		var h pdq.Hash
		for i := range bits {
			h[i/8] |= 1 << (i % 8)
		}
		return look{hash: h, quality: quality}
	}
	flags := []features{
		{looks: map[imaging.View]look{upright: at(40, 90)}, turns: []pdq.Hash{at(40, 90).hash, at(3, 90).hash}},
		{looks: map[imaging.View]look{upright: at(0, 49)}, turns: []pdq.Hash{{}, {}}},
	}
	queries := []answered{
		{features: features{looks: map[imaging.View]look{upright: at(0, 50)}}},
		{features: features{looks: map[imaging.View]look{upright: at(0, 20)}}},
	}
	require.Equal(t, []float32{-40, never, never, never}, pdqGrid(flags, queries, upright, upright).at)
	require.Equal(t, []float32{-3, never, never, never}, turnsGrid(flags, queries).at)
}

func TestUnion(t *testing.T) {
	vectors := &grid{1, 5, []float32{0.9, 0.1, -0.5, 0.2, 0.1}}
	points := &grid{1, 5, []float32{0.06, never, never, never, 0.9}}
	hashes := &grid{1, 5, []float32{-32, -31, never, -4, never}}
	exact := &grid{1, 5, []float32{never, never, 1, never, never}}
	u := union(exact, hashes, points, vectors).at
	require.Equal(t, float32(0.9), u[0], "32 bits are too many: the vectors decide")
	require.Greater(t, u[4], u[0], "points that agree come before any score")
	require.Greater(t, u[1], u[4], "and after hashes")
	require.Greater(t, u[3], u[1], "fewer bits come first")
	require.Greater(t, u[2], u[3], "the same file comes before all")
}

func TestExactGrid(t *testing.T) {
	flags := []features{{sum: sha256.Sum256([]byte("a"))}, {sum: sha256.Sum256([]byte("b"))}}
	queries := []answered{{features: features{sum: sha256.Sum256([]byte("b"))}}}
	require.Equal(t, []float32{never, 1}, exactGrid(flags, queries).at)
}
