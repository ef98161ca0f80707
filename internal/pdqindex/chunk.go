package pdqindex

import (
	"encoding/binary"
	"math/bits"
	"sync/atomic"
	"unsafe"

	"moderator/internal/pdq"
)

// chunkSize is so that a chunk fills a huge page: with its tombstones, 33/1024 of it stays empty.
const chunkSize = 65024

// chunk is memory that never moves: to grow one slice would copy a library's hashes, and need the memory twice.
type chunk struct {
	hashes  [chunkSize]pdq.Hash
	deleted [chunkSize / 64]atomic.Uint64 // tombstones, a bit each
}

const chunkBytes = int64(unsafe.Sizeof(chunk{}))

// remove tells whether the hash was still there. One goroutine may call it at a time.
func (c *chunk) remove(i uint32) bool {
	before := c.deleted[i/64].Load()
	c.deleted[i/64].Store(before | 1<<(i%64))
	return before>>(i%64)&1 == 0
}

func (c *chunk) isDeleted(i uint32) bool { return c.deleted[i/64].Load()>>(i%64)&1 != 0 }

// code is a hash as four words.
type code [4]uint64

func words(h pdq.Hash) (c code) {
	for i := range c {
		c[i] = binary.LittleEndian.Uint64(h[8*i:])
	}
	return c
}

// distance is the number of bits in which a hash differs from the code.
func (c *code) distance(h *pdq.Hash) int {
	return bits.OnesCount64(c[0]^binary.LittleEndian.Uint64(h[:])) + bits.OnesCount64(c[1]^binary.LittleEndian.Uint64(h[8:])) +
		bits.OnesCount64(c[2]^binary.LittleEndian.Uint64(h[16:])) + bits.OnesCount64(c[3]^binary.LittleEndian.Uint64(h[24:]))
}

// In each word a part has every eleventh bit: neighbours in a hash, which are neighbours in frequency, depend on each other.
// Of 10,435 photographs 1.2 times as many pairs share 22 such bits as would by chance; of bits in a row, twice as many.
const (
	gathered  = 6                                         // bits of a part in a word; 5 where the sixth would be the 65th
	eleventh  = 1 | 1<<11 | 1<<22 | 1<<33 | 1<<44 | 1<<55 // before
	gathering = 1<<50 | 1<<40 | 1<<30 | 1<<20 | 1<<10 | 1 // brings bit 11 j to bit 50 + j, and all else elsewhere
	wordShift = 3                                         // so that no part has the short end of every word
)

// part is the p-th part of the hash, partBits bits.
func (c *code) part(p int) uint32 {
	var key uint32
	at := 0
	for w, word := range c {
		first := (p + wordShift*w) % parts
		key |= uint32(word>>first&eleventh*gathering>>50&(1<<gathered-1)) << at
		at += gathered
		if first+(gathered-1)*parts >= 64 {
			at--
		}
	}
	return key & (1<<partBits - 1)
}
