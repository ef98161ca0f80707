package keypoint

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Side is the longer side of a picture in the unit of all coordinates and scales.
const Side = 320

// planeSide is the longer side, in pixels, of the plane that points are looked for in. A flag that fills a third of an upload has
// 213 pixels there, of which its coarse points need no more.
const planeSide = 2 * Side

// coarseSide is the longer side of the coarse pass's plane. It has a third of the pixels.
const coarseSide = 384

// How many points are kept: a flag's are stored, an upload's are looked at once, and much of it may not be the flag. A coarse
// pass over an upload says whether it is worth that.
const (
	FlagPoints   = 200
	UploadPoints = 600
	CoarsePoints = 300
)

// Point is one point of a picture.
type Point struct {
	X, Y  float32 // of a picture whose longer side is Side
	Scale float32 // sigma, in the same unit
	Angle float32 // radians, clockwise from the x axis, as y goes down
	Bits  Bits
}

// Features are the points of a picture.
type Features struct {
	Width, Height int     // the longer one is Side
	Finest        float32 // the scale from which on points are looked for
	Points        []Point
	Frame         Frame // of flags
}

// Size is the plane that a picture of width x height pixels is to be brought to. A small one is enlarged twofold, as more shows
// nothing more, and a very small one to Side.
func Size(width, height int) (int, int) {
	return within(planeSide, width, height)
}

// CoarseSize is the plane of the coarse pass.
func CoarseSize(width, height int) (int, int) { return within(coarseSide, width, height) }

func within(side, width, height int) (int, int) {
	return sized(width, height, max(Side, min(side, 2*max(width, height))))
}

func sized(width, height, side int) (int, int) {
	k := float64(side) / float64(max(width, height))
	return max(1, int(float64(width)*k+0.5)), max(1, int(float64(height)*k+0.5))
}

// Extract finds at most most points in a luma plane of width x height bytes, row by row.
func Extract(width, height int, luma []byte, most int) Features {
	k := Side / float32(max(width, height)) // pixels of the Features for one of the plane
	f := Features{Finest: firstSigma * k, Points: make([]Point, 0, most)}
	f.Width, f.Height = sized(width, height, Side)
	space := takeSpace(width * height)
	defer space.give()
	octaves := space.scaleSpace(width, height, luma, forExtremes)
	for _, e := range spread(space.extrema(octaves), octaves, width, height, most) {
		o := &octaves[e.octave]
		plane := o.blurred[e.interval]
		angles, n := directions(plane, e)
		for _, angle := range angles[:n] {
			if len(f.Points) < most {
				f.Points = append(f.Points, Point{
					(e.x*o.step+0.5)*k - 0.5, (e.y*o.step+0.5)*k - 0.5, e.scale * o.step * k, angle, describe(plane, e, angle),
				})
			}
		}
	}
	return f
}

// The stored form: a version, the size, the least scale and the number of points, then 22 bytes a point, and the Frame.
const (
	version   = 3
	header    = 7
	pointSize = 22
	perPixel  = 64 // steps of the stored coordinates
	perOctave = 32 // steps of the stored scale
	fullTurn  = 256
)

// MarshalBinary is the stored form: version, width, height, the logarithm of the least scale and the number of points, then of each point x and y in
// 1/64 pixel, the logarithm of its scale, its angle in 1/256 turn, and its bits; then the Frame.
func (f Features) MarshalBinary() ([]byte, error) {
	out := make([]byte, 0, header+pointSize*len(f.Points)+frameSize)
	out = append(out, version)
	out = binary.LittleEndian.AppendUint16(out, uint16(f.Width))
	out = binary.LittleEndian.AppendUint16(out, uint16(f.Height))
	out = append(out, storedScale(f.Finest), byte(len(f.Points)))
	for _, p := range f.Points {
		out = binary.LittleEndian.AppendUint16(out, uint16(max(0, p.X)*perPixel+0.5))
		out = binary.LittleEndian.AppendUint16(out, uint16(max(0, p.Y)*perPixel+0.5))
		out = append(out, storedScale(p.Scale), byte(int(math.Round(float64(p.Angle)/(2*math.Pi)*fullTurn))))
		out = binary.LittleEndian.AppendUint64(out, p.Bits[0])
		out = binary.LittleEndian.AppendUint64(out, p.Bits[1])
	}
	return f.Frame.appendTo(out), nil
}

// storedScale is a scale in 32nds of an octave above 1/2.
func storedScale(scale float32) byte {
	return byte(math.Round(min(255, max(0, math.Log2(2*float64(scale))*perOctave))))
}

// scales are the stored ones.
var scales = func() (s [256]float32) {
	for i := range s {
		s[i] = float32(math.Exp2(float64(i)/perOctave - 1))
	}
	return s
}()

// StoredSize is the size in bytes of the stored form of so many points. The stored form of more points begins with it.
func StoredSize(points int) int { return header + pointSize*points }

// UnmarshalBinary reads the stored form of a flag.
func (f *Features) UnmarshalBinary(data []byte) error {
	rest, err := f.UnmarshalStart(data)
	if err != nil {
		return err
	}
	if len(rest) != frameSize {
		return fmt.Errorf("keypoints: %d bytes, want %d for %d points", len(data), StoredSize(int(data[header-1]))+frameSize, data[header-1])
	}
	f.Frame.read(rest)
	return nil
}

// UnmarshalStart reads the first points of a stored form that is cut off after some, without its Frame, and returns what is left.
func (f *Features) UnmarshalStart(data []byte) (rest []byte, err error) {
	if len(data) < header || data[0] != version || data[header-1] > FlagPoints {
		return nil, fmt.Errorf("keypoints: %d bytes that begin with %d, want version %d, a size and at most %d points: flags of another version of moderator are added again",
			len(data), data[:min(len(data), header)], version, FlagPoints)
	}
	le := binary.LittleEndian
	width, height := int(le.Uint16(data[1:])), int(le.Uint16(data[3:]))
	if max(width, height) > Side || min(width, height) < 1 {
		return nil, fmt.Errorf("keypoints: a picture of %d x %d, want sides of 1 to %d", width, height, Side)
	}
	points := data[header:min(len(data), StoredSize(int(data[header-1])))]
	if len(points)%pointSize != 0 {
		return nil, fmt.Errorf("keypoints: %d bytes, which end within a point of %d", len(data), pointSize)
	}
	rest = data[header+len(points):]
	*f = Features{Width: width, Height: height, Finest: scales[data[5]], Points: make([]Point, 0, len(points)/pointSize)}
	for ; len(points) > 0; points = points[pointSize:] {
		f.Points = append(f.Points, Point{
			X: float32(le.Uint16(points)) / perPixel, Y: float32(le.Uint16(points[2:])) / perPixel,
			Scale: scales[points[4]], Angle: float32(points[5]) / fullTurn * 2 * math.Pi,
			Bits: Bits{le.Uint64(points[6:]), le.Uint64(points[14:])},
		})
	}
	return rest, nil
}

// mirrored gives the points of the mirrored picture.
func (f Features) mirrored() Features {
	m := Features{Width: f.Width, Height: f.Height, Finest: f.Finest, Points: make([]Point, len(f.Points))}
	for i, p := range f.Points {
		m.Points[i] = Point{float32(f.Width-1) - p.X, p.Y, p.Scale, math.Pi - p.Angle, p.Bits.mirrored()}
	}
	return m
}

// inverted gives the points of the negative.
func (f Features) inverted() Features {
	m := Features{Width: f.Width, Height: f.Height, Finest: f.Finest, Points: make([]Point, len(f.Points))}
	for i, p := range f.Points {
		m.Points[i] = Point{p.X, p.Y, p.Scale, p.Angle + math.Pi, p.Bits.inverted()}
	}
	return m
}
