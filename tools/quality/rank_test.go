package main

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"moderator/internal/transforms"
)

func TestThreshold(t *testing.T) {
	r := ranking{others: []float32{9, 8, 7, 6, 5, 4, 3, 2, 1, 0}}
	for _, c := range []struct {
		fpr     float64
		reached int
	}{{1e-6, 0}, {0.1, 1}, {0.19, 1}, {0.2, 2}, {0.3, 3}, {0.9, 9}} {
		threshold := r.threshold(c.fpr)
		require.Equal(t, c.reached, reaching(r.others, threshold), "rate %g", c.fpr)
	}
	require.Equal(t, math.Nextafter32(9, 10), r.threshold(1e-6), "no false match is allowed: just above the best of the others")
	require.Equal(t, never, r.threshold(1), "all others are allowed")
}

func TestThresholdWithEqualScores(t *testing.T) {
	r := ranking{others: []float32{-31, -31, -31, -40}}
	require.Zero(t, reaching(r.others, r.threshold(0.25)), "one is allowed, but three are alike")
}

func TestRecall(t *testing.T) {
	r := ranking{matches: []float32{5, 4, 3, never}, others: []float32{4, 1}}
	require.Equal(t, 0.25, r.recall(r.threshold(0.4)))
	require.Equal(t, 0.5, r.recall(4))
	require.Equal(t, 0.75, r.recall(-1000))
	require.Equal(t, 0.75, r.recall(never), "what cannot be compared is never found")
	require.Zero(t, ranking{}.recall(1))
}

func TestMicroAveragePrecision(t *testing.T) {
	// In order: match, other, match, match; one match cannot be compared.
	r := ranking{matches: []float32{9, 7, 6, never}, others: []float32{8, 1}}
	ap, at90 := r.quality()
	require.InDelta(t, (1+2.0/3+3.0/4)/4, ap, 1e-9)
	require.Equal(t, 0.25, at90)

	ap, at90 = ranking{matches: []float32{2, 2}, others: []float32{2}}.quality()
	require.InDelta(t, (1.0/2+2.0/3)/2, ap, 1e-9, "among equals the others come first")
	require.Zero(t, at90)

	ap, at90 = ranking{matches: []float32{3, 2}, others: []float32{1}}.quality()
	require.Equal(t, []float64{1, 1}, []float64{ap, at90})
}

func TestRankTellsPairsApart(t *testing.T) {
	g := &grid{3, 3, []float32{
		0.9, 0.1, 0.2,
		0.3, 0.8, 0.7,
		0.6, 0.4, 0.5,
	}}
	queries := []answered{
		{query: query{original: 0, other: -1}},
		{query: query{original: 1, other: 2}},
		{query: query{original: 0, other: -1, twin: true}},
	}
	r := rank(g, queries, everyQuery)
	require.Equal(t, []float32{0.9, 0.8}, r.matches)
	require.Equal(t, []float32{0.5, 0.4, 0.3, 0.2, 0.1}, r.others, "the picture that was laid beside is left out")
	require.Equal(t, []float32{0.6}, r.twins)
	require.Equal(t, []float32{0.6, 0.5, 0.4, 0.3, 0.2, 0.1}, r.strict().others)
	require.Equal(t, r.matches, r.strict().matches)
}

func TestMostAlike(t *testing.T) {
	queries := []answered{
		{query: query{original: 0, other: -1}},
		{query: query{original: 0, other: -1}},
		{query: query{original: 1, other: 2}},
		{query: query{original: 2, other: -1, twin: true}},
	}
	m := &method{grid: &grid{4, 3, []float32{
		1, 0.5, 0.1,
		1, 0.7, never,
		0.6, 1, 0.9,
		0.2, 0.3, 0.8,
	}}}
	require.Equal(t, []pair{{1, 1, 0.7}, {3, 1, 0.3}, {3, 0, 0.2}}, m.mostAlike(queries, 5), "one for each two originals")
	require.Len(t, m.mostAlike(queries, 1), 1)
}

func TestMeasuredMethod(t *testing.T) {
	easy, hard := transforms.Quality()[0], transforms.Quality()[37]
	r := &result{fpr: 0.25, queries: []answered{
		{query: query{original: 0, other: -1, edit: easy}},
		{query: query{original: 1, other: -1, edit: easy}},
		{query: query{original: 0, other: -1, edit: hard}},
	}}
	g := &grid{3, 2, []float32{
		0.9, 0.5,
		0.2, 0.6,
		0.1, 0.3,
	}}
	// Others: 0.5, 0.3, 0.2. At a rate of 0.25 none of three may pass.
	m := r.add("test", g, r.atRate)
	require.Equal(t, math.Nextafter32(0.5, 1), m.threshold)
	require.Equal(t, 1.0, m.recall[easy.Name])
	require.Equal(t, 0.0, m.recall["hard"])
	require.InDelta(t, 2.0/3, m.recall["all"], 1e-9)
	require.Zero(t, m.falseMatches)

	m = r.add("test", g, func(ranking) float32 { return 0.25 })
	require.Equal(t, []int{2, 1}, []int{m.falseMatches, m.falseOriginals}, "both are uploads of original 0")
}

func TestRate(t *testing.T) {
	for f, want := range map[float64]string{1e-6: "1e-6", 2.5e-5: "2.5e-5", 0.1: "1e-1"} {
		require.Equal(t, want, rate(f))
	}
}

func TestMargins(t *testing.T) {
	var r ranking
	for i := range 31 {
		r.matches = append(r.matches, 1-float32(i)/20) // 1 to -0.5
	}
	deciles := r.margins(0.49) // of which eleven reach it
	for i, d := range deciles {
		require.InDelta(t, 0.01+float64(i)/20, d, 1e-5, i)
	}
	require.Zero(t, r.margins(2))
}
