package hashlist

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/x448/float16"

	"moderator/internal/pdq"
)

// Version is the version of moderator's own format. It grows when an older reader would misread a list. New fields that an
// older reader may ignore do not change it.
const Version = 1

const ownFormat = "moderator-flags"

// Header is the first line of moderator's own format.
type Header struct {
	Format  string `json:"format"`
	Version int    `json:"version"`
	// Models are the models of the list's embeddings.
	Models []Model `json:"models"`
	// DisabledBanks are the list's banks that were disabled when it was written.
	DisabledBanks []string `json:"disabled_banks,omitempty"`
}

// parseHeader returns ok false if the line is not a header.
func parseHeader(line []byte) (h Header, ok bool, err error) {
	if json.Unmarshal(line, &h) != nil || h.Format != ownFormat {
		return h, false, nil
	}
	if h.Version < 1 || h.Version > Version {
		return h, true, fmt.Errorf("the list has version %d, this flagctl reads up to %d: use a newer flagctl", h.Version, Version)
	}
	return h, true, nil
}

// line is a flag in moderator's own format. The order of the fields is part of it.
type line struct {
	Bank       string          `json:"bank,omitempty"`
	SHA256     hexBytes        `json:"sha256,omitempty"`
	SHA1       hexBytes        `json:"sha1,omitempty"`
	MD5        hexBytes        `json:"md5,omitempty"`
	Source     string          `json:"source,omitempty"`
	Note       string          `json:"note,omitempty"`
	PDQ        []linePDQ       `json:"pdq,omitempty"`
	Embeddings []lineEmbedding `json:"embeddings,omitempty"`
	Keypoints  []byte          `json:"keypoints,omitempty"`
}

type linePDQ struct {
	View    string   `json:"view"`
	Hash    hexBytes `json:"hash"`
	Quality int      `json:"quality"`
}

type lineEmbedding struct {
	Model   string     `json:"model"`
	View    string     `json:"view"`
	Penalty float32    `json:"half"`
	Vector  halfVector `json:"vector"`
}

// hexBytes is bytes as hexadecimal digits. Reading takes both cases.
type hexBytes []byte

func (h hexBytes) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, h), nil }

func (h *hexBytes) UnmarshalText(text []byte) (err error) {
	*h, err = hex.AppendDecode(nil, text)
	return err
}

// halfVector is base64 of little-endian IEEE 754 binary16 numbers, as the library stores them.
type halfVector []float32

func (v halfVector) MarshalText() ([]byte, error) {
	raw := make([]byte, 0, 2*len(v))
	for _, x := range v {
		raw = binary.LittleEndian.AppendUint16(raw, float16.Fromfloat32(x).Bits())
	}
	return base64.StdEncoding.AppendEncode(nil, raw), nil
}

func (v *halfVector) UnmarshalText(text []byte) error {
	raw, err := base64.StdEncoding.AppendDecode(nil, text)
	if err != nil || len(raw)%2 != 0 {
		return errors.New("the vector is not base64 of 16-bit numbers")
	}
	*v = make([]float32, len(raw)/2)
	for i := range *v {
		(*v)[i] = float16.Frombits(binary.LittleEndian.Uint16(raw[2*i:])).Float32()
	}
	return nil
}

func parseLine(text []byte) (Flag, error) {
	var l line
	if err := json.Unmarshal(text, &l); err != nil {
		return Flag{}, fmt.Errorf("not a flag: %w", err)
	}
	f := Flag{Bank: l.Bank, Source: l.Source, Note: l.Note, Keypoints: l.Keypoints}
	var err, errSHA1, errMD5 error
	f.SHA256, err = sized("SHA-256", l.SHA256, 32)
	f.SHA1, errSHA1 = sized("SHA-1", l.SHA1, 20)
	f.MD5, errMD5 = sized("MD5", l.MD5, 16)
	if err := errors.Join(err, errSHA1, errMD5); err != nil {
		return f, err
	}
	for _, p := range l.PDQ {
		hash, err := sized("PDQ hash", p.Hash, pdq.Bits/8)
		if err != nil || hash == nil {
			return f, errors.Join(err, errors.New("a PDQ entry without its hash"))
		}
		f.PDQ = append(f.PDQ, PDQ{View: p.View, Hash: pdq.Hash(hash), Quality: p.Quality})
	}
	for _, e := range l.Embeddings {
		f.Embeddings = append(f.Embeddings, Embedding{Model: e.Model, View: e.View, Penalty: e.Penalty, Vector: e.Vector})
	}
	return f, nil
}

// sized checks the size of a hash, in bytes. An empty hash is nil.
func sized(what string, raw []byte, size int) ([]byte, error) {
	switch len(raw) {
	case 0:
		return nil, nil
	case size:
		return raw, nil
	}
	return nil, fmt.Errorf("the %s has %d hexadecimal digits, wanted %d", what, 2*len(raw), 2*size)
}

func formatLine(f Flag) line {
	l := line{Bank: f.Bank, SHA256: f.SHA256, SHA1: f.SHA1, MD5: f.MD5, Source: f.Source, Note: f.Note, Keypoints: f.Keypoints}
	for _, p := range f.PDQ {
		l.PDQ = append(l.PDQ, linePDQ{p.View, p.Hash[:], p.Quality})
	}
	for _, e := range f.Embeddings {
		l.Embeddings = append(l.Embeddings, lineEmbedding{e.Model, e.View, e.Penalty, e.Vector})
	}
	return l
}
