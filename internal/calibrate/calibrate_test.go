package calibrate

import (
	"bytes"
	"encoding/base64"
	"html"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"moderator/internal/dedupe"
	"moderator/internal/embed"
	"moderator/internal/pdq"
	"moderator/internal/synth"
	"moderator/internal/transforms"
	"moderator/models"
)

func TestThresholdLetsNoMoreThrough(t *testing.T) {
	others := make([]float32, 1000)
	for i := range others {
		others[i] = float32(1000-i) / 1100
	}
	for _, c := range []struct {
		fpr  float64
		want int
	}{{1e-6, 0}, {0.0009, 0}, {0.001, 1}, {0.01, 10}, {0.5, 500}} {
		require.Equal(t, c.want, reaching(others, threshold(others, c.fpr)), "%g", c.fpr)
		require.LessOrEqual(t, reaching(others, rounded(threshold(others, c.fpr))), c.want)
	}
	require.Equal(t, 1000, reaching(others, -1))
}

// views returns one view whose vector is (x, y), and whose hash repeats a byte.
func views(x, y, penalty float32, hash byte) []dedupe.View {
	return []dedupe.View{{Vector: []float32{x, y}, Penalty: penalty, Hash: pdq.Hash{hash, hash, hash, hash, hash, hash, hash, hash}, Quality: 90}}
}

func TestMeasure(t *testing.T) {
	flags := []compared{
		{picture: 0, edit: asItIs, views: views(1, 0, 0.1, 0)},
		{picture: 1, edit: asItIs, views: views(0, 1, 0.1, 255)},
	}
	uploads := []compared{
		{picture: 0, edit: asItIs, views: views(1, 0, 0.1, 0)},
		{picture: 1, edit: asItIs, views: views(0, 1, 0.1, 255)},
		{picture: 0, edit: 0, views: views(0.8, 0.6, 0, 0)},    // scores .7 with its own flag, .5 with the other
		{picture: 0, edit: 1, views: views(0.6, 0.8, 0, 0)},    // .5 and .7, but PDQ finds its own
		{picture: 0, edit: 11, views: views(0.6, 0.8, 0, 255)}, // .5 and .7, and PDQ finds the other
	}
	r := measure(uploads, flags, 0.2)
	require.Equal(t, []int{2, 1, 5, 5}, []int{r.Pictures, r.Edited, r.Uploads, r.Pairs})
	require.Equal(t, 0.7001, r.BlockAt) // two pairs at .7, and one of five is allowed
	require.Zero(t, r.False)
	require.Equal(t, 1, r.FalsePDQ)
	byName := map[string]Recall{}
	for _, c := range r.Recall {
		byName[c.Name] = c
	}
	require.Equal(t, Recall{"easy", "easy", 2, 0, 1, 1, true}, byName["easy"])
	require.Equal(t, 3, byName["all"].Copies)
	require.InDelta(t, 2.0/3, byName["all"].Union, 1e-9)
	require.Len(t, r.Closest, 1)
	require.InDelta(t, 0.7, r.Closest[0].Score, 1e-6)
	require.Equal(t, "jpeg-30", r.Closest[0].Edit)
}

func TestReportNeedsNothingElse(t *testing.T) {
	var sources []Source
	for i := range 2 {
		file, err := transforms.Encode(synth.Draw(1, i, 64, 64), transforms.JPEG, 90)
		require.NoError(t, err)
		sources = append(sources, Source{Name: "<b>" + synth.Name(i), Data: file})
	}
	flags := []compared{{picture: 0, edit: asItIs, views: views(1, 0, 0, 0)}, {picture: 1, edit: asItIs, views: views(0, 1, 0, 255)}}
	r := measure(append(flags, compared{picture: 0, edit: 0, views: views(0.8, 0.6, 0, 0)}), flags, 1e-6)
	gallery := &Gallery{sources: sources, Copies: []string{"twin.jpg"}}
	require.NoError(t, gallery.blur(t.Context(), openCanvases(t), r.Closest))
	var page strings.Builder
	require.NoError(t, r.Report(&page, gallery, "a <model>"))
	require.Contains(t, page.String(), "&lt;b&gt;0000-landscape")
	require.Contains(t, page.String(), "a &lt;model&gt;")
	require.Contains(t, page.String(), "one mistake in 1,000,000 pairs")
	require.Contains(t, page.String(), "There are too few pictures for this rate")
	require.Contains(t, page.String(), "twin.jpg")
	require.NotRegexp(t, `(src|href)="?http|NaN|Inf|ZgotmplZ`, page.String())

	// Each figure shows two blurred pictures, whose files hold no fine detail.
	figures := strings.Count(page.String(), "<figure>")
	require.Equal(t, len(r.Closest), figures)
	require.NotZero(t, figures)
	pictures := regexp.MustCompile(`<img src="data:image/jpeg;base64,([^"]+)"`).FindAllStringSubmatch(page.String(), -1)
	require.Len(t, pictures, 2*figures)
	for _, p := range pictures {
		file, err := base64.StdEncoding.DecodeString(html.UnescapeString(p[1]))
		require.NoError(t, err)
		picture, err := jpeg.Decode(bytes.NewReader(file))
		require.NoError(t, err)
		require.Equal(t, image.Pt(8*blurredSide, 8*blurredSide), picture.Bounds().Size())
		require.Less(t, detail(picture), detail(synth.Draw(1, 0, 64, 64))/4)
	}
	// Curves by score and by rate for easy edits and all, and one by score for false positives.
	for class, curves := range map[string]int{"easy": 2, "medium": 0, "hard": 0, "all": 2, "false": 1} {
		found := regexp.MustCompile(`<polyline class="`+class+`" points="([^"]+)"`).FindAllStringSubmatch(page.String(), -1)
		require.Len(t, found, curves, class)
		for _, curve := range found {
			require.Regexp(t, `^(\d+,\d+\.\d ){160}640,\d+\.\d$`, curve[1], class)
		}
	}
}

// detail is the mean difference of neighbouring pixels.
func detail(p image.Image) float64 {
	sum, b := 0.0, p.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X + 1; x < b.Max.X; x++ {
			left, here := color.GrayModel.Convert(p.At(x-1, y)).(color.Gray), color.GrayModel.Convert(p.At(x, y)).(color.Gray)
			sum += math.Abs(float64(left.Y) - float64(here.Y))
		}
	}
	return sum / float64((b.Dx()-1)*b.Dy())
}

func TestBackgroundIsReadByTheModel(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "copy")
	require.NoError(t, CopyModel(models.CopyDetect(), dir))
	before, err := embed.LoadDir(dir)
	require.NoError(t, err)
	vectors := make([][]float32, 7)
	for i := range vectors {
		vectors[i] = make([]float32, before.Dims())
		vectors[i][i] = 1
	}
	require.NoError(t, RemoveThresholds(dir))
	require.NoError(t, RemoveThresholds(dir), "also where there are none")
	require.NoError(t, WriteBackground(dir, vectors))
	require.NoError(t, WriteThresholds(dir, true, &Result{FPR: 1e-6, BlockAt: 0.4, ReviewAt: 0.3}))
	after, err := embed.LoadDir(dir)
	require.NoError(t, err)
	rows, dims := after.Background().Size()
	require.Equal(t, []int{7, before.Dims()}, []int{rows, dims})
	require.InDelta(t, 0.1, after.BackgroundPenalty(vectors[0]), 1e-6) // half the mean of 1, 0, 0, 0, 0
	require.NotEqual(t, before.Fingerprint(), after.Fingerprint())
	block, review, ok := after.Thresholds()
	require.True(t, ok)
	require.Equal(t, []float64{0.4, 0.3}, []float64{block, review})
	require.ErrorContains(t, CopyModel(models.CopyDetect(), dir), "is not empty")
}

func TestCopyModelFollowsLinks(t *testing.T) {
	from, to := t.TempDir(), filepath.Join(t.TempDir(), "to")
	require.NoError(t, os.WriteFile(filepath.Join(from, "blob"), []byte("weights"), 0o600))
	require.NoError(t, os.Mkdir(filepath.Join(from, "onnx"), 0o755))
	require.NoError(t, os.Symlink("../blob", filepath.Join(from, "onnx", "model.onnx")))
	require.NoError(t, CopyModel(os.DirFS(from), to))
	info, err := os.Lstat(filepath.Join(to, "onnx", "model.onnx"))
	require.NoError(t, err)
	require.True(t, info.Mode().IsRegular())
	require.Error(t, CopyModel(fstest.MapFS{"a": {Mode: os.ModeSymlink, Data: []byte("gone")}}, filepath.Join(t.TempDir(), "b")))
}

func TestNewDividesThePictures(t *testing.T) {
	o := Options{FPR: 1e-6, Pictures: 50, Edited: 1}
	sources := make([]Source, 200)
	for i := range sources {
		sources[i].Name = synth.Name(i)
	}
	c, err := New(nil, nil, sources, true, o)
	require.NoError(t, err)
	require.Len(t, c.measured, 50)
	require.Len(t, c.background, 150)
	for _, s := range c.measured {
		require.NotContains(t, c.background, s)
	}
	c, err = New(nil, nil, sources[:60], true, o)
	require.NoError(t, err)
	require.Equal(t, []int{30, 30}, []int{len(c.measured), len(c.background)})
	_, err = New(nil, nil, sources[:30], true, o)
	require.ErrorContains(t, err, "15 pictures to measure: want at least 20")
	_, err = New(nil, nil, sources, false, Options{FPR: 0, Pictures: 50, Edited: 1})
	require.ErrorContains(t, err, "a false-positive rate of 0")
	_, err = New(nil, nil, sources, false, Options{FPR: 1e-6, Pictures: 3, Edited: 1})
	require.ErrorContains(t, err, "3 pictures")
}
