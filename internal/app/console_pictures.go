package app

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"slices"

	"moderator/internal/config"
	"moderator/internal/console"
	"moderator/internal/embed"
	"moderator/internal/matchdb"
	"moderator/internal/sandbox"
	"moderator/internal/views"
)

// pictures does what the console asks for, in decode workers of its own: people's pictures and uploads do not wait for
// each other.
type pictures struct {
	model            *embed.Model
	db               *matchdb.DB
	viewer, comparer *sandbox.Pool
}

func newPictures(model *embed.Model, db *matchdb.DB, c config.Run, log *slog.Logger) (*pictures, error) {
	viewer, comparer, err := consoleDecoders(model.Folder(), c, log)
	return &pictures{model: model, db: db, viewer: viewer, comparer: comparer}, err
}

func (p *pictures) close() {
	p.viewer.Close()
	p.comparer.Close()
}

// extract is what a picture is compared by: all views of a flag, which are those of an upload and more.
func (p *pictures) extract(ctx context.Context, data []byte) (Extracted, error) {
	result, err := p.comparer.Decode(ctx, data)
	if err != nil {
		return Extracted{}, err
	}
	return extracted(ctx, p.model, result)
}

// asUpload keeps the views that an upload is compared with.
func asUpload(e Extracted) Extracted {
	asked := views.Query()
	e.Vectors = slices.DeleteFunc(slices.Clone(e.Vectors), func(v ViewVector) bool { return !slices.Contains(asked, v.View) })
	return e
}

func (p *pictures) Compare(ctx context.Context, flagged, uploaded []byte) (console.Comparison, error) {
	a, err := p.extract(ctx, flagged)
	if err != nil {
		return console.Comparison{}, err
	}
	b, err := p.extract(ctx, uploaded)
	if err != nil {
		return console.Comparison{}, err
	}
	near, err := Compare(a, asUpload(b))
	near.SameFile = bytes.Equal(flagged, uploaded)
	return near, err
}

func (p *pictures) Search(ctx context.Context, data []byte, most int) (near console.Nearest, err error) {
	picture, err := p.extract(ctx, data)
	if err != nil {
		return near, err
	}
	asked := asUpload(picture)
	if near.Flagged, err = NearFlags(ctx, p.db, p.model.Folder().Fingerprint(), data, asked, most); err != nil {
		return near, err
	}
	sum := sha256.Sum256(data)
	if near.Allowed, err = p.allowed(ctx, hex.EncodeToString(sum[:]), asked.Vectors); err != nil {
		return near, err
	}
	near.Recent, near.Hidden, err = p.recent(ctx, asked.Vectors, most)
	return near, err
}
