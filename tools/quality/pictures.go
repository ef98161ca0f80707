package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"image"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"moderator/internal/imaging"
	"moderator/internal/synth"
	"moderator/internal/transforms"
)

// Pictures are of one of these sets, told by the beginning of their file's name.
const (
	photographs = "photographs"
	memes       = "memes"   // meme_*: templates; captions are written on them
	screens     = "screens" // screen_*
)

// original is one picture, which is flagged.
type original struct {
	name string
	set  string
	file []byte
	twin []byte // of a template: the same with another caption, which is not the same picture; else nil
}

// collection is all originals.
type collection struct {
	originals []original
}

// query is one upload: an edit of an original, or of a template with another caption.
type query struct {
	original int
	twin     bool
	other    int // laid beside or around by some edits; neither a match nor a false one; -1: none
	edit     transforms.Edit
	seed     uint64
}

// pictures reads the folder, or draws.
func (o options) pictures(stdout io.Writer) (*collection, error) {
	dir, err := o.imagesDir()
	if err != nil {
		return nil, err
	}
	if dir == "" {
		fmt.Fprintf(stdout, "pictures: %d drawn ones, since there is no --images and no MODERATOR_TESTDATA\n", o.Drawn)
		return drawnPictures(o.Drawn)
	}
	c, skipped, err := readPictures(dir)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(stdout, "pictures: %d of %s", len(c.originals), dir)
	if skipped > 0 {
		fmt.Fprintf(stdout, "; %d files are copies of others or no pictures, and are left out", skipped)
	}
	fmt.Fprintln(stdout)
	return c, nil
}

// imagesDir returns "" where pictures are to be drawn.
func (o options) imagesDir() (string, error) {
	if o.Images != "" {
		return o.Images, nil
	}
	data := os.Getenv("MODERATOR_TESTDATA")
	if data == "" {
		data = filepath.Join("..", "shared", "testdata")
	}
	dir := filepath.Join(data, "bench")
	if _, err := os.Stat(dir); err != nil {
		if os.IsNotExist(err) {
			return "", nil
		}
		return "", err
	}
	return dir, nil
}

func drawnPictures(n int) (*collection, error) {
	c := &collection{}
	for i := range n {
		file, err := transforms.Encode(synth.Draw(1, i, 640, 480), transforms.JPEG, 92)
		if err != nil {
			return nil, err
		}
		c.originals = append(c.originals, original{name: synth.Name(i), set: photographs, file: file})
	}
	return c, nil
}

// readPictures reads all pictures below a folder, in the order of their names. Files that are byte for byte the same count
// once.
func readPictures(dir string) (c *collection, skipped int, err error) {
	c = &collection{}
	seen := map[[sha256.Size]byte]bool{}
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		file, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(file)
		if _, ok := imaging.Sniff(file); !ok || seen[sum] || !readable(file) {
			skipped++
			return nil
		}
		seen[sum] = true
		o := original{name: entry.Name(), set: setOf(entry.Name()), file: file}
		if o.set == memes {
			if o.file, o.twin, err = captioned(file, len(c.originals)); err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
		}
		c.originals = append(c.originals, o)
		return nil
	})
	if err != nil {
		return nil, 0, fmt.Errorf("pictures in %s: %w", dir, err)
	}
	if len(c.originals) < 2 {
		return nil, 0, fmt.Errorf("pictures in %s: %d found, wanted 2 or more: give a folder of photographs with --images", dir, len(c.originals))
	}
	return c, skipped, nil
}

// readable tells whether a picture can be judged and edited at all.
func readable(file []byte) bool {
	p, err := transforms.Decode(file)
	if err != nil || min(p.Rect.Dx(), p.Rect.Dy()) < 32 {
		return false
	}
	_, err = imaging.Decode(file, imaging.Request{Gray: true, Limits: oneFrame()})
	return err == nil
}

func setOf(name string) string {
	switch {
	case strings.HasPrefix(name, "meme_"):
		return memes
	case strings.HasPrefix(name, "screen_"):
		return screens
	}
	return photographs
}

var captions = []string{
	"nobody expected this", "one does not simply", "me on a monday", "it works on my machine", "when the coffee is gone",
	"and then it was friday", "tell me more about that", "first day of the diet", "my code in production", "what did you say",
	"they said it was easy", "still waiting for lunch", "I have no idea", "why is it always me", "that was the last one",
	"read the manual they said", "so you like puzzles", "this is fine", "the meeting could be a mail", "not again",
	"almost there", "who did this", "ten minutes later", "the neighbours at night", "look what I found",
}

// captioned writes two different pairs of lines on a template.
func captioned(file []byte, i int) (a, b []byte, err error) {
	template, err := transforms.Decode(file)
	if err != nil {
		return nil, nil, err
	}
	if a, err = transforms.Encode(write(template, i), transforms.JPEG, 92); err != nil {
		return nil, nil, err
	}
	b, err = transforms.Encode(write(template, i+len(captions)*len(captions)/2), transforms.JPEG, 92)
	return a, b, err
}

// write captions a template with a pair of lines that no other number below 600 has: the same words in the same places would
// be one picture in another.
func write(template *image.RGBA, number int) *image.RGBA {
	n := len(captions)
	first := number % n
	return transforms.Caption(template, captions[first], captions[(first+1+number/n%(n-1))%n])
}

// plan lists the queries: the edits of a sample of n originals, and of every template's twin some of the easy ones.
// The sample and the edits depend on the seed and on the number of originals alone.
func (c *collection) plan(n int, seed uint64, edits []transforms.Edit) []query {
	r := rand.New(rand.NewPCG(seed, 1))
	var queries []query
	for k, i := range r.Perm(len(c.originals)) {
		if k == n {
			break
		}
		other := (i + 1 + r.IntN(len(c.originals)-1)) % len(c.originals)
		for _, e := range edits {
			q := query{original: i, other: -1, edit: e, seed: seed<<32 + uint64(i)}
			if e.NeedsOther() {
				q.other = other
			}
			queries = append(queries, q)
		}
	}
	for i, o := range c.originals {
		if o.twin == nil {
			continue
		}
		for _, e := range transforms.Quality()[:3] {
			queries = append(queries, query{original: i, twin: true, other: -1, edit: e, seed: seed<<32 + uint64(i)})
		}
	}
	return queries
}

// upload makes the file of a query.
func (c *collection) upload(q query) ([]byte, error) {
	o := c.originals[q.original]
	file := o.file
	if q.twin {
		file = o.twin
	}
	p, err := transforms.Decode(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.name, err)
	}
	other := p
	if q.other >= 0 {
		if other, err = transforms.Decode(c.originals[q.other].file); err != nil {
			return nil, fmt.Errorf("%s: %w", c.originals[q.other].name, err)
		}
	}
	data, err := q.edit.Apply(p, other, q.seed)
	if err != nil {
		return nil, fmt.Errorf("%s of %s: %w", q.edit.Name, o.name, err)
	}
	return bytes.Clone(data), nil
}

// key names the picture by its content.
func (o original) key() string { return fmt.Sprintf("%x", sha256.Sum256(o.file)) }

// kind is the set's, in the singular.
func (o original) kind() string {
	return map[string]string{photographs: "photograph", memes: "meme", screens: "screenshot"}[o.set]
}
