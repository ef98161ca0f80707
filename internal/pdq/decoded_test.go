package pdq_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"moderator/internal/imaging"
	"moderator/internal/pdq"
	"moderator/internal/testenv"
)

// asStored has the turn that undoes each EXIF orientation, 1 to 8.
var asStored = [...]pdq.Turn{
	1: pdq.Original,
	2: pdq.FlipY,
	3: pdq.Rotate180,
	4: pdq.FlipX,
	5: pdq.FlipPlus1,
	6: pdq.Rotate90,
	7: pdq.FlipMinus1,
	8: pdq.Rotate270,
}

// orientation returns the orientation in a test picture's name.
func orientation(file string) int {
	name := strings.TrimSuffix(filepath.Base(file), ".jpg")
	digit := name[len(name)-1]
	upright := !strings.Contains(file, "/rotation/") && !strings.Contains(file, "/exif-rotn/")
	if upright || digit < '1' || digit > '8' {
		return 1
	}
	return int(digit - '0')
}

// sixteenBits are pictures of which the reference hashes the low bytes, which
// are noise. We hash the high bytes.
var sixteenBits = map[string]bool{
	"libvips/sample.png":     true,
	"libvips/rotation/0.png": true,
	"threatexchange/python-threatexchange/threatexchange/tests/hashing/resources/I16.png": true,
}

// dithered is a picture of black and white dots, which averaging mixes and
// picking keeps. Only its hash is farther from the reference.
const dithered, ditheredTolerance = "threatexchange/pdq/data/misc-images/modes/1.png", 12

// The planes that moderator hashes agree with the reference too, although large
// pictures are averaged (see the package comment).
func TestConformanceOfDecodedPictures(t *testing.T) {
	const tolerance, fromQuality = 10, 80
	data := testenv.Data(t)
	require.NoError(t, imaging.Start())
	compared, largest, where := 0, 0, "any"
	for _, want := range references(t, filepath.Join(data, "golden", "pdq.txt")) {
		if want.quality < fromQuality || sixteenBits[want.file] {
			continue
		}
		raw, err := os.ReadFile(filepath.Join(data, "photos", want.file))
		require.NoError(t, err)
		result, err := imaging.Decode(raw, imaging.Request{Gray: true, Limits: imaging.DefaultLimits()})
		require.NoError(t, err, want.file)
		gray := result.Frames[0].Views[0].Gray

		hashes, quality := pdq.Turns(turned(asStored[orientation(want.file)], gray.Width, gray.Height, gray.Pix))
		require.InDelta(t, want.quality, quality, 2, want.file)
		for turn, hash := range hashes {
			distance := hash.Distance(want.hashes[turn])
			if want.file == dithered {
				require.LessOrEqual(t, distance, ditheredTolerance, "%v of %s", pdq.Turn(turn), want.file)
				continue
			}
			require.LessOrEqual(t, distance, tolerance, "%v of %s", pdq.Turn(turn), want.file)
			compared++
			if distance > largest {
				largest, where = distance, pdq.Turn(turn).String()+" of "+want.file
			}
		}
	}
	t.Logf("conformance of decoded pictures: hashes=%d largest_distance=%d (%s), tolerance %d from quality %d on",
		compared, largest, where, tolerance, fromQuality)
}
