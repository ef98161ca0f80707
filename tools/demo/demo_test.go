package main

import (
	"bytes"
	"image"
	"image/png"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"moderator/internal/embed"
	"moderator/internal/synth"
	"moderator/internal/testenv"
	"moderator/internal/transforms"
)

// noise is a picture of noise. Only the embedding takes two of them for related.
func noise(seed uint64) *image.RGBA {
	r := rand.New(rand.NewPCG(seed, 0))
	p := image.NewRGBA(image.Rect(0, 0, 256, 256))
	for i := range p.Pix {
		if p.Pix[i] = byte(r.Uint32()); i%4 == 3 {
			p.Pix[i] = 255
		}
	}
	return p
}

// A folder gives one picture of each group of pictures that are related by any signal.
func TestFolderGivesOneOfEachGroup(t *testing.T) {
	t.Setenv(embed.LibraryEnv, testenv.ONNXRuntime(t))
	dir := t.TempDir()
	write := func(name string, p *image.RGBA) {
		var file bytes.Buffer
		require.NoError(t, png.Encode(&file, p))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), file.Bytes(), 0o600))
	}
	drawn := synth.Draw(drawSeed, 0, 400, 300)
	write("0-drawn.png", drawn)
	for _, e := range transforms.Quality() {
		if e.Name == "crop-75-corner" || e.Name == "mirror" || e.Name == "gamma-0.6" {
			p, err := e.Picture(drawn, drawn, 1)
			require.NoError(t, err)
			write("1-"+e.Name+".png", p)
		}
	}
	write("2-noise.png", noise(1))
	write("3-other-noise.png", noise(2))
	write("4-drawn.png", synth.Draw(drawSeed, 1, 400, 300))
	var said bytes.Buffer
	originals, err := fromFolder(t.Context(), dir, &said)
	require.NoError(t, err)
	var names []string
	for _, o := range originals {
		names = append(names, o.name)
	}
	require.Equal(t, []string{"0-drawn.png", "2-noise.png", "4-drawn.png"}, names)
	require.Contains(t, said.String(), "3 different pictures, 4 related to one of them")
	require.Contains(t, said.String(), "related by the embedding alone: 3-other-noise.png, to 2-noise.png")
}

// Each wrong or missing decision is an error.
func TestReportFindsWrongDecisions(t *testing.T) {
	var d decision
	d.SpecVersion, d.Data.Verdict, d.Data.Reason = "1.0", "allow", "no_match"
	good := upload{verdict: "allow", reason: "no_match", decisions: []decision{d}}
	require.NoError(t, report(io.Discard, []upload{good}))
	missed := upload{verdict: "block", reason: "match", decisions: []decision{d}}
	twice := upload{verdict: "allow", reason: "no_match", decisions: []decision{d, d}}
	require.EqualError(t, report(io.Discard, []upload{good, missed, twice, {verdict: "allow"}}),
		"3 decisions are wrong or missing: see the lines marked WRONG")
}
