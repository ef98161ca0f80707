package console

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"moderator/internal/event"
	"moderator/internal/keypoint"
	"moderator/internal/matchdb"
	"moderator/internal/recognise"
)

// objectScheme begins the source of a flag whose picture is in a JetStream object store: object://BUCKET/NAME.
const objectScheme = "object://"

// original returns the reference to a flag's picture. ok is false unless the flag's source is a URL or names an object.
func original(flag matchdb.Flagged) (from event.Upload, ok bool) {
	if bucket, name, found := strings.Cut(strings.TrimPrefix(flag.Source, objectScheme), "/"); found && strings.HasPrefix(flag.Source, objectScheme) {
		return event.Upload{Object: &event.Object{Bucket: bucket, Name: name}}, bucket != "" && name != ""
	}
	for _, scheme := range []string{"https://", "http://", "s3://", "gs://", "azblob://"} {
		if strings.HasPrefix(flag.Source, scheme) {
			return event.Upload{URL: flag.Source}, true
		}
	}
	return from, false
}

// FlagShown reports whether the flag names its picture.
func (d *decision) FlagShown() bool {
	if d.Flag == nil {
		return false
	}
	_, ok := original(*d.Flag)
	return ok
}

// fetchFlag gets a flag's picture from where its source says, by the rules of uploads, and checks that it is the same.
func (c *Console) fetchFlag(ctx context.Context, flag matchdb.Flagged) ([]byte, error) {
	from, ok := original(flag)
	if !ok {
		return nil, &problem{http.StatusGone, "The flag names no picture: its source is neither a URL nor an object."}
	}
	return c.fetchSame(ctx, from, flag.SHA256)
}

func (c *Console) flagPicture(r *http.Request) ([]byte, error) {
	flag, err := c.Library.Show(r.Context(), r.PathValue("id"))
	if errors.Is(err, matchdb.ErrNotFound) || errors.Is(err, matchdb.ErrInvalid) || errors.Is(err, matchdb.ErrAmbiguous) {
		return nil, &problem{http.StatusNotFound, "The library does not have this flag."}
	}
	if err != nil {
		return nil, err
	}
	return c.fetchFlag(r.Context(), flag)
}

// outlined has the polygons that are drawn over an upload and its flag. Coordinates are shares of the picture's width and height.
type outlined struct {
	Flag    [][2]float64 `json:"flag,omitempty"` // the part that the upload shows
	Upload  [][2]float64 `json:"upload,omitempty"`
	Differs [][2]float64 `json:"differs,omitempty"` // a part of the upload that shows something else
}

// outline sends the outline of what an upload shows of its flag. It is empty if too few keypoints agree, and for files with
// several frames, whose pictures are shown as sheets.
func (c *Console) outline(w http.ResponseWriter, r *http.Request) {
	found, err := c.findOutline(r)
	if err != nil {
		refuse(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(found)
}

func (c *Console) findOutline(r *http.Request) (found outlined, err error) {
	d, err := c.load(r.Context(), r.PathValue("sequence"))
	if err != nil {
		return found, err
	}
	if d.Flag == nil {
		return found, &problem{http.StatusGone, "The decision has no flag to compare with."}
	}
	upload, err := c.see(r.Context(), d)
	if err != nil {
		return found, err
	}
	flag, err := c.fetchFlag(r.Context(), *d.Flag)
	if err != nil {
		return found, err
	}
	found.Flag, found.Upload, err = c.Pictures.Outline(r.Context(), flag, upload)
	if x := d.Event.Data.Match.Differs; found.Upload != nil && x.Share > 0 {
		found.Differs = [][2]float64{{x.X, x.Y}, {x.X + x.Width, x.Y}, {x.X + x.Width, x.Y + x.Height}, {x.X, x.Y + x.Height}}
	}
	return found, err
}

// Outline returns the part of the flagged picture that the uploaded one shows, as keypoint.Agreement.Outline does.
func (p *Pictures) Outline(ctx context.Context, flagged, uploaded []byte) (inFlag, inUpload [][2]float64, err error) {
	var points [2]keypoint.Features
	for i, data := range [][]byte{flagged, uploaded} {
		result, err := p.comparer.Decode(ctx, data)
		if err != nil || len(result.Frames) != 1 {
			return nil, nil, err
		}
		if points[i], err = recognise.Points(result.Frames[0].Views[0].Gray, result.Width, result.Height, i == 0); err != nil {
			return nil, nil, err
		}
	}
	inFlag, inUpload = keypoint.Verify(points[0], keypoint.Prepare(points[1])).Outline(points[0], points[1])
	return inFlag, inUpload, nil
}
