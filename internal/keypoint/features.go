package keypoint

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Side is the longer side, in pixels, of the plane that points are looked for in.
const Side = 320

// How many points are kept: a flag's are stored, an upload's are looked at once, and much of it may not be the flag.
const (
	FlagPoints   = 200
	UploadPoints = 500
)

// Point is one point of a picture.
type Point struct {
	X, Y  float32 // pixels
	Scale float32 // sigma, in pixels
	Angle float32 // radians, clockwise from the x axis, as y goes down
	Bits  Bits
}

// Features are the points of a plane.
type Features struct {
	Width, Height int
	Points        []Point
}

// Size is the plane that a picture of width x height pixels is to be brought to.
func Size(width, height int) (int, int) {
	k := Side / float64(max(width, height))
	return max(1, int(float64(width)*k+0.5)), max(1, int(float64(height)*k+0.5))
}

// Extract finds at most most points in a luma plane of width x height bytes, row by row, whose longer side is Side.
func Extract(width, height int, luma []byte, most int) Features {
	f := Features{Width: width, Height: height}
	space := takeSpace(width * height)
	defer space.give()
	octaves := space.scaleSpace(width, height, luma)
	for _, e := range spread(space.extrema(octaves), octaves, width, height, most) {
		o := &octaves[e.octave]
		plane := o.blurred[e.interval]
		for _, angle := range directions(plane, e) {
			if len(f.Points) < most {
				f.Points = append(f.Points, Point{e.x * o.step, e.y * o.step, e.scale * o.step, angle, describe(plane, e, angle)})
			}
		}
	}
	return f
}

// The stored form: a version, the plane's size, then 22 bytes a point.
const (
	version   = 1
	header    = 5
	pointSize = 22
	perPixel  = 64 // steps of the stored coordinates
	perOctave = 32 // steps of the stored scale
	fullTurn  = 256
)

// MarshalBinary is the stored form: version, width and height, then of each point x and y in 1/64 pixel, the logarithm of its scale, its angle in 1/256
// turn, and its bits.
func (f Features) MarshalBinary() ([]byte, error) {
	out := make([]byte, 0, header+pointSize*len(f.Points))
	out = append(out, version)
	out = binary.LittleEndian.AppendUint16(out, uint16(f.Width))
	out = binary.LittleEndian.AppendUint16(out, uint16(f.Height))
	for _, p := range f.Points {
		out = binary.LittleEndian.AppendUint16(out, uint16(p.X*perPixel+0.5))
		out = binary.LittleEndian.AppendUint16(out, uint16(p.Y*perPixel+0.5))
		out = append(out, byte(math.Round(min(255, max(0, math.Log2(float64(p.Scale))*perOctave)))))
		out = append(out, byte(int(math.Round(float64(p.Angle)/(2*math.Pi)*fullTurn))))
		out = binary.LittleEndian.AppendUint64(out, p.Bits[0])
		out = binary.LittleEndian.AppendUint64(out, p.Bits[1])
	}
	return out, nil
}

// scales are the stored ones.
var scales = func() (s [256]float32) {
	for i := range s {
		s[i] = float32(math.Exp2(float64(i) / perOctave))
	}
	return s
}()

// StoredSize is the size in bytes of the stored form of so many points. The stored form of more points begins with it.
func StoredSize(points int) int { return header + pointSize*points }

// UnmarshalBinary reads the stored form of a flag's points.
func (f *Features) UnmarshalBinary(data []byte) error {
	if len(data) < header || data[0] != version || (len(data)-header)%pointSize != 0 || len(data) > header+FlagPoints*pointSize {
		return fmt.Errorf("keypoints: %d bytes, want version %d, a size and %d bytes a point, of which there are at most %d",
			len(data), version, pointSize, FlagPoints)
	}
	le := binary.LittleEndian
	*f = Features{Width: int(le.Uint16(data[1:])), Height: int(le.Uint16(data[3:])), Points: make([]Point, 0, (len(data)-header)/pointSize)}
	for data = data[header:]; len(data) > 0; data = data[pointSize:] {
		f.Points = append(f.Points, Point{
			X: float32(le.Uint16(data)) / perPixel, Y: float32(le.Uint16(data[2:])) / perPixel,
			Scale: scales[data[4]], Angle: float32(data[5]) / fullTurn * 2 * math.Pi,
			Bits: Bits{le.Uint64(data[6:]), le.Uint64(data[14:])},
		})
	}
	return nil
}

// mirrored gives the points of the mirrored picture.
func (f Features) mirrored() Features {
	m := Features{f.Width, f.Height, make([]Point, len(f.Points))}
	for i, p := range f.Points {
		m.Points[i] = Point{float32(f.Width-1) - p.X, p.Y, p.Scale, math.Pi - p.Angle, p.Bits.mirrored()}
	}
	return m
}

// inverted gives the points of the negative.
func (f Features) inverted() Features {
	m := Features{f.Width, f.Height, make([]Point, len(f.Points))}
	for i, p := range f.Points {
		m.Points[i] = Point{p.X, p.Y, p.Scale, p.Angle + math.Pi, p.Bits.inverted()}
	}
	return m
}
