package recognise

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"moderator/internal/config"
	"moderator/internal/embed"
	"moderator/internal/event"
	"moderator/internal/feature"
	"moderator/internal/matchdb"
)

const (
	recentBatch  = 256              // uploads written together at most
	recentWait   = time.Second      // for a batch to fill, and before a write that failed is tried again
	recentQueue  = 64 * recentBatch // uploads that wait to be written: beyond, they are dropped and counted
	recentBytes  = 256 << 20        // the same, of all of them together
	recentFlush  = 5 * time.Second  // for a write, and for all of a shutdown's
	recentUpkeep = time.Hour        // between looks at the days
	recentRoom   = time.Minute      // for one
)

// Recent keeps decided uploads for look-backs, behind their decisions. End it with Stop.
type Recent struct {
	db      *matchdb.DB
	folder  *embed.Folder // of the first model, whose vectors are kept
	days    int
	log     *slog.Logger
	queue   chan judged
	waiting atomic.Int64 // bytes in the queue
	full    atomic.Bool  // somebody found no room in it since the last write
	dropped prometheus.Counter
	cancel  context.CancelFunc // ends every write
	closing atomic.Bool
	done    chan struct{}
}

// StartRecent makes room in the library and begins to write; nil where nothing is to be kept.
func StartRecent(ctx context.Context, db *matchdb.DB, folder *embed.Folder, age config.Age, reg prometheus.Registerer, log *slog.Logger) (*Recent, error) {
	if age == 0 {
		return nil, nil
	}
	const day = 24 * time.Hour
	r := &Recent{
		db: db, folder: folder, days: int((time.Duration(age) + day - 1) / day), log: log,
		queue: make(chan judged, recentQueue), done: make(chan struct{}),
		dropped: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "moderator_lookback_dropped_uploads_total", Help: "Uploads that could not be kept for look-backs: the database was too slow, or away for too long.",
		}),
	}
	if err := r.makeRoom(ctx); err != nil {
		return nil, fmt.Errorf("lookback: %w", err)
	}
	reg.MustRegister(r.dropped)
	ctx, r.cancel = context.WithCancel(context.WithoutCancel(ctx))
	go r.write(ctx)
	return r, nil
}

func (r *Recent) makeRoom(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, recentRoom)
	defer cancel()
	return r.db.PrepareRecent(ctx, r.days)
}

// judged is an upload that waits to be written.
type judged struct {
	upload event.UploadInfo
	views  []feature.View
}

// bytes is about what it takes of memory.
func (j judged) bytes() int64 {
	n := 512 + len(j.upload.ID) + len(j.upload.Subject) + len(j.upload.URL)
	for name, value := range j.upload.Attributes {
		n += len(name) + len(value)
	}
	for _, v := range j.views {
		for _, vector := range v.Vectors {
			n += 4 * len(vector)
		}
	}
	return int64(n)
}

// Keep implements consumer.Recent.
func (r *Recent) Keep(u event.UploadInfo, views []feature.View) {
	j := judged{u, views}
	if r.waiting.Add(j.bytes()) <= recentBytes {
		select {
		case r.queue <- j:
			return
		default:
		}
	}
	r.waiting.Add(-j.bytes())
	r.full.Store(true)
	r.dropped.Inc()
}

// row is the upload as it is stored: one that is flat without its views, which count for nothing.
func (r *Recent) row(j judged) (matchdb.RecentUpload, error) {
	info, err := json.Marshal(j.upload)
	kept := matchdb.RecentUpload{Stream: j.upload.Stream, Sequence: j.upload.Sequence, Stored: j.upload.StoredNanos(), SHA256: j.upload.SHA256, Upload: info}
	if !feature.Flat(j.views) {
		for _, v := range j.views {
			kept.Views = append(kept.Views, matchdb.RecentView{
				Query: matchdb.Query{Vector: v.Vectors[0], Penalty: r.folder.BackgroundPenalty(v.Vectors[0])},
				PDQ:   matchdb.PDQ{Hash: v.PDQ, Quality: v.Quality},
			})
		}
	}
	return kept, err
}

// Stop writes what is left, as far as recentFlush lasts. Keep must not be called any more.
func (r *Recent) Stop() {
	if r == nil {
		return
	}
	defer r.cancel()
	r.closing.Store(true)
	close(r.queue)
	defer time.AfterFunc(recentFlush, r.cancel).Stop()
	<-r.done
}

// write takes batches off the queue until it is closed.
func (r *Recent) write(ctx context.Context) {
	defer close(r.done)
	prepared := time.Now()
	for first := range r.queue {
		batch := []judged{first}
		timer := time.NewTimer(recentWait)
		for open := true; open && len(batch) < recentBatch; {
			select {
			case u, ok := <-r.queue:
				if open = ok; ok {
					batch = append(batch, u)
				}
			case <-timer.C:
				open = false
			}
		}
		timer.Stop()
		if time.Since(prepared) > recentUpkeep {
			if err := r.makeRoom(ctx); err != nil {
				r.log.Warn("lookback", "error", err)
			} else {
				prepared = time.Now()
			}
		}
		for _, j := range batch {
			r.waiting.Add(-j.bytes())
		}
		r.store(ctx, batch)
	}
}

// store writes the batch, or counts what it loses of it.
func (r *Recent) store(ctx context.Context, batch []judged) {
	var rows []matchdb.RecentUpload
	for _, j := range batch {
		row, err := r.row(j)
		if err != nil {
			r.dropped.Inc()
			r.log.Warn("an upload is not kept for look-backs", "upload", j.upload.ID, "error", err)
			continue
		}
		rows = append(rows, row)
	}
	err := r.keep(ctx, rows)
	if err == nil {
		return
	}
	lost := len(rows)
	if lost > 1 && !matchdb.Retryable(err) && ctx.Err() == nil { // perhaps for one of them
		lost = 0
		for i := range rows {
			if single := r.keep(ctx, rows[i:i+1]); single != nil {
				lost, err = lost+1, single
			}
		}
	}
	if lost > 0 {
		r.dropped.Add(float64(lost))
		r.log.Warn("uploads are not kept for look-backs", "uploads", lost, "error", err)
	}
}

// keep tries until the rows are written, while there is room for what comes meanwhile.
func (r *Recent) keep(ctx context.Context, rows []matchdb.RecentUpload) error {
	r.full.Store(false)
	for {
		limited, cancel := context.WithTimeout(ctx, recentFlush)
		err := r.db.KeepRecent(limited, r.folder.Fingerprint(), rows)
		cancel()
		if err == nil || !matchdb.Retryable(err) || r.full.Load() || r.closing.Load() {
			return err
		}
		time.Sleep(recentWait)
	}
}
