package console

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"net/http"

	"golang.org/x/image/draw"

	"moderator/internal/event"
)

// fetch gets the picture that a decision is about from its source, and makes sure that it is that one still.
func (c *Console) fetch(ctx context.Context, d *decision) ([]byte, error) {
	u := d.Event.Data.Upload
	if d.Source == "" {
		return nil, &problem{http.StatusGone, "The picture is not kept: it came inside its message."}
	}
	data, err := c.Fetcher.Fetch(ctx, event.Upload{URL: u.URL, Object: u.Object}, c.MaxUploadBytes, nil)
	var gone *event.Unjudgeable
	switch {
	case errors.As(err, &gone):
		return nil, &problem{http.StatusGone, fmt.Sprintf("The picture cannot be had: %v.", gone.Err)}
	case err != nil:
		return nil, &problem{http.StatusBadGateway, fmt.Sprintf("The picture cannot be had now: %v.", err)}
	}
	sum := sha256.Sum256(data)
	if u.SHA256 != "" && u.SHA256 != hex.EncodeToString(sum[:]) {
		return nil, &problem{http.StatusConflict, "Another picture is there now: its SHA-256 is not that of the upload that was decided."}
	}
	return data, nil
}

// picture shows what a decision is about: blurred and in grey, unless it is asked for clearly.
func (c *Console) picture(w http.ResponseWriter, r *http.Request) {
	data, err := c.render(r)
	if err != nil {
		status := http.StatusUnprocessableEntity
		var known *problem
		if errors.As(err, &known) {
			status = known.status
		}
		http.Error(w, err.Error(), status)
		return
	}
	w.Header().Set("Content-Type", "image/jpeg")
	_, _ = w.Write(data)
}

func (c *Console) render(r *http.Request) ([]byte, error) {
	d, err := c.load(r.Context(), r.PathValue("sequence"))
	if err != nil {
		return nil, err
	}
	data, err := c.fetch(r.Context(), d)
	if err != nil {
		return nil, err
	}
	return c.preview(r.Context(), data, r.URL.Query().Has("clear"))
}

// preview makes a JPEG of our own of a picture's frames.
func (c *Console) preview(ctx context.Context, data []byte, clear bool) ([]byte, error) {
	frames, err := c.Pictures.Frames(ctx, data)
	if err != nil {
		return nil, err
	}
	var shown image.Image = sheet(frames)
	if !clear {
		shown = blurred(shown)
	}
	var file bytes.Buffer
	err = jpeg.Encode(&file, shown, &jpeg.Options{Quality: 85})
	return file.Bytes(), err
}

// sheet lays frames side by side, three in a row.
func sheet(frames []image.Image) image.Image {
	if len(frames) == 1 {
		return frames[0]
	}
	const columns, gap = 3, 8
	size := frames[0].Bounds().Size() // the same for all
	rows := (len(frames) + columns - 1) / columns
	all := image.NewRGBA(image.Rect(0, 0, columns*(size.X+gap)-gap, rows*(size.Y+gap)-gap))
	for i, frame := range frames {
		at := image.Pt(i%columns*(size.X+gap), i/columns*(size.Y+gap))
		draw.Copy(all, at, frame, frame.Bounds(), draw.Src, nil)
	}
	return all
}

// blurredWidth is as many pixels as a blurred picture has across: enough to tell a beach from a page of text.
const blurredWidth = 20

// blurred shows where light and dark are, in grey, and no more. What is not shown is not in the file either.
func blurred(picture image.Image) image.Image {
	size := picture.Bounds().Size()
	height := max(2, blurredWidth*size.Y/size.X)
	small := image.NewGray(image.Rect(0, 0, blurredWidth, height))
	draw.BiLinear.Scale(small, small.Bounds(), picture, picture.Bounds(), draw.Src, nil)
	large := image.NewGray(image.Rect(0, 0, size.X, size.Y))
	draw.CatmullRom.Scale(large, large.Bounds(), small, small.Bounds(), draw.Src, nil)
	return large
}
