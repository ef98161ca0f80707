package hma

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"regexp"
	"strings"

	"github.com/x448/float16"

	"moderator/internal/pdq"
)

// Content types, and the signal types of each.
const (
	photo = "photo"
	video = "video"

	typePDQ = "pdq"
	typeMD5 = "video_md5"
	typeOwn = "moderator" // the embedding of the picture as it is
)

// signalTypes are those of a content type, or nil.
func signalTypes(content string) []string {
	switch content {
	case photo:
		return []string{typePDQ, typeOwn}
	case video:
		return []string{typeMD5}
	}
	return nil
}

// allTypes are the signal types.
var allTypes = []string{typePDQ, typeMD5, typeOwn}

// signal is one of a file: the field of its type is set.
type signal struct {
	kind   string
	hash   pdq.Hash
	md5    string    // 32 lower-case digits
	vector []float32 // L2-normalised
}

// ownVersion is that of the text of an embedding: m1.FINGERPRINT.VECTOR, the first 8 digits of the model's fingerprint and
// base64 (URL alphabet, no padding) of the vector in half precision, little-endian. 256 dimensions take 695 bytes.
const ownVersion = "m1."

const fingerprintDigits = 8

// formatOwn writes an embedding.
func formatOwn(fingerprint string, vector []float32) string {
	var halves []byte
	for _, x := range vector {
		halves = binary.LittleEndian.AppendUint16(halves, float16.Fromfloat32(x).Bits())
	}
	return ownVersion + fingerprint[:fingerprintDigits] + "." + base64.RawURLEncoding.EncodeToString(halves)
}

func parseOwn(fingerprint, text string) ([]float32, error) {
	rest, ok := strings.CutPrefix(text, ownVersion)
	model, encoded, ok2 := strings.Cut(rest, ".")
	halves, err := base64.RawURLEncoding.DecodeString(encoded)
	if !ok || !ok2 || err != nil || len(halves)%2 != 0 {
		return nil, badRequest("invalid %s signal: want the text that /h/hash answers", typeOwn)
	}
	if model != fingerprint[:fingerprintDigits] {
		return nil, badRequest("invalid %s signal: it is of model %.8q, and this moderator's is %.8s: hash the picture again", typeOwn, model, fingerprint)
	}
	vector := make([]float32, len(halves)/2)
	for i := range vector {
		vector[i] = float16.Frombits(binary.LittleEndian.Uint16(halves[2*i:])).Float32()
	}
	return vector, nil
}

var lowerHex = regexp.MustCompile(`^[0-9a-f]*$`)

// parseSignal reads a signal's text. The error is a 400.
func parseSignal(fingerprint, kind, text string) (s signal, err error) {
	s.kind = kind
	switch kind {
	case typePDQ:
		s.hash, err = pdq.Parse(text)
		if err != nil || !lowerHex.MatchString(text) {
			return s, badRequest("invalid %s signal: want %d lower-case hexadecimal digits", kind, pdq.Bits/4)
		}
	case typeMD5:
		sum, err := hex.DecodeString(text)
		if err != nil || len(sum) != 16 {
			return s, badRequest("invalid %s signal: want 32 hexadecimal digits", kind)
		}
		s.md5 = hex.EncodeToString(sum)
	case typeOwn:
		s.vector, err = parseOwn(fingerprint, text)
	default:
		return s, badRequest("No such signal type '%s'", kind)
	}
	return s, err
}
