package pdq_test

import (
	"bufio"
	"image"
	"image/color"
	_ "image/jpeg"
	_ "image/png"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"moderator/internal/pdq"
	"moderator/internal/testenv"
)

// reference is the reference implementation's result for a picture.
type reference struct {
	file    string // path below the photos
	hashes  [8]pdq.Hash
	quality int
}

func references(t *testing.T, path string) []reference {
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	var all []reference
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "#") {
			continue // the title and the header
		}
		fields := strings.Split(lines.Text(), ",")
		require.Len(t, fields, 10, "%s: eight hashes, quality, file", lines.Text())
		r := reference{file: fields[9]}
		for i := range r.hashes {
			r.hashes[i], err = pdq.Parse(fields[i])
			require.NoError(t, err)
		}
		r.quality, err = strconv.Atoi(fields[8])
		require.NoError(t, err)
		all = append(all, r)
	}
	return all
}

// plane makes the reference's luma plane of a picture. It ignores the
// orientation in the metadata. If a side is longer than 512, it picks 512x512
// pixels by their corners. Of 16-bit samples it takes the low byte, which is the
// reference's own mistake.
func plane(img image.Image) (width, height int, luma []byte) {
	b := img.Bounds()
	width, height = b.Dx(), b.Dy()
	if width > 512 || height > 512 {
		width, height = 512, 512
	}
	depth16 := img.ColorModel() == color.RGBA64Model || img.ColorModel() == color.Gray16Model
	luma = make([]byte, width*height)
	for y := range height {
		for x := range width {
			r, g, bl, _ := img.At(b.Min.X+x*b.Dx()/width, b.Min.Y+y*b.Dy()/height).RGBA()
			if !depth16 {
				r, g, bl = r>>8, g>>8, bl>>8
			}
			luma[y*width+x] = byte((299*(r&255) + 587*(g&255) + 114*(bl&255) + 500) / 1000)
		}
	}
	return width, height, luma
}

// The reference allows implementations to differ by 10 bits if the quality is 80
// or more.
func TestConformance(t *testing.T) {
	const tolerance, fromQuality = 10, 80
	data := testenv.Data(t)
	compared, largest, where := 0, 0, "any"
	for _, want := range references(t, filepath.Join(data, "golden", "pdq.txt")) {
		f, err := os.Open(filepath.Join(data, "photos", want.file))
		require.NoError(t, err)
		img, _, err := image.Decode(f)
		require.NoError(t, err, want.file)
		require.NoError(t, f.Close())

		hashes, quality := pdq.Turns(plane(img))
		require.InDelta(t, want.quality, quality, 2, want.file)
		if want.quality < fromQuality {
			continue
		}
		for turn, hash := range hashes {
			distance := hash.Distance(want.hashes[turn])
			require.LessOrEqual(t, distance, tolerance, "%v of %s", pdq.Turn(turn), want.file)
			compared++
			if distance > largest {
				largest, where = distance, pdq.Turn(turn).String()+" of "+want.file
			}
		}
	}
	require.NotZero(t, compared)
	t.Logf("conformance: hashes=%d largest_distance=%d (%s), tolerance %d from quality %d on",
		compared, largest, where, tolerance, fromQuality)
}
