package classics

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"slices"
)

// zlibZeros is a zlib stream (RFC 1950) of n zero bytes, about a thousandth as long. After the first megabyte, each further one
// compresses to the same bytes, which are repeated.
func zlibZeros(n int) []byte {
	chunk := make([]byte, 1<<20)
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestCompression)
	if err != nil {
		panic(err)
	}
	add := func(data []byte) []byte {
		b.Reset()
		_, _ = w.Write(data) // to memory, which does not fail
		_ = w.Flush()
		return bytes.Clone(b.Bytes())
	}
	stream := []byte{0x78, 0xda}
	if n >= len(chunk) {
		stream = append(stream, add(chunk)...)
		stream = append(stream, bytes.Repeat(add(chunk), n/len(chunk)-1)...)
	}
	stream = append(stream, add(chunk[:n%len(chunk)])...)
	b.Reset()
	_ = w.Close()
	stream = append(stream, b.Bytes()...)
	return binary.BigEndian.AppendUint32(stream, uint32(n%65521)<<16|1) // Adler-32 of n zeros
}

// bits packs fields, the least significant bit first.
type bits struct {
	data  []byte
	count int
}

func (b *bits) add(value uint32, width int) {
	for i := range width {
		if b.count%8 == 0 {
			b.data = append(b.data, 0)
		}
		b.data[b.count/8] |= byte(value>>i&1) << (b.count % 8)
		b.count++
	}
}

func be16(n int) []byte { return binary.BigEndian.AppendUint16(nil, uint16(n)) }
func be32(n int) []byte { return binary.BigEndian.AppendUint32(nil, uint32(n)) }
func le16(n int) []byte { return binary.LittleEndian.AppendUint16(nil, uint16(n)) }
func le32(n int) []byte { return binary.LittleEndian.AppendUint32(nil, uint32(n)) }

func join(parts ...[]byte) []byte { return slices.Concat(parts...) }
