package transforms

import "image"

// FileEdit is one change of a picture file.
type FileEdit struct {
	Name  string
	Apply func(data []byte) ([]byte, error)
}

// Demo is the edits that the demo uploads of each flagged picture. They must always be recognised.
var Demo = []FileEdit{
	{"recompressed", onFile(unchanged, 60)},
	{"half size", onFile(halfSize, defaultQuality)},
	{"brightness", onFile(func(_ *editor, p *image.RGBA) *image.RGBA {
		return eachPixel(p, func(r, g, b float64) (float64, float64, float64) { return r * 1.2, g * 1.2, b * 1.2 })
	}, defaultQuality)},
	{"grey", onFile(grey, defaultQuality)},
	{"crop 90 %", onFile(func(_ *editor, p *image.RGBA) *image.RGBA { return part(p, 0.9, 0.5, 0.5) }, defaultQuality)},
	{"mirrored", onFile(mirror, defaultQuality)},
	{"quarter turn", onFile(func(_ *editor, p *image.RGBA) *image.RGBA {
		w, h := size(p)
		return remap(p, h, w, func(x, y int) (int, int) { return y, h - 1 - x })
	}, defaultQuality)},
	{"PNG, JPEG, WebP", throughFormats},
}

// onFile makes an edit without random choices an edit of files.
func onFile(change func(*editor, *image.RGBA) *image.RGBA, quality int) func([]byte) ([]byte, error) {
	return func(data []byte) ([]byte, error) {
		p, err := Decode(data)
		if err != nil {
			return nil, err
		}
		e := &editor{}
		p = change(e, p)
		if e.err != nil {
			return nil, e.err
		}
		return Encode(p, JPEG, quality)
	}
}

// throughFormats encodes a picture as PNG, decodes that and encodes it as JPEG, and then as WebP.
func throughFormats(data []byte) ([]byte, error) {
	for _, f := range []Format{PNG, JPEG, WebP} {
		p, err := Decode(data)
		if err != nil {
			return nil, err
		}
		if data, err = Encode(p, f, 80); err != nil {
			return nil, err
		}
	}
	return data, nil
}
