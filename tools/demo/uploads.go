package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"

	"github.com/nats-io/nats.go"

	"moderator/internal/transforms"
)

// upload is one message, and its expected decision.
type upload struct {
	id      string // that the publisher gives
	name    string // the picture's
	edit    string
	data    []byte
	message *nats.Msg // of a bad upload; nil: any form

	verdict, reason string // expected

	form      string
	key       string // stream:sequence
	decisions []decision
}

// makeUploads returns the edits of the flagged pictures, the unrelated pictures and the bad files.
func makeUploads(flagged, unrelated []original) ([]upload, error) {
	var all []upload
	for _, o := range flagged {
		for _, e := range transforms.Demo {
			data, err := e.Apply(o.data)
			if err != nil {
				return nil, fmt.Errorf("%s of %s: %w", e.Name, o.name, err)
			}
			all = append(all, upload{name: o.name, edit: e.Name, data: data, verdict: "block", reason: "match"})
		}
	}
	for _, o := range unrelated {
		all = append(all, upload{name: o.name, edit: "unrelated", data: o.data, verdict: "allow", reason: "no_match"})
	}
	for i := range all {
		all[i].id = fmt.Sprintf("demo-%04d", i)
	}
	return append(all, badUploads(unrelated[0])...), nil
}

// badUploads returns uploads that cannot be judged. They must go to review, with a reason.
func badUploads(good original) []upload {
	lost, _ := reference(map[string]any{"object": map[string]string{"bucket": "no-such-bucket", "name": "picture"}})
	bad := []upload{
		{name: "empty", message: message(nil), reason: "undecodable"},
		{name: "truncated", message: message(good.data[:len(good.data)/3]), reason: "undecodable"},
		{name: "text", message: message([]byte("This is no picture, whatever its name says.\n")), reason: "unsupported"},
		{name: "SVG", message: message([]byte(`<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>`)), reason: "unsupported"},
		{name: "bomb", message: message(bombPNG(60000, 60000)), reason: "too_large"},
		{name: "wrong reference", message: lost, reason: "fetch_failed"},
	}
	for i := range bad {
		bad[i].edit, bad[i].form, bad[i].verdict = "bad file", "inline", "review"
	}
	return bad
}

// bombPNG is a PNG of a few bytes whose header says width x height pixels.
func bombPNG(width, height uint32) []byte {
	var b bytes.Buffer
	chunk := func(name string, data []byte) {
		body := append([]byte(name), data...)
		_ = binary.Write(&b, binary.BigEndian, uint32(len(data)))
		b.Write(body)
		_ = binary.Write(&b, binary.BigEndian, crc32.ChecksumIEEE(body))
	}
	b.WriteString("\x89PNG\r\n\x1a\n")
	header := binary.BigEndian.AppendUint32(nil, width)
	header = binary.BigEndian.AppendUint32(header, height)
	chunk("IHDR", append(header, 8, 2, 0, 0, 0))
	chunk("IDAT", []byte{0x78, 0x9c, 0x03, 0x00, 0x00, 0x00, 0x00, 0x01})
	chunk("IEND", nil)
	return b.Bytes()
}
