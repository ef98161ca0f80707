package hashlist

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/x448/float16"

	"moderator/internal/keypoint"
	"moderator/internal/pdq"
)

// Flag is a flagged picture as lists carry it. Of SHA-256, MD5, PDQ hashes and embeddings there is at least one.
type Flag struct {
	Bank       string // "" where the list does not say
	SHA256     []byte // of the file; nil where it is not known
	MD5        []byte // the same
	Source     string
	Note       string
	PDQ        []PDQ
	Embeddings []Embedding
	Keypoints  []byte // keypoint.Features as it is stored; nil for none
}

// PDQ is the hash of one view.
type PDQ struct {
	View    string
	Hash    pdq.Hash
	Quality int // pdq.MinQuality to 100
}

// Embedding is the vector of one view.
type Embedding struct {
	Model   string // fingerprint
	View    string
	Penalty float32   // penalty(r) of the score
	Vector  []float32 // in half precision
}

// Model is a model that embeddings of a list are made by.
type Model struct {
	Fingerprint string `json:"fingerprint"`
	Dims        int    `json:"dims"`
}

// original is the view of a hash whose list knows no views.
const original = "original"

// maxView bounds a view's name, in bytes, as it is part of a key.
const maxView = 100

// SignalKey is what a flag of an unknown file is known by: the SHA-256 over its PDQ hashes in their order, or where it has
// none over its vectors. The same flag in another list, or in the same one read again, has the same.
func (f Flag) SignalKey() []byte {
	var parts [][]byte
	for _, p := range f.PDQ {
		parts = append(parts, append([]byte("pdq"), p.Hash[:]...))
	}
	for _, e := range f.Embeddings {
		if len(f.PDQ) > 0 {
			break
		}
		part := []byte("embedding" + e.Model)
		for _, x := range e.Vector {
			part = binary.LittleEndian.AppendUint16(part, float16.Fromfloat32(x).Bits())
		}
		parts = append(parts, part)
	}
	slices.SortFunc(parts, slices.Compare)
	h := sha256.New()
	for _, part := range slices.CompactFunc(parts, slices.Equal) {
		_, _ = h.Write(part) // a hash never fails to write
	}
	return h.Sum(nil)
}

// check drops PDQ hashes of too low a quality, and says what keeps the flag from being stored.
func (f *Flag) check() error {
	if err := errors.Join(checkText("source", f.Source), checkText("note", f.Note)); err != nil {
		return err
	}
	lowest := 101
	f.PDQ = slices.DeleteFunc(f.PDQ, func(p PDQ) bool {
		lowest = min(lowest, p.Quality)
		return p.Quality < pdq.MinQuality
	})
	for _, p := range f.PDQ {
		if p.Quality > 100 {
			return fmt.Errorf("the PDQ quality is %d, wanted is 0 to 100", p.Quality)
		}
		if err := checkView(p.View); err != nil {
			return err
		}
	}
	for _, e := range f.Embeddings {
		if err := checkView(e.View); err != nil {
			return err
		}
	}
	if f.Keypoints != nil {
		if err := new(keypoint.Features).UnmarshalBinary(f.Keypoints); err != nil {
			return err
		}
	}
	if f.SHA256 == nil && f.MD5 == nil && len(f.PDQ) == 0 && len(f.Embeddings) == 0 {
		if lowest < pdq.MinQuality {
			return fmt.Errorf("its only signal is a PDQ hash of quality %d, wanted is %d or more: hashes of flat pictures meet by chance", lowest, pdq.MinQuality)
		}
		return errors.New("it has no signal: wanted is a SHA-256, an MD5, a PDQ hash or an embedding")
	}
	return nil
}

func checkView(view string) error {
	if view == "" || len(view) > maxView {
		return fmt.Errorf("the view is %.20q, wanted are 1 to %d bytes such as %q", view, maxView, original)
	}
	return checkText("view", view)
}

// checkText refuses what the database cannot store as text.
func checkText(what, text string) error {
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return fmt.Errorf("the %s is no text: wanted is UTF-8 without NUL", what)
	}
	return nil
}

// Sort puts views into the order in which lists carry them.
func (f *Flag) Sort() {
	slices.SortFunc(f.PDQ, func(a, b PDQ) int { return cmp.Compare(a.View, b.View) })
	slices.SortFunc(f.Embeddings, func(a, b Embedding) int {
		return cmp.Or(cmp.Compare(a.Model, b.Model), cmp.Compare(a.View, b.View))
	})
}
