package hma

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"log/slog"
	"net/http"

	"moderator/internal/config"
	"moderator/internal/embed"
	"moderator/internal/imaging"
	"moderator/internal/matchdb"
	"moderator/internal/pdq"
	"moderator/internal/recognise"
	"moderator/internal/sandbox"
)

// Pictures hashes files in decode workers of its own. End it with Close.
type Pictures struct {
	model             *embed.Model
	hashing, flagging *sandbox.Pool
}

// NewPictures makes decode workers within the limits; each starts with its first picture.
func NewPictures(model *embed.Model, limits imaging.Limits, c config.Sandbox, log *slog.Logger) (*Pictures, error) {
	request := imaging.Request{Targets: []imaging.Target{model.Folder().Target()}, Views: []imaging.View{imaging.ViewOriginal}, Gray: true, Limits: limits}
	hashing, err := recognise.LazyDecoder(request, c, log)
	if err != nil {
		return nil, err
	}
	request.Views, c.DecodeWorkers = recognise.FlagViews(), 1
	flagging, err := recognise.LazyDecoder(request, c, log)
	if err != nil {
		hashing.Close()
		return nil, err
	}
	return &Pictures{model, hashing, flagging}, nil
}

// Close ends the decode workers.
func (p *Pictures) Close() {
	p.hashing.Close()
	p.flagging.Close()
}

func (p *Pictures) fingerprint() string { return p.model.Folder().Fingerprint() }

func (p *Pictures) extract(ctx context.Context, pool *sandbox.Pool, data []byte) (recognise.Extracted, error) {
	result, err := pool.Decode(ctx, data)
	switch {
	case errors.Is(err, imaging.ErrTooLarge):
		return recognise.Extracted{}, refuse(http.StatusRequestEntityTooLarge, "%v", err)
	case errors.Is(err, imaging.ErrUndecodable), errors.Is(err, imaging.ErrUnsupported):
		return recognise.Extracted{}, badRequest("%v", err)
	case err != nil:
		return recognise.Extracted{}, refuse(http.StatusServiceUnavailable, "the file cannot be decoded now: %v", err)
	}
	return recognise.Extract(ctx, p.model, result)
}

// hashes are a file's signals of those types, as text. A photo with too little detail has an empty PDQ hash, and a flat one
// no embedding.
func (p *Pictures) hashes(ctx context.Context, m media, types []string) (map[string]string, error) {
	if m.kind == video {
		return m.videoHashes(types), nil
	}
	e, err := p.extract(ctx, p.hashing, m.data)
	if err != nil {
		return nil, err
	}
	return p.textsOf(e, types), nil
}

func (m media) videoHashes(types []string) map[string]string {
	texts := map[string]string{}
	for _, kind := range types {
		texts[kind] = m.md5()
	}
	return texts
}

// textsOf are the signals of the first frame, upright.
func (p *Pictures) textsOf(e recognise.Extracted, types []string) map[string]string {
	first, texts := e.Vectors[0], map[string]string{}
	for _, kind := range types {
		switch {
		case kind == typePDQ && first.Quality < pdq.MinQuality:
			texts[kind] = ""
		case kind == typePDQ:
			texts[kind] = first.PDQ.String()
		case kind == typeOwn && !e.Flat():
			texts[kind] = formatOwn(p.fingerprint(), first.Vector)
		}
	}
	return texts
}

// flag is a file with all by which it is found. A video is found by its MD5 alone.
func (p *Pictures) flag(ctx context.Context, m media, types []string) (matchdb.NewFlag, map[string]string, error) {
	f := matchdb.NewFlag{Model: p.fingerprint()}
	if m.kind == video {
		f.MD5 = m.md5()
		return f, m.videoHashes(types), nil
	}
	e, err := p.extract(ctx, p.flagging, m.data)
	if err != nil {
		return f, nil, err
	}
	err = e.Describe(&f, m.data)
	return f, p.textsOf(e, types), err
}

func (m media) md5() string {
	sum := md5.Sum(m.data)
	return hex.EncodeToString(sum[:])
}
