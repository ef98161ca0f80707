package console

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"slices"

	"moderator/internal/config"
	"moderator/internal/embed"
	"moderator/internal/evidence"
	"moderator/internal/imaging"
	"moderator/internal/matchdb"
	"moderator/internal/recognise"
	"moderator/internal/sandbox"
)

// Pictures decodes, compares and searches for the pictures of people. It has decode workers of its own, so that people and
// uploads do not wait for each other. Errors that a file causes are for people. The caller closes it.
type Pictures struct {
	viewer
	model    *embed.Model
	db       *matchdb.DB
	comparer *sandbox.Pool
}

// NewPictures returns Pictures within the limits. Each decode worker starts with its first picture.
func NewPictures(model *embed.Model, db *matchdb.DB, limits imaging.Limits, s config.Sandbox, log *slog.Logger) (*Pictures, error) {
	shown, err := newViewer(limits, s, log)
	if err != nil {
		return nil, err
	}
	comparer, err := newComparer(model.Folder(), limits, s, log)
	return &Pictures{viewer: shown, model: model, db: db, comparer: comparer}, err
}

// Close stops the decode workers.
func (p *Pictures) Close() {
	p.pool.Close()
	p.comparer.Close()
}

// extract returns the features of all views of a flag, which include an upload's views.
func (p *Pictures) extract(ctx context.Context, data []byte) (recognise.Extracted, error) {
	result, err := p.comparer.Decode(ctx, data)
	if err != nil {
		return recognise.Extracted{}, err
	}
	return recognise.Extract(ctx, p.model, result)
}

// asUpload keeps the views that an upload is compared with.
func asUpload(e recognise.Extracted) recognise.Extracted {
	views := recognise.QueryViews()
	e.Vectors = slices.DeleteFunc(slices.Clone(e.Vectors), func(v recognise.ViewVector) bool { return !slices.Contains(views, v.View) })
	return e
}

// Compare compares the first picture as a flag with the second as an upload.
func (p *Pictures) Compare(ctx context.Context, flagged, uploaded []byte) (recognise.Comparison, error) {
	a, err := p.extract(ctx, flagged)
	if err != nil {
		return recognise.Comparison{}, err
	}
	b, err := p.extract(ctx, uploaded)
	if err != nil {
		return recognise.Comparison{}, err
	}
	near, err := recognise.Compare(a, asUpload(b))
	near.SameFile = bytes.Equal(flagged, uploaded)
	if err != nil {
		return near, err
	}
	flags, err := p.db.FlagsWithKeypoints(ctx)
	thresholds := evidence.For(flags, evidence.DefaultFalseBlocks)
	near.Thresholds, near.Model = &thresholds, p.model.Folder()
	return near, err
}

// Search returns the nearest flags, allowed pictures and kept uploads, at most most of each.
func (p *Pictures) Search(ctx context.Context, data []byte, most int) (near Nearest, err error) {
	picture, err := p.extract(ctx, data)
	if err != nil {
		return near, err
	}
	upload := asUpload(picture)
	if near.Flagged, err = recognise.NearFlags(ctx, p.db, p.model.Folder(), data, upload, most); err != nil {
		return near, err
	}
	sum := sha256.Sum256(data)
	if near.Allowed, err = p.allowed(ctx, hex.EncodeToString(sum[:]), upload.Vectors); err != nil {
		return near, err
	}
	near.Recent, near.Hidden, err = p.recent(ctx, upload.Vectors, most)
	return near, err
}
