package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image/jpeg"
	"math/rand/v2"

	"github.com/nats-io/nats.go"

	"moderator/internal/synth"
)

// picture is a drawn picture: the file to flag, and recompressed copies.
type picture struct {
	name   string
	file   []byte
	copies [][]byte
}

const (
	pictures     = 12
	drawSeed     = 1
	drawWidth    = 480
	drawHeight   = 360
	fileQuality  = 92
	worstQuality = 40
	copyStep     = 5 // JPEG quality from one copy to the next
)

// drawPictures draws the pictures. Every third is to be flagged.
func drawPictures() (flagged, unrelated []picture, err error) {
	for i := range pictures {
		image := synth.Draw(drawSeed, i, drawWidth, drawHeight)
		encode := func(quality int) []byte {
			var file bytes.Buffer
			if failed := jpeg.Encode(&file, image, &jpeg.Options{Quality: quality}); failed != nil {
				err = failed
			}
			return file.Bytes()
		}
		p := picture{name: synth.Name(i) + ".jpg", file: encode(fileQuality)}
		for quality := worstQuality; quality < fileQuality; quality += copyStep {
			p.copies = append(p.copies, encode(quality))
		}
		if i%3 == 0 {
			flagged = append(flagged, p)
		} else {
			unrelated = append(unrelated, p)
		}
	}
	return flagged, unrelated, err
}

// upload is one message, and its expected decision.
type upload struct {
	id, what        string
	body            []byte
	object          string // the object's name, for a reference
	verdict, reason string
	tries           int  // publishes until the acknowledgement
	gone            bool // its stream was deleted or rolled back before its decision was seen
}

const objectBucket = "chaos"

// makeUploads returns a mix of copies of flagged pictures, unrelated pictures and bad files. Some are references to objects.
func makeUploads(seed uint64, n int, flagged, unrelated []picture) (uploads []upload, objects map[string][]byte) {
	random := rand.New(rand.NewPCG(seed, 1))
	objects = map[string][]byte{}
	bad := badUploads(unrelated[0].file)
	for i := range n {
		var u upload
		switch lot := random.IntN(100); {
		case lot < 4:
			u = bad[random.IntN(len(bad))]
		case lot < 40:
			u = upload{verdict: "block", reason: "match"}
			u.what, u.body = anyCopy(random, flagged)
		default:
			u = upload{verdict: "allow", reason: "no_match"}
			u.what, u.body = anyCopy(random, unrelated)
		}
		u.id = fmt.Sprintf("chaos-%06d", i)
		if u.verdict != "review" && random.IntN(8) == 0 {
			objects[u.what] = u.body
			u.object, u.body = u.what, nil
		}
		uploads = append(uploads, u)
	}
	return uploads, objects
}

func anyCopy(random *rand.Rand, from []picture) (name string, data []byte) {
	p := from[random.IntN(len(from))]
	i := random.IntN(len(p.copies))
	return fmt.Sprintf("%s at quality %d", p.name, worstQuality+i*copyStep), p.copies[i]
}

// message returns the upload's message.
func (u *upload) message() (*nats.Msg, error) {
	msg := nats.NewMsg("uploads.chaos")
	msg.Header.Set(nats.MsgIdHdr, u.id)
	msg.Data = u.body
	if u.object == "" {
		return msg, nil
	}
	msg.Header.Set("Content-Type", "application/json")
	var err error
	msg.Data, err = json.Marshal(map[string]any{"id": u.id, "object": map[string]string{"bucket": objectBucket, "name": u.object}})
	return msg, err
}

// badUploads returns uploads that cannot be judged. They must go to review, with a reason.
func badUploads(good []byte) []upload {
	return []upload{
		{what: "empty", reason: "undecodable", verdict: "review"},
		{what: "truncated", body: good[:len(good)/3], reason: "undecodable", verdict: "review"},
		{what: "text", body: []byte("This is no picture.\n"), reason: "unsupported", verdict: "review"},
		{what: "reference to nothing", object: "no such object", reason: "fetch_failed", verdict: "review"},
	}
}
