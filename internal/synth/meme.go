package synth

import (
	"math/rand/v2"
	"strings"
)

// meme is another picture with a caption in large letters above and below.
func meme(c *canvas, r *rand.Rand) {
	w, h, u := c.size()
	templates := []func(*canvas, *rand.Rand){landscape, portrait, stillLife, street, room, leaves}
	pick(r, templates)(c, r)
	l := set(bold, between(r, 30, 52)*u)
	top := l.wrap(strings.ToUpper(words(r, among(r, 2, 6))), 0.92*w)
	for i, line := range top {
		c.outlined(l, line, (w-l.width(line))/2, l.size*(1.15+1.1*float64(i)))
	}
	if chance(r, 0.85) {
		bottom := l.wrap(strings.ToUpper(words(r, among(r, 2, 6))), 0.92*w)
		for i, line := range bottom {
			c.outlined(l, line, (w-l.width(line))/2, h-l.size*(0.4+1.1*float64(len(bottom)-1-i)))
		}
	}
}
