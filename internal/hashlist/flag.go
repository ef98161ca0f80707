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

// Flag is a flagged picture of a list. It has at least a SHA-256, a SHA-1, an MD5, a PDQ hash or an embedding.
type Flag struct {
	Bank       string // empty if the list does not say
	SHA256     []byte // of the file; nil if unknown
	SHA1       []byte // of the file; nil if unknown
	MD5        []byte // of the file; nil if unknown
	Source     string
	Note       string
	PDQ        []PDQ
	Embeddings []Embedding
	Keypoints  []byte // keypoint.Features in its stored form, or nil
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

// Model is a model of a list's embeddings.
type Model struct {
	Fingerprint string `json:"fingerprint"`
	Dims        int    `json:"dims"`
}

// original is the view of a hash in formats without views.
const original = "original"

// maxView is the longest name of a view, in bytes, as the name is part of a key.
const maxView = 100

// SignalKey identifies a flag whose file is unknown: the SHA-256 over its PDQ hashes in order, or over its vectors if it has
// no hashes. The same flag has the same key in every list.
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
		_, _ = h.Write(part) // never fails
	}
	return h.Sum(nil)
}

// check drops PDQ hashes of low quality. Its error says why the flag cannot be stored.
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
			return fmt.Errorf("the PDQ quality is %d, wanted 0 to 100", p.Quality)
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
	if !f.HasFile() && len(f.PDQ) == 0 && len(f.Embeddings) == 0 {
		if lowest < pdq.MinQuality {
			return fmt.Errorf("its only signal is a PDQ hash of quality %d, wanted %d or more: hashes of flat pictures match by chance", lowest, pdq.MinQuality)
		}
		return errors.New("it has no signal: wanted a SHA-256, a SHA-1, an MD5, a PDQ hash or an embedding")
	}
	return nil
}

func checkView(view string) error {
	if view == "" || len(view) > maxView {
		return fmt.Errorf("the view is %.20q, wanted 1 to %d bytes such as %q", view, maxView, original)
	}
	return checkText("view", view)
}

// checkText refuses text that the database cannot store.
func checkText(what, text string) error {
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return fmt.Errorf("the %s is not text: wanted UTF-8 without NUL", what)
	}
	return nil
}

// Sort sorts views in the order of lists.
func (f *Flag) Sort() {
	slices.SortFunc(f.PDQ, func(a, b PDQ) int { return cmp.Compare(a.View, b.View) })
	slices.SortFunc(f.Embeddings, func(a, b Embedding) int {
		return cmp.Or(cmp.Compare(a.Model, b.Model), cmp.Compare(a.View, b.View))
	})
}

// HasFile reports whether a hash of the file is known.
func (f Flag) HasFile() bool { return f.SHA256 != nil || f.SHA1 != nil || f.MD5 != nil }

// Key identifies the flag in its bank: the SHA-256 of its file, or else the SHA-1, or else the MD5, or else SignalKey.
func (f Flag) Key() []byte {
	switch {
	case f.SHA256 != nil:
		return f.SHA256
	case f.SHA1 != nil:
		return f.SHA1
	case f.MD5 != nil:
		return f.MD5
	}
	return f.SignalKey()
}
