package main

import (
	"bytes"
	"context"
	"fmt"
	"image/jpeg"
	"io"

	"moderator/internal/synth"
)

// original is a picture that is not related to any other original.
type original struct {
	name string
	data []byte // the file
}

const (
	drawSeed   = 1
	drawWidth  = 800
	drawHeight = 600
)

// originals draws pictures, or takes those of the folder.
func (o options) originals(ctx context.Context, stdout io.Writer) ([]original, error) {
	if o.Images != "" {
		return fromFolder(ctx, o.Images, stdout)
	}
	all := make([]original, o.Pictures)
	for i := range all {
		var file bytes.Buffer
		if err := jpeg.Encode(&file, synth.Draw(drawSeed, i, drawWidth, drawHeight), &jpeg.Options{Quality: 92}); err != nil {
			return nil, err
		}
		all[i] = original{synth.Name(i) + ".jpg", file.Bytes()}
	}
	fmt.Fprintf(stdout, "pictures: %d drawn\n", len(all))
	return all, nil
}

// split divides the originals: every third is flagged, the others are unrelated.
func split(all []original) (flagged, unrelated []original) {
	for i, o := range all {
		if i%3 == 0 {
			flagged = append(flagged, o)
		} else {
			unrelated = append(unrelated, o)
		}
	}
	return flagged, unrelated
}
