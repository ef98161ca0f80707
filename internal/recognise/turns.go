package recognise

import (
	"moderator/internal/feature"
	"moderator/internal/imaging"
	"moderator/internal/matchdb"
	"moderator/internal/pdq"
)

// turned is a view of an upload, turned.
type turned struct {
	view int
	turn pdq.Turn
}

// hashQueries are what an upload's views are searched by: the hash of each and of its seven turns and mirrors, as flags are stored
// upright. of says which is which.
func hashQueries(views []feature.View) (hashes []matchdb.PDQ, of []turned) {
	for i, v := range views {
		for turn, h := range v.Turns {
			hashes = append(hashes, matchdb.PDQ{Hash: h, Quality: v.Quality})
			of = append(of, turned{i, pdq.Turn(turn)})
		}
	}
	return hashes, of
}

// viewOfTurn names what the upload shows where a flag's upright view is as the upload turned: the flag, turned back.
var viewOfTurn = [...]imaging.View{
	pdq.Original: imaging.ViewOriginal, pdq.Rotate90: imaging.ViewRotate90, pdq.Rotate180: imaging.ViewRotate180, pdq.Rotate270: imaging.ViewRotate270,
	pdq.FlipX: imaging.ViewFlipVertical, pdq.FlipY: imaging.ViewFlipHorizontal, pdq.FlipPlus1: imaging.ViewTranspose, pdq.FlipMinus1: imaging.ViewTransverse,
}

// turnedView is the flag's view that the upload shows: of a turned original its turn, of others (a frame, a trimmed picture) the view that is stored.
func turnedView(stored string, turn pdq.Turn) string {
	if stored == string(imaging.ViewOriginal) {
		return string(viewOfTurn[turn])
	}
	return stored
}
