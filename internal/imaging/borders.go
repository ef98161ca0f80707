package imaging

// trim finds what uniform borders leave of a picture.
func trim(c *canvas) (r rect, ok bool) { return rect{}, false }
