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

// fetch gets a decision's picture from its source, and checks that it is still the same.
func (c *Console) fetch(ctx context.Context, d *decision) ([]byte, error) {
	u := d.Event.Data.Upload
	if d.Source == "" {
		return nil, &problem{http.StatusGone, "The picture is not kept: it came inside its message."}
	}
	return c.fetchSame(ctx, event.Upload{URL: u.URL, Object: u.Object}, u.SHA256)
}

// fetchSame gets a picture, and checks its SHA-256 unless that is "".
func (c *Console) fetchSame(ctx context.Context, from event.Upload, want string) ([]byte, error) {
	data, err := c.Fetcher.Fetch(ctx, from, c.MaxUploadBytes, nil)
	var permanent *event.Unjudgeable
	switch {
	case errors.As(err, &permanent):
		return nil, &problem{http.StatusGone, fmt.Sprintf("The picture cannot be fetched: %v.", permanent.Err)}
	case err != nil:
		return nil, &problem{http.StatusBadGateway, fmt.Sprintf("The picture cannot be fetched now: %v.", err)}
	}
	sum := sha256.Sum256(data)
	if want != "" && want != hex.EncodeToString(sum[:]) {
		return nil, &problem{http.StatusConflict, "The source has another picture now: its SHA-256 differs."}
	}
	return data, nil
}

// picture sends the picture that get returns, as the browser has chosen, or clear and in colour if the query has "clear".
func (c *Console) picture(get func(*http.Request) ([]byte, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		data, err := get(r)
		if err == nil {
			shown := lookOf(r)
			if r.URL.Query().Has("clear") {
				shown = look{}
			}
			data, err = c.preview(r.Context(), data, shown)
		}
		if err != nil {
			refuse(w, err)
			return
		}
		w.Header().Set("Content-Type", "image/jpeg")
		_, _ = w.Write(data)
	}
}

// refuse answers a request of a script with an error, for people.
func refuse(w http.ResponseWriter, err error) {
	status := http.StatusUnprocessableEntity
	var known *problem
	if errors.As(err, &known) {
		status = known.status
	}
	http.Error(w, err.Error(), status)
}

func (c *Console) uploadPicture(r *http.Request) ([]byte, error) {
	d, err := c.load(r.Context(), r.PathValue("sequence"))
	if err != nil {
		return nil, err
	}
	return c.see(r.Context(), d)
}

// see returns a decision's picture to look at: from its source, or its preview.
func (c *Console) see(ctx context.Context, d *decision) ([]byte, error) {
	if d.Source == "" && c.Previews != nil {
		return c.Previews.get(ctx, d.Event.Data.Upload)
	}
	return c.fetch(ctx, d)
}

// preview encodes a picture's frames as a JPEG.
func (c *Console) preview(ctx context.Context, data []byte, shown look) ([]byte, error) {
	frames, err := c.Pictures.Frames(ctx, data)
	if err != nil {
		return nil, err
	}
	var file bytes.Buffer
	err = jpeg.Encode(&file, shown.apply(sheet(frames)), &jpeg.Options{Quality: 85})
	return file.Bytes(), err
}

// sheet arranges frames in rows of three.
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
