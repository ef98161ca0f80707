package console

import (
	"image"
	"net/http"
	"strings"

	"golang.org/x/image/draw"
)

// lookCookie has how a browser shows pictures: a blur of blurWidths or "none", and "grey" or "colour", joined by a dot. The
// page's script writes it.
const lookCookie = "moderator_look"

// blurWidths are the widths in pixels to which pictures are reduced. The strong blur is enough to tell a beach from a page of text.
var blurWidths = map[string]int{"strong": 20, "medium": 40, "light": 80}

// look is how pictures are shown.
type look struct {
	blur int // width in pixels to which they are reduced; 0: none
	grey bool
}

// lookOf returns the look that a browser has chosen: by default, the strongest.
func lookOf(r *http.Request) look {
	chosen := look{blur: blurWidths["strong"], grey: true}
	cookie, err := r.Cookie(lookCookie)
	if err != nil {
		return chosen
	}
	blur, colour, _ := strings.Cut(cookie.Value, ".")
	if width, known := blurWidths[blur]; known || blur == "none" {
		chosen.blur = width
	}
	chosen.grey = colour != "colour"
	return chosen
}

// apply returns the picture as it is shown. The result has no hidden details.
func (l look) apply(picture image.Image) image.Image {
	made := func(size image.Rectangle) draw.Image {
		if l.grey {
			return image.NewGray(size)
		}
		return image.NewRGBA(size)
	}
	size := picture.Bounds().Size()
	shown := made(image.Rect(0, 0, size.X, size.Y))
	if l.blur == 0 || l.blur >= size.X {
		draw.Draw(shown, shown.Bounds(), picture, picture.Bounds().Min, draw.Src)
		return shown
	}
	small := made(image.Rect(0, 0, l.blur, max(2, l.blur*size.Y/size.X)))
	draw.BiLinear.Scale(small, small.Bounds(), picture, picture.Bounds(), draw.Src, nil)
	draw.CatmullRom.Scale(shown, shown.Bounds(), small, small.Bounds(), draw.Src, nil)
	return shown
}
