package app

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"moderator/internal/config"
	"moderator/internal/consumer"
	"moderator/internal/embed"
	"moderator/internal/event"
	"moderator/internal/matchdb"
)

const (
	recentBatch  = 256              // uploads written together at most
	recentWait   = time.Second      // for a batch to fill, and before a write that failed is tried again
	recentQueue  = 64 * recentBatch // uploads that wait to be written: beyond, they are dropped and counted
	recentFlush  = 5 * time.Second  // for the last writes of a shutdown
	recentUpkeep = time.Hour        // between looks at the days
)

// recent writes uploads down behind their decisions' backs.
type recent struct {
	db      *matchdb.DB
	folder  *embed.Folder
	days    int
	log     *slog.Logger
	queue   chan judged
	dropped prometheus.Counter
	closing atomic.Bool
	done    chan struct{}
}

// startRecent makes room in the library and begins to write; nil where nothing is to be kept.
func startRecent(ctx context.Context, db *matchdb.DB, folder *embed.Folder, age config.Age, reg prometheus.Registerer, log *slog.Logger) (*recent, error) {
	if age == 0 {
		return nil, nil
	}
	const day = 24 * time.Hour
	r := &recent{
		db: db, folder: folder, days: int((time.Duration(age) + day - 1) / day), log: log,
		queue: make(chan judged, recentQueue), done: make(chan struct{}),
		dropped: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "moderator_lookback_dropped_uploads_total", Help: "Uploads that could not be kept for look-backs: the database was too slow, or away for too long.",
		}),
	}
	if err := db.PrepareRecent(ctx, r.days); err != nil {
		return nil, fmt.Errorf("lookback: %w", err)
	}
	reg.MustRegister(r.dropped)
	go r.write(context.WithoutCancel(ctx))
	return r, nil
}

// recentOf is no interface around nil.
func recentOf(r *recent) consumer.Recent {
	if r == nil {
		return nil
	}
	return r
}

// judged is an upload that waits to be written.
type judged struct {
	upload event.UploadInfo
	views  []consumer.View
}

// Keep implements consumer.Recent.
func (r *recent) Keep(u event.UploadInfo, views []consumer.View) {
	select {
	case r.queue <- judged{u, views}:
	default:
		r.dropped.Inc()
	}
}

// row is the upload as it is stored: one that is flat without its views, which count for nothing.
func (r *recent) row(j judged) (matchdb.RecentUpload, error) {
	info, err := json.Marshal(j.upload)
	kept := matchdb.RecentUpload{Stream: j.upload.Stream, Sequence: j.upload.Sequence, SHA256: j.upload.SHA256, Upload: info}
	if !consumer.Flat(j.views) {
		for _, v := range j.views {
			kept.Views = append(kept.Views, matchdb.RecentView{
				Query: matchdb.Query{Vector: v.Vector, Half: r.folder.HalfB(v.Vector)},
				PDQ:   matchdb.PDQ{Hash: v.PDQ, Quality: v.Quality},
			})
		}
	}
	return kept, err
}

// stop writes what is left. Keep must not be called any more.
func (r *recent) stop() {
	if r != nil {
		r.closing.Store(true)
		close(r.queue)
		<-r.done
	}
}

// write takes batches off the queue until it is closed.
func (r *recent) write(ctx context.Context) {
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
			if err := r.db.PrepareRecent(ctx, r.days); err != nil {
				r.log.Warn("lookback", "error", err)
			} else {
				prepared = time.Now()
			}
		}
		r.store(ctx, batch)
	}
}

// store tries until the batch is written, while there is room for what comes meanwhile: a full queue says that it takes
// too long.
func (r *recent) store(ctx context.Context, batch []judged) {
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
	for {
		limited, cancel := context.WithTimeout(ctx, recentFlush)
		err := r.db.KeepRecent(limited, r.folder.Fingerprint(), rows)
		cancel()
		if err == nil {
			return
		}
		if !matchdb.Retryable(err) || len(r.queue) == cap(r.queue) || r.closing.Load() {
			r.dropped.Add(float64(len(rows)))
			r.log.Warn("uploads are not kept for look-backs", "uploads", len(rows), "error", err)
			return
		}
		time.Sleep(recentWait)
	}
}
