package recognise

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"moderator/internal/event"
	"moderator/internal/feature"
	"moderator/internal/matchdb"
	"moderator/internal/synth"
	"moderator/internal/transforms"
	"moderator/internal/verdict"
)

// Of uploads that no other signal matches those are verified in which a coarse pass finds keypoints of a flag.
func TestCoarsePassTellsWhatIsWorthVerifying(t *testing.T) {
	db, folder, _ := library(t)
	const flags, others = 8, 24
	v := &verification{Matcher: NewMatcher(db, nil, 8, 1e-4)}
	upload := func(file []byte) {
		e := extracted(t, file)
		grey := feature.Plane{Width: e.Grey.Width, Height: e.Grey.Height, Luma: e.Grey.Pix}
		v.uploads, v.hits = append(v.uploads, feature.Query{Width: e.Width, Height: e.Height, Grey: grey}), append(v.hits, nil)
		v.nearest = append(v.nearest, nil)
	}
	edits := map[string]bool{"crop-50": true, "caption-bar": true, "phone-screenshot": true}
	for i := range flags {
		p := synth.Draw(15, i, 640, 480)
		file, err := transforms.Encode(p, transforms.JPEG, 92)
		require.NoError(t, err)
		f := matchdb.NewFlag{Bank: "default", SHA256: fmt.Sprintf("%064x", i), By: "ann", Model: folder.Fingerprint()}
		f.Keypoints, err = extracted(t, file).Points(true)
		require.NoError(t, err)
		_, err = db.Flag(t.Context(), f)
		require.NoError(t, err)
		for _, e := range transforms.Quality() {
			if edits[e.Name] {
				file, err := e.Apply(p, p, uint64(i))
				require.NoError(t, err)
				upload(file)
			}
		}
	}
	copies := len(v.uploads)
	var asked []int
	for i := range others {
		file, err := transforms.Encode(synth.Draw(16, i, 640, 480), transforms.JPEG, 92)
		require.NoError(t, err)
		upload(file)
	}
	v.uploads, v.nearest = append(v.uploads, feature.Query{}), append(v.nearest, nil)
	v.hits = append(v.hits, []verdict.Hit{{Signal: event.SignalPDQ, Similarity: 1, Score: 1, BlockAt: 0.9}})
	for i := range v.uploads {
		asked = append(asked, i)
	}
	worth, err := v.promising(t.Context(), asked)
	require.NoError(t, err)
	found := map[bool]int{}
	for _, i := range worth[:len(worth)-1] {
		found[i < copies]++
	}
	t.Logf("%d of %d copies, %d of %d others", found[true], copies, found[false], others)
	require.GreaterOrEqual(t, found[true], copies*8/10)
	require.LessOrEqual(t, found[false], others/4)
	require.Equal(t, len(v.uploads)-1, worth[len(worth)-1], "another signal matches")
}
