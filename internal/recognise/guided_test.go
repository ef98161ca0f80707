package recognise

import (
	"testing"

	"github.com/stretchr/testify/require"

	"moderator/internal/event"
	"moderator/internal/evidence"
	"moderator/internal/imaging"
	"moderator/internal/keypoint"
	"moderator/internal/synth"
	"moderator/internal/transforms"
)

// extracted decodes a picture as an upload is, without vectors.
func extracted(t *testing.T, file []byte) Extracted {
	t.Helper()
	result, err := imaging.Decode(file, imaging.Request{Gray: true, Limits: imaging.DefaultLimits()})
	require.NoError(t, err)
	return Extracted{Width: result.Width, Height: result.Height, Grey: result.Frames[0].Views[0].Gray}
}

// A picture under a caption is looked for in the upload's plane, and where the caption is, is told.
func TestGuideLooksWhereKeypointsAgree(t *testing.T) {
	p := synth.Draw(1, 1, 640, 480)
	file, err := transforms.Encode(p, transforms.JPEG, 92)
	require.NoError(t, err)
	flag, err := extracted(t, file).Points(true)
	require.NoError(t, err)
	captioned, err := transforms.Encode(transforms.Caption(p, "nobody expected these words", ""), transforms.JPEG, 92)
	require.NoError(t, err)
	upload := extracted(t, captioned)
	points, err := upload.Points(false)
	require.NoError(t, err)

	a := keypoint.Verify(flag, keypoint.Prepare(points))
	g := guide{grey: upload.Grey, width: upload.Width, height: upload.Height}
	defer g.close()
	require.NoError(t, g.look(flag, &a, false))
	e := KeypointEvidence(len(flag.Points), len(points.Points), a)
	require.Greater(t, e.Guided.Looked, 30)
	require.Greater(t, e.Guided.Similar, 0.6)
	e.HasVector, e.Score, e.PDQ = true, 0.2, 60
	c := Comparison{Points: a, FlagPoints: e.FlagPoints, UploadPoints: e.UploadPoints, Score: 0.2, PDQ: 60}
	require.Equal(t, e.Guided, c.Evidence().Guided)
	thresholds := evidence.For(1000, evidence.DefaultFalseBlocks)
	c.Thresholds = &thresholds
	w := c.Weighed()
	require.Equal(t, event.Block, verdictOf(w.Probability, w.BlockAt, &w.ReviewAt))

	framed := keypoint.Verify(flag, keypoint.Prepare(keypoint.Features{Width: points.Width, Height: points.Height}))
	require.NoError(t, g.look(flag, &framed, false))
	require.Zero(t, framed.Guided, "nothing agrees, and no other signal matches")
	require.NoError(t, g.look(flag, &framed, true))
	require.Positive(t, framed.Guided.Looked)
}
