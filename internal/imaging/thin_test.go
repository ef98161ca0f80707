package imaging

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/jpeg"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// requireSame decodes a file to an eighth with and without thinning, and requires equal pixels. It reports whether the file
// was thinned.
func requireSame(tb testing.TB, name string, data []byte) bool {
	tb.Helper()
	outline := outlineJPEG(data)
	width, height := max(1, outline.width/8), max(1, outline.height/8)
	want, _, wantErr := decodeThinned(data, 8, 0, false, width, height)
	got, thinned, err := decodeThinned(data, 8, 0, true, width, height)
	require.Equal(tb, wantErr, err, name)
	if err == nil {
		require.True(tb, string(want.pixels.pix) == string(got.pixels.pix), name)
		want.release()
		got.release()
	}
	return thinned
}

func TestThinnedFilesShowTheSame(t *testing.T) {
	gray := image.NewGray(image.Rect(0, 0, 203, 117))
	for i := range gray.Pix {
		gray.Pix[i] = uint8(i * i >> 7)
	}
	var buf bytes.Buffer
	require.NoError(t, jpeg.Encode(&buf, gray, nil))
	require.True(t, requireSame(t, "gray", buf.Bytes()))
	require.True(t, requireSame(t, "photograph", photoLike(t, 1027, 515)))
	require.True(t, requireSame(t, "the longest values", longValuesJPEG(11, 10)))
	require.True(t, requireSame(t, "a tail", append(photoLike(t, 64, 64), "tail"...)))

	for seed := range uint64(4) {
		for _, factors := range [][]int{
			{0x11},
			{0x22},
			{0x11, 0x11, 0x11},
			{0x21, 0x11, 0x11},
			{0x12, 0x11, 0x11},
			{0x22, 0x11, 0x11},
			{0x22, 0x21, 0x12},
			{0x11, 0x22, 0x11},
			{0x41, 0x11, 0x11},
			{0x42, 0x11, 0x11},
			{0x21, 0x12, 0x11},
			{0x31, 0x11, 0x12},
		} {
			for _, interval := range []int{0, 1, 5, 1000} {
				file := randomJPEG(seed, 8+int(seed)*61, 90+int(seed)*37, interval, factors)
				require.True(t, requireSame(t, fmt.Sprint(seed, factors, interval), file))
			}
		}
	}
}

// Unusual files are left to libjpeg.
func TestNotThinned(t *testing.T) {
	plain := randomJPEG(1, 100, 100, 0, []int{0x22, 0x11, 0x11})
	restarts := randomJPEG(1, 100, 100, 2, []int{0x22, 0x11, 0x11})
	scan := bytes.Index(plain, []byte{0xff, 0xda}) + 14
	for name, file := range map[string][]byte{
		"progressive":              readFile(t, "testdata/progressive.jpg"),
		"cut in half":              plain[:len(plain)/2],
		"no end":                   plain[:len(plain)-2],
		"half an end":              plain[:len(plain)-1],
		"a byte too few":           append(plain[:len(plain)-3:len(plain)-3], 0xff, 0xd9),
		"a byte too many":          append(plain[:len(plain)-2:len(plain)-2], 7, 0xff, 0xd9),
		"a filled end":             append(plain[:len(plain)-1:len(plain)-1], 0xff, 0xd9),
		"an early end":             append(plain[:scan+200:scan+200], plain[len(plain)-2:]...),
		"another end":              append(plain[:len(plain)-1:len(plain)-1], 0xd7, 0xff, 0xd9),
		"no codes":                 append(plain[:scan:scan], bytes.Repeat([]byte{0xff, 0}, 1000)...),
		"a restart out of order":   bytes.Replace(restarts, []byte{0xff, 0xd1}, []byte{0xff, 0xd4}, 1),
		"a restart that is no one": bytes.Replace(restarts, []byte{0xff, 0xd1}, []byte{0xff, 0x01}, 1),
		"a restart left out":       bytes.Replace(restarts, []byte{0xff, 0xd1}, nil, 1),
		"restarts unannounced":     bytes.Replace(restarts, []byte{0xff, 0xdd, 0, 4, 0, 2}, nil, 1),
		"restarts elsewhere":       bytes.Replace(restarts, []byte{0xff, 0xdd, 0, 4, 0, 2}, []byte{0xff, 0xdd, 0, 4, 0, 3}, 1),
		"a DC value of 15 bits":    longValuesJPEG(15, 10),
		"AC values of 15 bits":     longValuesJPEG(11, 15),
		"all values of 15 bits":    longValuesJPEG(15, 15),
		"no end of blocks":         withoutEndOfBlock(randomJPEG(1, 100, 100, 0, []int{0x11})),
	} {
		require.False(t, requireSame(t, name, file), name)
	}
}

func TestThinningOfAllFiles(t *testing.T) {
	thinned := 0
	walkJPEGs(t, func(path string, data []byte) {
		if o := outlineJPEG(data); o.width*o.height <= 1e7 && requireSame(t, path, data) {
			thinned++
		}
	})
	t.Logf("%d thinned", thinned)
	require.NotZero(t, thinned)
}

func FuzzThin(f *testing.F) {
	for seed, factors := range [][]int{{0x11}, {0x22, 0x11, 0x11}, {0x21, 0x11, 0x11}, {0x11, 0x11, 0x11}} {
		f.Add(randomJPEG(uint64(seed), 40, 30, seed, factors))
	}
	f.Add(photoLike(f, 48, 32))
	f.Add(readFile(f, "testdata/progressive.jpg"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if o := outlineJPEG(data); len(data) > 0 && o.width*o.height <= 1e6 && o.scans <= maxScans {
			requireSame(t, "mutated", data)
		}
	})
}

// randomJPEG encodes random coefficients with random Huffman tables. factors are the components' sampling factors: blocks in
// an MCU across and down.
func randomJPEG(seed uint64, width, height, interval int, factors []int) []byte {
	r := rand.New(rand.NewPCG(seed, 5))
	file := []byte{0xff, 0xd8}
	segment := func(kind byte, body ...byte) {
		file = append(binary.BigEndian.AppendUint16(append(file, 0xff, kind), uint16(2+len(body))), body...)
	}
	segment(0xdb, append([]byte{0}, bytes.Repeat([]byte{3}, 64)...)...)
	n := byte(len(factors))
	frame := []byte{8, byte(height >> 8), byte(height), byte(width >> 8), byte(width), n}
	scan := []byte{n}
	most := 0 // blocks of an MCU across and down
	for i, factor := range factors {
		most = max(most>>4, factor>>4)<<4 | max(most&15, factor&15)
		frame = append(frame, byte(i), byte(factor), 0)
		scan = append(scan, byte(i), byte(min(i, 1)*0x11))
	}
	segment(0xc0, frame...)
	var dc, ac [2]huffman
	for i := range byte(2) {
		dc[i] = newHuffman(r, []byte{0, 1, 5, 1, 1, 1, 1, 1, 1}, 12)
		ac[i] = newHuffman(r, []byte{0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 125}, 162)
		segment(0xc4, append([]byte{i}, dc[i].header...)...)
		segment(0xc4, append([]byte{0x10 | i}, ac[i].header...)...)
	}
	if interval > 0 {
		segment(0xdd, byte(interval>>8), byte(interval))
	}
	segment(0xda, append(scan, 0, 63, 0)...)

	if len(factors) == 1 {
		most, factors = 0x11, []int{0x11} // a scan of one component has MCUs of one block
	}
	across, down := 8*(most>>4), 8*(most&15)
	mcus := (width + across - 1) / across * ((height + down - 1) / down)
	w := bitWriter{}
	for mcu := range mcus {
		if interval > 0 && mcu > 0 && mcu%interval == 0 {
			w.marker(0xd0 + byte((mcu/interval-1)%8))
		}
		for i, factor := range factors {
			for range (factor >> 4) * (factor & 15) {
				randomBlock(r, &w, &dc[min(i, 1)], &ac[min(i, 1)])
			}
		}
	}
	w.marker(0xd9)
	return append(file, w.out...)
}

func randomBlock(r *rand.Rand, w *bitWriter, dc, ac *huffman) {
	size := r.IntN(8)
	w.symbol(r, dc, byte(size), size)
	long := r.IntN(3) > 0 // some blocks are full
	for k := 1; k < 64; {
		run, size := min(r.IntN(3)*r.IntN(8), 63-k), 1+r.IntN(10)
		if !long && r.IntN(6) == 0 {
			w.symbol(r, ac, 0, 0)
			return
		}
		if r.IntN(10) == 0 && k+16 <= 64 {
			run, size = 15, 0
		}
		w.symbol(r, ac, byte(run<<4|size), size)
		k += run + 1
	}
}

// longValuesJPEG has the longest values after the longest codes: DC values after 16 bits, AC values after 12.
func longValuesJPEG(dcSize, acSize byte) []byte {
	file := []byte{0xff, 0xd8}
	segment := func(kind byte, body ...byte) {
		file = append(binary.BigEndian.AppendUint16(append(file, 0xff, kind), uint16(2+len(body))), body...)
	}
	segment(0xdb, append([]byte{0}, bytes.Repeat([]byte{1}, 64)...)...)
	segment(0xc0, 8, 0, 64, 0, 64, 1, 0, 0x11, 0)
	segment(0xc4, append([]byte{0x00, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, dcSize)...)
	segment(0xc4, append([]byte{0x10, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0}, 0, acSize)...)
	segment(0xda, 1, 0, 0, 0, 63, 0)
	w := bitWriter{}
	for range 64 {
		w.bits(0, 16)
		w.bits(1<<dcSize-1, int(dcSize))
		for range 40 {
			w.bits(0x800, 12)
			w.bits(1<<acSize-1, int(acSize))
		}
		w.bits(0, 1)
	}
	w.marker(0xd9)
	return append(file, w.out...)
}

// huffman holds a table's codes and lengths by symbol, and its segment.
type huffman struct {
	header  []byte
	codes   [256]uint32
	lengths [256]int
}

// newHuffman makes a table from the number of codes of each length, from 1 on. The symbols are those of DC (12) or AC (162).
func newHuffman(r *rand.Rand, counts []byte, n int) huffman {
	h := huffman{header: append(append([]byte(nil), counts...), make([]byte, 16-len(counts))...)}
	symbols := []byte{0, 0xf0}
	for run := range byte(16) {
		for size := range byte(10) {
			symbols = append(symbols, run<<4|size+1)
		}
	}
	if n == 12 {
		symbols = []byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}
	}
	r.Shuffle(n, func(i, j int) { symbols[i], symbols[j] = symbols[j], symbols[i] })
	h.header = append(h.header, symbols...)
	code := uint32(0)
	for i, count := range counts {
		for ; count > 0; count-- {
			h.codes[symbols[0]], h.lengths[symbols[0]] = code, i+1
			symbols = symbols[1:]
			code++
		}
		code <<= 1
	}
	return h
}

// withoutEndOfBlock replaces the symbol by another one that libjpeg treats alike.
func withoutEndOfBlock(file []byte) []byte {
	at := bytes.Index(file, []byte{0xff, 0xc4, 0, 181}) + 5 + 16
	file[at+bytes.IndexByte(file[at:], 0)] = 0x10
	return file
}

type bitWriter struct {
	out  []byte
	last uint64
	n    int // of the last bits
}

func (w *bitWriter) bits(value uint32, n int) {
	w.last, w.n = w.last<<n|uint64(value), w.n+n
	for ; w.n >= 8; w.n -= 8 {
		b := byte(w.last >> (w.n - 8))
		if w.out = append(w.out, b); b == 0xff {
			w.out = append(w.out, 0)
		}
	}
}

// symbol writes a symbol's code and random bits after it.
func (w *bitWriter) symbol(r *rand.Rand, h *huffman, symbol byte, size int) {
	w.bits(h.codes[symbol], h.lengths[symbol])
	w.bits(r.Uint32()&(1<<size-1), size)
}

func (w *bitWriter) marker(kind byte) {
	w.bits(0x7f, 7)
	w.n = 0
	w.out = append(w.out, 0xff, kind)
}
