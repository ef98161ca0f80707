package pdq

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/bits"
)

// Bits is the length of a hash.
const Bits = 256

// MaxDistance is the largest distance in bits at which two pictures match, as
// the authors of PDQ recommend.
const MaxDistance = 31

// MinQuality is the lowest quality at which a hash is used, as the authors of
// PDQ recommend. Below it there is too little detail, and hashes of unrelated
// pictures match.
const MinQuality = 50

// FlatQuality is the lowest quality of a picture with detail. A picture below it is compared by its file's hash only. It is
// far below [MinQuality], which screenshots, dark and blurred pictures miss although other signals tell them apart. Of 373
// photographs, templates and screens, the lowest quality was 57. Blurred to patches of 40 pixels they had 9, and with a tenth
// of their contrast, where no signal finds them, 2 to 42. Solid colours have 0, and the network takes 1 in 90 pairs of them
// for one picture; gradients have 0 to 11, and 1 in 120.
const FlatQuality = 10

// Hash is a PDQ hash in the order of its hexadecimal form: the bit of the
// highest frequencies (row 15, column 15 of the cosine transform) is the top
// bit of the first byte, that of row 0, column 0 the lowest of the last.
type Hash [Bits / 8]byte

// Parse parses 64 hexadecimal digits of either case, as written by String.
func Parse(s string) (Hash, error) {
	var h Hash
	if len(s) != 2*len(h) {
		return Hash{}, fmt.Errorf("PDQ hash %.80q has %d characters, want %d hexadecimal digits", s, len(s), 2*len(h))
	}
	if _, err := hex.Decode(h[:], []byte(s)); err != nil {
		return Hash{}, fmt.Errorf("PDQ hash %q: %w, want %d hexadecimal digits", s, err, 2*len(h))
	}
	return h, nil
}

// String returns 64 lower-case hexadecimal digits.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// Distance returns the number of bits, 0 to 256, in which h and o differ.
func (h Hash) Distance(o Hash) int {
	n := 0
	for i := 0; i < len(h); i += 8 {
		n += bits.OnesCount64(binary.NativeEndian.Uint64(h[i:]) ^ binary.NativeEndian.Uint64(o[i:]))
	}
	return n
}
