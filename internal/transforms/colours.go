package transforms

import (
	"image"
	"math"
)

func unchanged(_ *editor, p *image.RGBA) *image.RGBA { return p }

func grey(_ *editor, p *image.RGBA) *image.RGBA {
	return eachPixel(p, func(r, g, b float64) (float64, float64, float64) {
		y := luma(r, g, b)
		return y, y, y
	})
}

// brightnessContrast makes a picture brighter with more contrast or darker with less.
func brightnessContrast(e *editor, p *image.RGBA) *image.RGBA {
	bright, contrast := 1.25, 1.25
	if e.coin() {
		bright, contrast = 0.75, 0.8
	}
	f := func(v float64) float64 { return (v*bright-128)*contrast + 128 }
	return eachPixel(p, func(r, g, b float64) (float64, float64, float64) { return f(r), f(g), f(b) })
}

func gamma(_ *editor, p *image.RGBA) *image.RGBA {
	f := func(v float64) float64 { return 255 * math.Pow(v/255, 0.6) }
	return eachPixel(p, func(r, g, b float64) (float64, float64, float64) { return f(r), f(g), f(b) })
}

// saturationHue raises the saturation by half, and turns the hue by 30 degrees about the grey axis.
func saturationHue(e *editor, p *image.RGBA) *image.RGBA {
	angle := math.Pi / 6
	if e.coin() {
		angle = -angle
	}
	return eachPixel(turnedHue(p, angle), func(r, g, b float64) (float64, float64, float64) {
		y := luma(r, g, b)
		return y + 1.5*(r-y), y + 1.5*(g-y), y + 1.5*(b-y)
	})
}

// turnedHue rotates colours about the grey axis (Rodrigues' formula).
func turnedHue(p *image.RGBA, angle float64) *image.RGBA {
	sin, cos := math.Sincos(angle)
	a, s := (1-cos)/3, sin/math.Sqrt(3)
	return eachPixel(p, func(r, g, b float64) (float64, float64, float64) {
		sum := a * (r + g + b)
		return cos*r + sum + s*(b-g), cos*g + sum + s*(r-b), cos*b + sum + s*(g-r)
	})
}

// sepia uses the common sepia matrix.
func sepia(_ *editor, p *image.RGBA) *image.RGBA {
	return eachPixel(p, func(r, g, b float64) (float64, float64, float64) {
		return 0.393*r + 0.769*g + 0.189*b, 0.349*r + 0.686*g + 0.168*b, 0.272*r + 0.534*g + 0.131*b
	})
}

func negative(_ *editor, p *image.RGBA) *image.RGBA {
	return eachPixel(p, func(r, g, b float64) (float64, float64, float64) { return 255 - r, 255 - g, 255 - b })
}

// noise adds Gaussian noise to each channel; sigma is in levels of 255.
func (e *editor) noise(p *image.RGBA, sigma float64) *image.RGBA {
	return eachPixel(p, func(r, g, b float64) (float64, float64, float64) {
		return r + sigma*e.NormFloat64(), g + sigma*e.NormFloat64(), b + sigma*e.NormFloat64()
	})
}
