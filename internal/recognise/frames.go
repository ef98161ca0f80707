package recognise

import (
	"strings"

	"moderator/internal/feature"
	"moderator/internal/keypoint"
	"moderator/internal/matchdb"
	"moderator/internal/pdq"
)

// Keypoints are those of the first frame, as it is rendered first.

// ofLaterFrame reports whether the view that is nearest to the flag, by its hash where that matches and else by its vector, is of
// another frame or rendering: an animation's, a page's, one on another background.
func ofLaterFrame(views []feature.View, e matchdb.Evidence) bool {
	if e.PDQ >= 0 && e.PDQ <= pdq.MaxDistance {
		_, hashes := hashQueries(views)
		return views[hashes[e.PDQQuery].view].Frame > 0 || strings.Contains(e.PDQView, "@")
	}
	return e.HasVector && views[e.Query].Frame > 0
}

// withoutKeypoints is the evidence of a later frame, whose keypoints are not known: those of the first frame say nothing against it.
func (e nearestEvidence) withoutKeypoints() nearestEvidence {
	if e.Inliers >= keypoint.LeastPoints {
		return e
	}
	e.UploadPoints, e.Inliers, e.Visible, e.Area, e.Shown, e.Covered = 0, 0, 0, 0, 0, 0
	e.Expected, e.Agreeing, e.Contradicting, e.Inside, e.New, e.Shared, e.Bits, e.Guided = 0, 0, 0, 0, 0, 0, 0, keypoint.Guided{}
	e.HashAlone = true
	return e
}
