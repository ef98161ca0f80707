package pdq

import "fmt"

// Turn is one of the eight turns and mirrors of a picture. Names and order are
// those of the reference: quarter turns are counter-clockwise, and "flip x"
// mirrors at the x axis.
type Turn int

// The turns, in the order of the result of [Turns].
const (
	Original   Turn = iota
	Rotate90        // a quarter turn counter-clockwise
	Rotate180       // upside down
	Rotate270       // a quarter turn clockwise
	FlipX           // top and bottom exchanged
	FlipY           // left and right exchanged
	FlipPlus1       // rows become columns: mirrored at the falling diagonal
	FlipMinus1      // mirrored at the rising diagonal

	turns = 8
)

// String returns the reference's name of the turn, such as "rotate90".
func (t Turn) String() string {
	switch t {
	case Original:
		return "original"
	case Rotate90:
		return "rotate90"
	case Rotate180:
		return "rotate180"
	case Rotate270:
		return "rotate270"
	case FlipX:
		return "flipx"
	case FlipY:
		return "flipy"
	case FlipPlus1:
		return "flipplus1"
	case FlipMinus1:
		return "flipminus1"
	}
	return fmt.Sprintf("Turn(%d)", int(t))
}

// mirrorings lists the four ways to mirror a picture, each with its turn without
// and with a transposition afterwards.
var mirrorings = [turns / 2]struct {
	rows, columns    bool // top and bottom, left and right exchanged
	turn, transposed Turn
}{
	{false, false, Original, FlipPlus1},
	{true, false, FlipX, Rotate270},
	{false, true, FlipY, Rotate90},
	{true, true, Rotate180, FlipMinus1},
}
