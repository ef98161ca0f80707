package pdq

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/bits"
)

// Bits is the length of a hash.
const Bits = 256

// MaxDistance is the largest number of differing bits at which two pictures
// count as the same one: the threshold that the authors of PDQ recommend.
const MaxDistance = 31

// MinQuality is the lowest quality at which a hash says anything about its
// picture. Below it there is too little detail, and hashes of unrelated
// pictures meet; the authors of PDQ recommend to drop them.
const MinQuality = 50

// FlatQuality is the quality from which a picture has something to see at all: one below it, and what is compared with
// it, is known by its file alone. It is far below [MinQuality], which screenshots, dark and blurred pictures miss that
// other signals tell apart well. Of 373 photographs, templates and screens the least had 57; blurred until only patches of 40
// pixels were left, 9; with a tenth of their contrast, 2 to 42, where no signal finds them. Solid colours have 0, and 1 in
// 90 pairs of them was one picture to the network; gradients have 0 to 11, and 1 in 120.
const FlatQuality = 10

// Hash is a PDQ hash in the order of its hexadecimal form: the bit of the
// highest frequencies (row 15, column 15 of the cosine transform) is the top
// bit of the first byte, that of row 0, column 0 the lowest of the last.
type Hash [Bits / 8]byte

// Parse reads the 64 hexadecimal digits, of either case, that String writes.
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
