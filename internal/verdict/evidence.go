package verdict

import "moderator/internal/keypoint"

// Evidence is what the signals say about one upload and one flag that was verified as a candidate.
type Evidence struct {
	// By the vectors of the Hit's model: the best pair of views, compared exactly by the database.
	HasVector  bool    // false: the flag has no vector of the model, and Score and Similarity are 0
	Score      float64 // inner product less both background penalties
	Similarity float64 // cosine
	View       string  // the flag's view of that pair

	PDQ           int  // bits of 256 that differ between the nearest views; -1: one of the two has no hash
	HashAlone     bool // the hashes are of other frames than the keypoints, which say nothing of a match by PDQ
	FlagQuality   int  // PDQ's quality of the flag, 50 to 100; -1: it has no hash
	UploadQuality int  // the same of the upload, 0 to 100

	// By keypoints.
	FlagPoints, UploadPoints int     // that each picture has; at most keypoint.FlagPoints and keypoint.UploadPoints
	Inliers                  int     // of the flag's, that the upload shows where one map has them
	Visible                  int     // of the flag's, that the map brings into the upload's frame: those that should agree
	Area                     float64 // of the inliers' convex hull, as a share of the flag's frame
	Shown                    float64 // share of the flag's frame that the map brings into the upload's
	Covered                  float64 // share of the upload's frame that the flag covers
	Variant                  string  // of the flag that agrees: "original", "flip-horizontal" or "negative"
	Expected                 int     // of the flag's, that should be seen where the map brings them; without a map, where the frames lie on each other
	Agreeing                 int     // of Expected, that the upload has in the place
	Contradicting            int     // of Expected, in whose place the upload has another keypoint
	Inside                   int     // of the upload's, that are within the flag's frame
	New                      int     // of Inside, in whose place the flag has none
	Shared                   float64 // of the upload's that agree, the share that agrees with other flags as well, which are other pictures
	Bits                     int     // of 128 that differ in those that agree, on average
	Votes                    int     // of the index of keypoints, that agree on one place; 0: another retriever brought the flag

	Guided keypoint.Guided // what the upload shows in the places of the flag's keypoints
}
