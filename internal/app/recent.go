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
	queue   chan matchdb.RecentUpload
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
		queue: make(chan matchdb.RecentUpload, recentQueue), done: make(chan struct{}),
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

// Keep implements consumer.Recent.
func (r *recent) Keep(u event.UploadInfo, views []consumer.View) {
	info, err := json.Marshal(u)
	if err != nil {
		r.dropped.Inc()
		r.log.Warn("an upload is not kept for look-backs", "upload", u.ID, "error", err)
		return
	}
	kept := matchdb.RecentUpload{Stream: u.Stream, Sequence: u.Sequence, SHA256: u.SHA256, Upload: info}
	if !consumer.Flat(views) {
		for _, v := range views {
			kept.Views = append(kept.Views, matchdb.RecentView{
				Query: matchdb.Query{Vector: v.Vector, Half: r.folder.HalfB(v.Vector)},
				PDQ:   matchdb.PDQ{Hash: v.PDQ, Quality: v.Quality},
			})
		}
	}
	select {
	case r.queue <- kept:
	default:
		r.dropped.Inc()
	}
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
		batch := []matchdb.RecentUpload{first}
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
func (r *recent) store(ctx context.Context, batch []matchdb.RecentUpload) {
	for {
		limited, cancel := context.WithTimeout(ctx, recentFlush)
		err := r.db.KeepRecent(limited, r.folder.Fingerprint(), batch)
		cancel()
		if err == nil {
			return
		}
		if !matchdb.Retryable(err) || len(r.queue) == cap(r.queue) || r.closing.Load() {
			r.dropped.Add(float64(len(batch)))
			r.log.Warn("uploads are not kept for look-backs", "uploads", len(batch), "error", err)
			return
		}
		time.Sleep(recentWait)
	}
}
