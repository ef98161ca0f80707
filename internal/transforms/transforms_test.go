package transforms

import (
	"bytes"
	"image"
	"image/color"
	"testing"

	"github.com/stretchr/testify/require"

	"moderator/internal/imaging"
	"moderator/internal/synth"
)

func apply(t *testing.T, name string, p, other *image.RGBA, seed uint64) *image.RGBA {
	t.Helper()
	for _, e := range Quality() {
		if e.Name == name {
			q, err := e.Picture(p, other, seed)
			require.NoError(t, err)
			return q
		}
	}
	require.FailNow(t, "no such edit", name)
	return nil
}

func TestEveryEditIsAPictureAndTheSameEachTime(t *testing.T) {
	p, other := synth.Draw(1, 0, 160, 120), synth.Draw(1, 1, 120, 200)
	before := bytes.Clone(p.Pix)
	names, groups := map[string]bool{}, map[Group]int{}
	for _, e := range Quality() {
		first, err := e.Apply(p, other, 3)
		require.NoError(t, err, e.Name)
		again, err := e.Apply(p, other, 3)
		require.NoError(t, err, e.Name)
		require.Equal(t, first, again, e.Name)
		require.Equal(t, before, p.Pix, "%s changes the picture that it is given", e.Name)
		format, ok := imaging.Sniff(first)
		require.True(t, ok)
		require.Equal(t, "jpeg", format)
		q, err := Decode(first)
		require.NoError(t, err, e.Name)
		require.NotEqual(t, before, q.Pix, e.Name)
		names[e.Name] = true
		groups[e.Group]++
	}
	require.Len(t, names, 38)
	require.Equal(t, map[Group]int{Easy: 11, Medium: 15, Hard: 12}, groups)
}

func TestSizes(t *testing.T) {
	p, other := synth.Draw(1, 4, 400, 300), synth.Draw(1, 1, 200, 100)
	for name, want := range map[string]image.Point{
		"half-size": {200, 150}, "thumbnail-128": {128, 96}, "crop-95": {380, 285}, "crop-80-centre": {320, 240},
		"crop-75-corner": {300, 225}, "border-12": {496, 372}, "caption-bar": {400, 360}, "rotated-25": {400, 300},
		"phone-screenshot": {400, 867}, "quarter-turn": {300, 400}, "crop-50": {200, 150}, "side-by-side": {1000, 300},
		"picture-in-picture-40": {200, 100}, "photo-of-screen": {448, 336}, "combination": {340, 255}, "pixelated": {400, 300},
	} {
		require.Equal(t, want, apply(t, name, p, other, 1).Rect.Size(), name)
	}
	turned := apply(t, "stretched-140", p, other, 1).Rect.Size()
	require.Contains(t, []image.Point{{560, 300}, {400, 420}}, turned)
}

func TestColours(t *testing.T) {
	p := blank(80, 80, color.RGBA{200, 100, 50, 255})
	at := func(name string) color.RGBA { return apply(t, name, p, p, 1).RGBAAt(40, 40) }
	require.Equal(t, color.RGBA{124, 124, 124, 255}, at("grey"))     // 59.8 + 58.7 + 5.7
	require.Equal(t, color.RGBA{55, 155, 205, 255}, at("negative"))  // 255 - v
	require.Equal(t, color.RGBA{220, 145, 96, 255}, at("gamma-0.6")) // 255 (v/255)^0.6
	require.Equal(t, color.RGBA{165, 147, 114, 255}, at("sepia"))    // 78.6 + 76.9 + 9.45, ...
	require.Equal(t, p.RGBAAt(0, 0), turnedHue(p, 0).RGBAAt(0, 0))
	require.Equal(t, color.RGBA{50, 200, 100, 255}, turnedHue(p, 2.0943951).RGBAAt(0, 0), "a third of a turn")
}

func TestCoveredAreas(t *testing.T) {
	p := blank(400, 300, color.RGBA{10, 200, 90, 255})
	share := func(name string) float64 {
		q, covered := apply(t, name, p, p, 2), 0
		for i := 0; i < len(q.Pix); i += 4 {
			if !bytes.Equal(q.Pix[i:i+4], p.Pix[:4]) {
				covered++
			}
		}
		return float64(covered) / (400 * 300)
	}
	require.InDelta(t, 0.35, share("checkerboard-35"), 0.01)
	require.InDelta(t, 0.15, share("sticker-15"), 0.005)
}

func TestMirrorAndTurns(t *testing.T) {
	p := synth.Draw(1, 0, 90, 70)
	require.NotEqual(t, p.Pix, mirror(nil, p).Pix)
	require.Equal(t, p.Pix, mirror(nil, mirror(nil, p)).Pix)
	q := apply(t, "quarter-turn", p, p, 1)
	corners := []color.RGBA{q.RGBAAt(69, 0), q.RGBAAt(0, 89)} // clockwise, counter-clockwise
	require.Contains(t, corners, p.RGBAAt(0, 0))
}

func TestHomography(t *testing.T) {
	corners := [4][2]float64{{3, 4}, {90, 10}, {80, 70}, {5, 60}}
	m := unitSquare(corners)
	for i, unit := range [4][2]float64{{0, 0}, {1, 0}, {1, 1}, {0, 1}} {
		x, y := m.apply(unit[0], unit[1])
		require.InDeltaSlice(t, corners[i][:], []float64{x, y}, 1e-9)
		u, v := m.inverse().apply(corners[i][0], corners[i][1])
		require.InDeltaSlice(t, unit[:], []float64{u, v}, 1e-9)
	}
}

func TestDemoEditsFiles(t *testing.T) {
	file, err := Encode(synth.Draw(1, 0, 160, 120), PNG, 0)
	require.NoError(t, err)
	for _, e := range Demo {
		data, err := e.Apply(file)
		require.NoError(t, err, e.Name)
		_, err = Decode(data)
		require.NoError(t, err, e.Name)
		_, err = e.Apply([]byte("no picture"))
		require.Error(t, err, e.Name)
	}
	_, err = Decode(nil)
	require.ErrorContains(t, err, "empty")
}

func TestPNGKeepsPixels(t *testing.T) {
	p := synth.Draw(2, 5, 100, 80)
	file, err := Encode(p, PNG, 0)
	require.NoError(t, err)
	q, err := Decode(file)
	require.NoError(t, err)
	require.Equal(t, p.Pix, q.Pix)
	inner := p.SubImage(image.Rect(10, 10, 90, 70)).(*image.RGBA)
	file, err = Encode(inner, PNG, 0)
	require.NoError(t, err)
	q, err = Decode(file)
	require.NoError(t, err)
	require.Equal(t, clone(inner).Pix, q.Pix)
}

func TestVariedEditsAreTheSameEachTime(t *testing.T) {
	p, other := synth.Draw(1, 0, 160, 120), synth.Draw(1, 1, 120, 200)
	made := map[string]bool{}
	for _, e := range Varied(12) {
		require.True(t, e.NeedsOther())
		first, err := e.Apply(p, other, 3)
		require.NoError(t, err, e.Name)
		again, err := e.Apply(p, other, 3)
		require.NoError(t, err, e.Name)
		require.Equal(t, first, again, e.Name)
		made[string(first)] = true
	}
	require.Len(t, made, 12, "each is another edit")
}
