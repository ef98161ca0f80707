package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"moderator/internal/embed"
	"moderator/internal/evidence"
	"moderator/internal/feature"
	"moderator/internal/imaging"
	"moderator/internal/matchdb"
	"moderator/internal/pdq"
	"moderator/internal/recognise"
	"moderator/internal/synth"
	"moderator/internal/transforms"
	"moderator/models"
)

const (
	uploadSeed     = 17 // no flag has points of its pictures
	uploadPictures = 60
	copyEvery      = 10 // every tenth upload has the vector of a copy
	verifiedFlags  = 8  // --candidates
)

// writeModel writes the shipped model with the catalogue's background and threshold.
func (c *catalogue) writeModel(dir string) (*embed.Folder, error) {
	if err := copyFolder(models.CopyDetect(), dir); err != nil {
		return nil, err
	}
	header := fmt.Sprintf("{'descr': '<f4', 'fortran_order': False, 'shape': (%d, %d), }\n", backgroundSize, matchDims)
	file := bytes.NewBufferString("\x93NUMPY\x01\x00")
	_ = binary.Write(file, binary.LittleEndian, uint16(len(header))) // to memory
	file.WriteString(header)
	_ = binary.Write(file, binary.LittleEndian, c.matrix)
	thresholds := fmt.Sprintf(`{"score": "normalised", "block_at": %[1]g, "review_at": %[1]g}`, c.threshold)
	if err := os.WriteFile(filepath.Join(dir, "background.npy"), file.Bytes(), 0o644); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "moderation.json"), []byte(thresholds), 0o644); err != nil {
		return nil, err
	}
	return embed.LoadDir(dir)
}

// uploads are n uploads as they come from decoding and embedding: drawn pictures, with vectors of the catalogue.
func (c *catalogue) uploads(n int) ([]feature.Query, error) {
	pictures := make([]feature.Query, uploadPictures)
	for i := range pictures {
		p := synth.Draw(uploadSeed, i, poolWidth, poolHeight)
		edits := transforms.Quality()
		file, err := edits[i%len(edits)].Apply(p, p, uint64(i))
		if err != nil {
			return nil, err
		}
		picture, err := imaging.Decode(file, imaging.Request{Gray: true, Limits: imaging.DefaultLimits()})
		if err != nil {
			return nil, err
		}
		grey := picture.Frames[0].Views[0].Gray
		turns, quality := pdq.Turns(grey.Width, grey.Height, grey.Pix)
		pictures[i] = feature.Query{
			Width: picture.Width, Height: picture.Height, Grey: feature.Plane{Width: grey.Width, Height: grey.Height, Luma: grey.Pix},
			Views: []feature.View{{PDQ: turns[pdq.Original], Turns: turns[:], Quality: quality}},
		}
	}
	vectors := c.cloud.draw(n, 9)
	all := make([]feature.Query, n)
	for i := range all {
		sum := sha256.Sum256([]byte(fmt.Sprint("upload", i)))
		view := pictures[i%len(pictures)].Views[0]
		view.Vectors = [][]float32{vectors[i]}
		if i%copyEvery == 0 {
			view.Vectors = [][]float32{c.edits[i%len(c.edits)].Vector}
		}
		all[i] = pictures[i%len(pictures)]
		all[i].SHA256, all[i].Views = hex.EncodeToString(sum[:]), []feature.View{view}
	}
	return all, nil
}

// matchUploads measures the whole search for an upload, by all signals, alone and in batches; its memory, and the start of moderator.
func (b *bench) matchUploads(ctx context.Context, c *catalogue, m model, folder *embed.Folder, flags int) error {
	uploads, err := c.uploads(matchSingles)
	if err != nil {
		return err
	}
	db, err := matchdb.Open(ctx, b.servers.databaseURL)
	if err != nil {
		return err
	}
	defer db.Close()
	var embeddings, hashes, points int64
	if _, embeddings, err = db.Warm(ctx, folder.Fingerprint()); err != nil {
		return err
	}
	if _, hashes, err = db.WarmHashes(ctx); err != nil {
		return err
	}
	if _, points, err = db.WarmKeypoints(ctx); err != nil {
		return err
	}
	matcher := recognise.NewMatcher(db, []*embed.Folder{folder}, verifiedFlags, evidence.DefaultFalseBlocks)
	var warm, warmCPU, single, singleCPU, batch, batchCPU []float64 // ms, by the clock and of this process
	each := func(size int, into, cpu *[]float64) error {
		for i := 0; i+size <= len(uploads); i += size {
			began, used := time.Now(), ownCPU()
			if _, err := matcher.Match(ctx, uploads[i:i+size]); err != nil {
				return err
			}
			*into, *cpu = append(*into, time.Since(began).Seconds()*1000), append(*cpu, (ownCPU()-used).Seconds()*1000)
		}
		return nil
	}
	if err := each(matchBatch, &warm, &warmCPU); err != nil {
		return err
	}
	before, err := usageOf(os.Getpid()) // Postgres is a child
	if err != nil {
		return err
	}
	if err := each(1, &single, &singleCPU); err != nil {
		return err
	}
	after, err := usageOf(os.Getpid())
	if err != nil {
		return err
	}
	if err := each(matchBatch, &batch, &batchCPU); err != nil {
		return err
	}
	db.Close()
	rss, ready, err := b.startedWith(ctx, m)
	if err != nil {
		return err
	}
	const mb = 1 << 20
	b.report.add("match_upload", field{"flags", flags}, field{"single_p50_ms", percentile(single, 50)}, field{"single_p99_ms", percentile(single, 99)},
		field{"single_cpu_p50_ms", percentile(singleCPU, 50)}, field{"single_cpu_p99_ms", percentile(singleCPU, 99)},
		field{"single_cpu_with_postgres_ms", (after.cpu - before.cpu).Seconds() * 1000 / float64(len(single))},
		field{"batch32_p50_ms", percentile(batch, 50)}, field{"batch32_p99_ms", percentile(batch, 99)},
		field{"batch32_cpu_p50_ms", percentile(batchCPU, 50)},
		field{"embeddings_mb", embeddings / mb}, field{"pdq_mb", hashes / mb}, field{"keypoints_mb", points / mb},
		field{"moderator_rss_mb", rss / mb}, field{"ready_s", ready.Seconds()})
	if flags == 1_000_000 {
		b.report.below("match_upload p50 ms at a million", percentile(single, 50), 12)
		b.report.below("match_upload p99 ms at a million", percentile(single, 99), 25)
		b.report.below("moderator_rss_mb at a million", float64(rss/mb), 2560)
	}
	return nil
}

// startedWith is moderator's memory with the library, and the time until it is ready.
func (b *bench) startedWith(ctx context.Context, m model) (rss int64, ready time.Duration, err error) {
	began := time.Now()
	p, err := b.startModerator(ctx, m)
	if err != nil {
		return 0, 0, err
	}
	ready = time.Since(began)
	defer p.stop()
	used, err := usageOf(p.pid())
	return used.rss, ready, err
}
