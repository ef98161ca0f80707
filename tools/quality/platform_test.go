package main

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"moderator/internal/event"
	"moderator/internal/recognise"
	"moderator/internal/synth"
	"moderator/internal/testenv"
	"moderator/internal/transforms"
)

func TestManyFlags(t *testing.T) {
	t.Setenv("MODERATOR_ONNXRUNTIME_LIB", testenv.ONNXRuntime(t))
	dir, out, others := t.TempDir(), t.TempDir(), t.TempDir()
	drawInto(t, dir, "a.jpg", "b.jpg", "meme_c.jpg", "d.jpg")
	for _, folder := range []string{"test/boat-one", "train/boat-two"} {
		require.NoError(t, os.MkdirAll(filepath.Join(others, folder), 0o700))
	}
	drawInto(t, filepath.Join(others, "test/boat-one"), "e.jpg", "f.jpg", "g.jpg")
	drawInto(t, filepath.Join(others, "train/boat-two"), "h.jpg")

	measure := func() (all, last string) {
		var stdout bytes.Buffer
		require.NoError(t, run(t.Context(), []string{
			"--images", dir, "--out", out, "--originals", "2", "--flags", "40", "--per-kind", "2", "--distractors", others,
		}, &stdout))
		lines := strings.Split(strings.TrimSpace(stdout.String()), "\n")
		return stdout.String(), lines[len(lines)-1]
	}
	first, last := measure()
	pattern := `^quality: flags=40( (easy|medium|hard|all)=[01]\.\d{3}){4} false_blocks_per_10k=\d+\.\d false_reviews_per_10k=\d+\.\d upload_ms=\d+\.\d$`
	require.Regexp(t, regexp.MustCompile(pattern), last)
	require.Regexp(t, `(?m)^ +boat +2 `, first, "half of a source of three is flagged, and the model's own pictures are left out")
	for _, s := range stencils() {
		require.Contains(t, first, " "+s.kind+" ", "every kind, in a checkout without a folder too")
	}
	require.Regexp(t, `(?m)^ +1000000 .* extrapolated`, first)

	again, _ := measure()
	timed := regexp.MustCompile(`upload_ms=.*`)
	require.Equal(t, timed.ReplaceAllString(first, ""), timed.ReplaceAllString(again, ""), "kept features give another result")
}

func TestFlagSizes(t *testing.T) {
	require.Equal(t, []int{373, 1250, 5000, 20000}, flagSizes(373, 20000))
	require.Equal(t, []int{373, 400}, flagSizes(373, 400))
	require.Equal(t, []int{373, 1500, 6000}, flagSizes(373, 6000), "no two that are nearly the same")
}

func TestStencilsAreFilled(t *testing.T) {
	for _, s := range stencils() {
		a, err := s.filled(1, 1)
		require.NoError(t, err)
		same, err := s.filled(1, 1)
		require.NoError(t, err)
		other, err := s.filled(1, 2)
		require.NoError(t, err)
		require.Equal(t, a, same)
		require.NotEqual(t, a, other, s.kind)
		_, err = transforms.Decode(a)
		require.NoError(t, err)
	}
}

func TestCorrelation(t *testing.T) {
	require.InDelta(t, 1, correlation([]byte{10, 20, 30}, []byte{50, 70, 90}), 1e-9)
	require.InDelta(t, -1, correlation([]byte{10, 20, 30}, []byte{90, 70, 50}), 1e-9)
	require.Zero(t, correlation([]byte{10, 10, 10}, []byte{90, 70, 50}))
}

func TestTop(t *testing.T) {
	numbers := []int{5, 1, 9, 7, 3, 8}
	larger := func(a, b int) int { return numbers[b] - numbers[a] }
	even := func(k int) bool { return numbers[k] != 9 }
	require.Equal(t, []int{5, 3}, top(6, 2, larger, even))
	require.Equal(t, []int{0}, top(2, 5, larger, func(k int) bool { return k == 0 }))
}

// What an upload shows counts for it alone: it is no wrong flag, and takes no other's place among the candidates.
func TestOutcomes(t *testing.T) {
	drawn := func(i int) features {
		return features{sum: [32]byte{byte(i)}, picture: drawnSource(1, i).file}
	}
	p := &platform{
		library: &library{sizes: []int{2, 4}, most: 1, flags: []features{drawn(1), drawn(2), drawn(3), drawn(4)}},
		judge: func(c candidate, _ bool, flags int) recognise.Judged {
			if c.Score*float64(flags) >= 1 {
				return recognise.Judged{Verdict: event.Block}
			}
			return recognise.Judged{Verdict: event.Allow}
		},
	}
	at := func(flag int, score float64, ranks ...int) candidate {
		c := candidate{flag: flag, rank: ranks}
		c.Score = score
		return c
	}
	u := upload{features: &features{sum: [32]byte{9}}, original: 0, other: 1}
	all, err := p.outcomes(&u, []candidate{at(0, 0.3, 0, 0), at(1, 0.9, 0, unranked), at(2, 0.9, unranked, 2), at(3, 0.25, unranked, 1)})
	require.NoError(t, err)
	require.Equal(t, event.Allow, all[0].own.Verdict)
	require.Equal(t, event.Block, all[1].own.Verdict)
	require.Empty(t, all[0].wrong.Verdict, "the picture beside it is no mistake")
	require.Equal(t, 3, all[1].by.flag, "the second of the others is no candidate")

	// A flag with a part changed is counted apart.
	p.library.flags[3].picture = func() ([]byte, error) {
		picture := synth.Draw(1, 1, 320, 240)
		draw.Draw(picture, image.Rect(0, 0, 320, 60), image.NewUniform(color.White), image.Point{}, draw.Src)
		return transforms.Encode(picture, transforms.JPEG, 90)
	}
	p.parts.Clear()
	all, err = p.outcomes(&u, []candidate{at(0, 0.3, 0, 0), at(3, 0.25, unranked, 1)})
	require.NoError(t, err)
	require.Empty(t, all[1].wrong.Verdict)
	require.Equal(t, event.Block, all[1].changed.Verdict)
}

func TestSame(t *testing.T) {
	small := func(i int) features {
		f := features{sum: [32]byte{byte(i)}, file: true, picture: drawnSource(1, i).file}
		var err error
		f.small, err = f.grey(smallSide)
		require.NoError(t, err)
		return f
	}
	p := &platform{library: &library{flags: []features{small(1), small(2)}}}
	upload := upload{features: &features{sum: [32]byte{9}, small: turned(p.library.flags[0].small, smallSide, 5)}, original: -1}
	require.True(t, p.same(&upload, 0), "turned and mirrored")
	require.False(t, p.same(&upload, 1))
}
