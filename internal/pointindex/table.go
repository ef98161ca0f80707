package pointindex

import (
	_ "embed"
	"encoding/binary"
	"fmt"
)

// Noise is the standard deviation in each projection that an edit of the picture causes: the unit of their numbers.
const Noise = 32

const (
	partDims = 6  // projections that choose the partition
	codeBits = 64 // the others', whose signs are an entry's code
	descBits = 128

	nibbles   = descBits / 4 // of a description
	tableSize = nibbles * 16 * width
)

// projections are what tools/pointcodes has learned: Projections rows of descBits weights, then their offsets; int16, little endian.
//
//go:embed projections.bin
var projections []byte

// sums are the projections of every value of every four bits.
var sums = func() (t [tableSize]int16) {
	if len(projections) != 2*Projections*(descBits+1) {
		panic(fmt.Sprintf("pointindex: projections.bin has %d bytes, want %d", len(projections), 2*Projections*(descBits+1)))
	}
	number := func(i int) int16 { return int16(binary.LittleEndian.Uint16(projections[2*i:])) }
	for d := range Projections {
		for n := range nibbles {
			for v := range 16 {
				var sum int16
				for i := range 4 {
					if w := number(d*descBits + 4*n + i); v>>i&1 != 0 {
						sum += w
					} else {
						sum -= w
					}
				}
				if n == 0 {
					sum -= number(Projections*descBits + d)
				}
				t[(n*16+v)*width+d] = sum
			}
		}
	}
	return t
}()

// signs are the partition and the code of projections: a bit is set where one is above zero.
func signs(z []int16) (partition uint32, code uint64) {
	for d, v := range z[:partDims] {
		partition |= uint32(uint16(-v)>>15) << d // no branch, which would be taken every other time
	}
	for i, v := range z[partDims : partDims+codeBits] {
		code |= uint64(uint16(-v)>>15) << i
	}
	return partition, code
}
