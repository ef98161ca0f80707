package recognise

import (
	"moderator/internal/imaging"
	"moderator/internal/keypoint"
	"moderator/internal/verdict"
)

// guidedFrom is how many keypoints must agree for the upload's plane to be looked at: fewer agree by chance. Flags that
// another signal matches are always looked for.
const guidedFrom = 3

// guide looks for the surroundings of flags' keypoints in an upload, whose plane it makes when the first flag is worth it.
type guide struct {
	grey          *imaging.Gray
	width, height int // of the picture
	plane         *keypoint.Plane
}

// look completes an agreement, where keypoints agree or another signal matches.
func (g *guide) look(flag keypoint.Features, a *keypoint.Agreement, matched bool) error {
	if a.Support.Agreeing < guidedFrom && !matched || len(flag.Points) == 0 {
		return nil
	}
	if g.plane == nil {
		plane, err := Plane(g.grey, g.width, g.height)
		if err != nil {
			return err
		}
		g.plane = keypoint.NewPlane(plane.Width, plane.Height, plane.Pix)
	}
	a.Guided = keypoint.Guide(flag, g.plane, *a)
	return nil
}

func (g *guide) close() {
	if g.plane != nil {
		g.plane.Close()
	}
}

// KeypointEvidence is what keypoints say of a flag and an upload that have so many.
func KeypointEvidence(flagPoints, uploadPoints int, a keypoint.Agreement) verdict.Evidence {
	s := a.Support
	return verdict.Evidence{
		FlagPoints: flagPoints, UploadPoints: uploadPoints, Inliers: a.Points, Visible: a.Visible, Area: a.Area, Shown: a.Shown,
		Covered: a.Covered, Variant: a.Variant.View(), Expected: s.Expected, Agreeing: s.Agreeing, Contradicting: s.Contradicting,
		Inside: s.Inside, New: s.New, Shared: s.Shared, Bits: s.Bits, Guided: a.Guided,
	}
}
