package embed

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"

	"moderator/internal/imaging"
)

// preprocessing converts a decoded picture to the graph's input: the geometry, which package imaging applies, and
// (value·scale − mean[c]) / std[c] for each 8-bit value.
type preprocessing struct {
	target    imaging.Target
	scale     float64
	mean, std [3]float64
}

// canonical returns the text of p for the fingerprint. Two texts are equal if and only if the graph's inputs are.
func (p preprocessing) canonical() string {
	t := p.target
	return fmt.Sprintf("rgb shortest_edge=%d resize=%dx%d crop=%dx%d kernel=%s scale=%g mean=%g,%g,%g std=%g,%g,%g",
		t.ShortestEdge, t.ResizeWidth, t.ResizeHeight, t.CropWidth, t.CropHeight, t.Kernel,
		p.scale, p.mean[0], p.mean[1], p.mean[2], p.std[0], p.std[1], p.std[2])
}

// size is a JSON size: 224, {"shortest_edge": 224}, {"height": 224, "width": 224} or [height, width].
type size struct {
	edge          int // a number without a name
	ShortestEdge  int `json:"shortest_edge"`
	Height, Width int
}

func (s *size) UnmarshalJSON(data []byte) error {
	if json.Unmarshal(data, &s.edge) == nil {
		return positive(s.edge)
	}
	var sides []int
	if json.Unmarshal(data, &sides) == nil && len(sides) == 2 {
		s.Height, s.Width = sides[0], sides[1]
		return positive(sides...)
	}
	type plain size
	given, err := withoutNulls(data)
	if err == nil {
		err = strictJSON(given, (*plain)(s))
	}
	if err != nil || (s.ShortestEdge == 0) == (s.Height == 0 || s.Width == 0) {
		return fmt.Errorf(`size %s: wanted a number, {"shortest_edge": n} or {"height": n, "width": n}`, data)
	}
	return positive(max(s.ShortestEdge, s.Height), max(s.ShortestEdge, s.Width))
}

// withoutNulls removes the keys of a JSON object whose value is null, which count as absent.
func withoutNulls(object []byte) ([]byte, error) {
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(object, &keys); err != nil {
		return nil, err
	}
	maps.DeleteFunc(keys, func(_ string, value json.RawMessage) bool { return string(value) == "null" })
	return json.Marshal(keys)
}

func positive(sizes ...int) error {
	for _, n := range sizes {
		if n < 1 {
			return fmt.Errorf("size %d: wanted 1 pixel or more", n)
		}
	}
	return nil
}

// check refuses numbers that give an empty picture or an infinite input.
func (p preprocessing) check() error {
	if err := p.target.Validate(); err != nil {
		return err
	}
	if !(p.scale > 0) {
		return fmt.Errorf("rescale_factor %g: wanted more than 0 (usually 1/255)", p.scale)
	}
	for c := range 3 {
		if !(p.std[c] > 0) {
			return fmt.Errorf("image_std %g: wanted more than 0", p.std)
		}
	}
	return nil
}

// channels holds a number each for red, green and blue. In JSON it may be one number for all three.
type channels [3]float64

func (c *channels) UnmarshalJSON(data []byte) error {
	var one float64
	if json.Unmarshal(data, &one) == nil {
		*c = channels{one, one, one}
		return nil
	}
	var each []float64
	if json.Unmarshal(data, &each) != nil || len(each) != 3 {
		return fmt.Errorf("mean or std %s: wanted three numbers (red, green, blue)", data)
	}
	*c = channels(each)
	return nil
}

// filter is a resize kernel. In JSON it is the number or name of PIL.Image.Resampling.
type filter struct{ imaging.Kernel }

func (f *filter) UnmarshalJSON(data []byte) error {
	name := strings.ToLower(strings.Trim(string(data), `"`))
	kernel, ok := map[string]imaging.Kernel{
		"0": imaging.KernelNearest, "1": imaging.KernelLanczos3, "2": imaging.KernelLinear, "3": imaging.KernelCubic,
		"nearest": imaging.KernelNearest, "lanczos": imaging.KernelLanczos3, "bilinear": imaging.KernelLinear, "bicubic": imaging.KernelCubic,
	}[name]
	if !ok {
		return fmt.Errorf("resample %s is not supported: wanted 0 (nearest), 1 (lanczos), 2 (bilinear) or 3 (bicubic), or the name", data)
	}
	f.Kernel = kernel
	return nil
}
