package app

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"log/slog"
	"slices"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"moderator/internal/config"
	"moderator/internal/consumer"
	"moderator/internal/embed"
	"moderator/internal/event"
	"moderator/internal/imaging"
	"moderator/internal/matchdb"
	"moderator/internal/pdq"
	"moderator/internal/sandbox"
	"moderator/internal/views"
)

// decoder gives the consumer the pixels that the model takes, decoded in the sandbox.
type decoder struct {
	pool *sandbox.Pool
}

// startDecoder starts the decode workers and logs what confines them.
func startDecoder(f *embed.Folder, c config.Run, reg prometheus.Registerer, log *slog.Logger) (decoder, error) {
	command, err := sandbox.Self()
	if err != nil {
		return decoder{}, err
	}
	pool, err := sandbox.Start(sandbox.Options{
		Command: command,
		Request: imaging.Request{
			Targets: []imaging.Target{f.Target()}, Views: views.Query(), Gray: true, Limits: ImageLimits(c.Limits),
		},
		Workers: orCPUs(c.DecodeWorkers), MaxMemory: c.DecodeMemory, CPUTime: c.DecodeCPUTime, Timeout: c.DecodeTimeout,
		Recycle: c.DecodeRecycle, Metrics: reg, Logger: log,
	})
	if err != nil {
		return decoder{}, err
	}
	inForce, missing := pool.Confinement()
	log.Info("decoders", "workers", orCPUs(c.DecodeWorkers), "confined_by", inForce)
	if len(missing) > 0 {
		log.Warn("this kernel cannot confine the decoders fully", "missing", missing)
	}
	return decoder{pool}, nil
}

func (d decoder) Decode(ctx context.Context, data []byte) (consumer.Picture, error) {
	result, err := d.pool.Decode(ctx, data)
	if err != nil {
		return consumer.Picture{}, unjudgeable(err)
	}
	picture := consumer.Picture{Format: result.Format, Width: result.Width, Height: result.Height}
	first := result.Frames[0].Views[0].Gray
	picture.Grey = consumer.Plane{Width: first.Width, Height: first.Height, Luma: first.Pix}
	for _, frame := range result.Frames {
		for _, view := range frame.Views {
			hash, quality := pdq.Compute(view.Gray.Width, view.Gray.Height, view.Gray.Pix)
			picture.Views = append(picture.Views, consumer.View{Crop: view.Pixels[0], PDQ: hash, Quality: quality})
		}
	}
	return picture, nil
}

// unjudgeable gives a file's fault its reason; any other error stays, and the upload is tried again.
func unjudgeable(err error) error {
	for fault, reason := range map[error]event.Reason{
		imaging.ErrUndecodable: event.Undecodable,
		imaging.ErrUnsupported: event.Unsupported,
		imaging.ErrTooLarge:    event.TooLarge,
	} {
		if errors.Is(err, fault) {
			return &consumer.Unjudgeable{Reason: reason, Err: err}
		}
	}
	return err
}

// embedder gives the consumer a nil vector for a crop that the model made nothing of.
type embedder struct {
	model *embed.Model
}

func (e embedder) Embed(ctx context.Context, crops [][]byte) ([][]float32, error) {
	vectors, err := e.model.Embed(ctx, crops)
	var bad *embed.VectorError
	if errors.As(err, &bad) {
		return vectors, nil
	}
	return vectors, err
}

// matcher asks the library for what an upload resembles, by each signal.
type matcher struct {
	db         *matchdb.DB
	folder     *embed.Folder
	candidates int // flags near an upload that are looked at closer
}

func (m matcher) Match(ctx context.Context, uploads []consumer.Query) ([][]consumer.Hit, error) {
	vectors, hashes := m.questions(uploads)
	if err := m.addMD5(ctx, uploads, hashes); err != nil {
		return nil, err
	}
	var near [][]matchdb.Hit
	var same [][]matchdb.HashHit
	both, during := errgroup.WithContext(ctx)
	both.Go(func() (err error) { near, err = m.db.Match(during, m.folder.Fingerprint(), vectors); return err })
	both.Go(func() (err error) { same, err = m.db.MatchHashes(during, hashes); return err })
	if err := both.Wait(); err != nil {
		return nil, err
	}
	hits := make([][]consumer.Hit, len(uploads))
	for i, u := range uploads {
		for _, h := range same[i] {
			hits[i] = append(hits[i], hashHit(h))
		}
		for n := range u.Views {
			for _, h := range near[0] {
				hit := nearHit(h)
				hit.Query = n
				hits[i] = append(hits[i], hit)
			}
			near = near[1:]
		}
	}
	if err := m.spare(ctx, uploads, vectors, hits); err != nil {
		return nil, err
	}
	confirmed, err := m.confirm(ctx, uploads, hits)
	if err != nil {
		return nil, err
	}
	if err := m.spare(ctx, uploads, vectors, confirmed); err != nil {
		return nil, err
	}
	for i := range hits {
		hits[i] = slices.DeleteFunc(hits[i], func(h consumer.Hit) bool { return h.Signal == event.SignalPDQ && !h.Reached() })
		hits[i] = append(hits[i], confirmed[i]...)
	}
	return hits, nil
}

// questions are the uploads as each of the signals is asked for: a vector for each view, one upload after the other.
func (m matcher) questions(uploads []consumer.Query) (vectors []matchdb.Query, hashes []matchdb.HashQuery) {
	for _, u := range uploads {
		h := matchdb.HashQuery{SHA256: u.SHA256}
		if m.candidates > 0 {
			h.Bits = views.CandidateBits
		}
		for _, v := range u.Views {
			vectors = append(vectors, matchdb.Query{Vector: v.Vector, Half: m.folder.HalfB(v.Vector), Candidates: m.candidates})
			h.PDQ = append(h.PDQ, matchdb.PDQ{Hash: v.PDQ, Quality: v.Quality})
		}
		hashes = append(hashes, h)
	}
	return vectors, hashes
}

// addMD5 adds the files' MD5 where there are flags that are known by it alone, which lists bring: it takes a large file
// milliseconds.
func (m matcher) addMD5(ctx context.Context, uploads []consumer.Query, hashes []matchdb.HashQuery) error {
	known, err := m.db.KnowsMD5(ctx)
	if err != nil || !known {
		return err
	}
	for i, u := range uploads {
		sum := md5.Sum(u.File)
		hashes[i].MD5 = hex.EncodeToString(sum[:])
	}
	return nil
}

func nearHit(h matchdb.Hit) consumer.Hit {
	return consumer.Hit{
		Signal: event.SignalEmbedding, FlaggedID: h.FlaggedID.String(), Bank: h.Bank, View: h.View,
		Similarity: h.Similarity, Score: h.Score, BlockAt: h.BlockAt, ReviewAt: h.ReviewAt,
	}
}

// hashHit is a match by itself: its score is the share of equal bits, and its threshold that of PDQ's distance.
func hashHit(h matchdb.HashHit) consumer.Hit {
	hit := consumer.Hit{FlaggedID: h.FlaggedID.String(), Bank: h.Bank, View: h.View, Query: h.Query}
	if h.Exact {
		hit.Signal, hit.View, hit.Similarity, hit.BlockAt = event.SignalExact, string(imaging.ViewOriginal), 1, 1
	} else {
		hit.Signal, hit.Similarity, hit.BlockAt = event.SignalPDQ, equalBits(h.Distance), equalBits(pdq.MaxDistance)
	}
	hit.Score = hit.Similarity
	return hit
}

func equalBits(distance int) float64 { return 1 - float64(distance)/pdq.Bits }
