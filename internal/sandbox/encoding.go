package sandbox

import (
	"encoding/binary"
	"errors"
	"io"
	"math"
	"strings"

	"moderator/internal/imaging"
)

// Answers have a binary encoding: numbers are varints, and texts follow their length. JSON took one percent of a small
// picture's CPU time.

// writeAnswer writes an answer after its length, in one call.
func writeAnswer(w io.Writer, a answer) error {
	frame := make([]byte, 4, 128)
	number := func(n int) { frame = binary.AppendUvarint(frame, uint64(n)) }
	text := func(s string) {
		number(len(s))
		frame = append(frame, s...)
	}
	text(a.Error)
	text(a.Fault)
	text(a.Format)
	number(a.Width)
	number(a.Height)
	number(a.FrameCount)
	number(len(a.Frames))
	for _, f := range a.Frames {
		number(f.Index)
		number(len(f.Views))
		for _, v := range f.Views {
			text(string(v.View))
			number(v.GrayWidth)
			number(v.GrayHeight)
		}
	}
	binary.LittleEndian.PutUint32(frame, uint32(len(frame)-4))
	_, err := w.Write(frame)
	return err
}

// readAnswer reads an answer. It checks the encoding only; answer.check checks the values.
func readAnswer(r io.Reader) (a answer, err error) {
	length, err := readLength(r, maxFrame)
	if err != nil {
		return a, err
	}
	p := parser{rest: make([]byte, length)}
	if _, err := io.ReadFull(r, p.rest); err != nil {
		return a, err
	}
	a.Error, a.Fault, a.Format = p.text(), p.text(), p.text()
	a.Width, a.Height, a.FrameCount = p.number(), p.number(), p.number()
	for left := p.number(); left > 0 && !p.failed; left-- {
		f := answerFrame{Index: p.number()}
		for left := p.number(); left > 0 && !p.failed; left-- {
			f.Views = append(f.Views, answerView{imaging.View(p.text()), p.number(), p.number()})
		}
		a.Frames = append(a.Frames, f)
	}
	if p.failed || len(p.rest) > 0 {
		return a, errors.New("malformed answer from the decode worker")
	}
	return a, nil
}

// parser reads values from rest. After the first malformed one it has failed, and returns zero values.
type parser struct {
	rest   []byte
	failed bool
}

func (p *parser) number() int {
	n, size := binary.Uvarint(p.rest)
	if size <= 0 || n > math.MaxInt32 {
		p.rest, p.failed = nil, true
		return 0
	}
	p.rest = p.rest[size:]
	return int(n)
}

func (p *parser) text() string {
	length := p.number()
	if length > len(p.rest) {
		p.rest, p.failed = nil, true
		return ""
	}
	text := strings.ToValidUTF8(string(p.rest[:length]), "\ufffd") // it goes into logs and decisions
	p.rest = p.rest[length:]
	return text
}
