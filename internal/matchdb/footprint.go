package matchdb

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Bytes of memory that the candidate indexes take at most, measured with a million and more: of a PDQ hash (95 of ten million), and of a
// flag's keypoints.
const (
	hashBytes     = 115
	keypointBytes = 1_100
)

// Times of reading an embedding, a PDQ hash and a flag's keypoints, each measured with tens of thousands and more on two cores.
const (
	embeddingTime = 8 * time.Microsecond
	hashTime      = 1500 * time.Nanosecond
	keypointTime  = 27 * time.Microsecond
)

// Footprint is what a moderator keeps of the library in memory.
type Footprint struct {
	Embeddings int64 // of all models
	Hashes     int64
	Keypoints  int64 // flags that have any
	Bytes      int64 // that the candidate indexes take of all these
	Device     int64 // bytes of an accelerator's memory that embeddings take, see DB.Vectors

	Reading time.Duration // that reading all these takes about, with Postgres on a machine as fast
}

// Footprint counts what Warm of the models, WarmHashes and, where keypoints is set, WarmKeypoints would read. It reads no index into
// memory, and whole tables in Postgres. Models that are not registered count for nothing.
func (db *DB) Footprint(ctx context.Context, models []string, keypoints bool) (f Footprint, err error) {
	for _, fingerprint := range models {
		known, err := db.model(ctx, fingerprint)
		if errors.Is(err, ErrUnknownModel) {
			continue
		}
		if err != nil {
			return f, err
		}
		var n int64
		if err := db.pool.QueryRow(ctx, "SELECT count(*) FROM flagged_embedding WHERE model_id = $1", known.id).Scan(&n); err != nil {
			return f, fmt.Errorf("count embeddings: %w", err)
		}
		f.Embeddings += n
		device, own := db.Vectors.Bytes(n, known.dims)
		f.Device, f.Bytes = f.Device+device, f.Bytes+own
	}
	err = db.pool.QueryRow(ctx, "SELECT (SELECT count(*) FROM flagged_pdq), CASE WHEN $1 THEN (SELECT count(*) FROM flagged_keypoints) ELSE 0 END", keypoints).
		Scan(&f.Hashes, &f.Keypoints)
	if err != nil {
		return f, fmt.Errorf("count hashes and keypoints: %w", err)
	}
	f.Reading = time.Duration(f.Embeddings)*embeddingTime + time.Duration(f.Hashes)*hashTime + time.Duration(f.Keypoints)*keypointTime
	f.Bytes += f.Hashes*hashBytes + f.Keypoints*keypointBytes
	return f, nil
}
