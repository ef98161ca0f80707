package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"moderator/internal/embed"
	"moderator/internal/imaging"
	"moderator/internal/recognise"
	"moderator/models"
)

const (
	smallest      = 100 // pixels: an edit of a picture with a shorter side leaves too little detail
	mostOriginals = 60

	// Two pictures are related from half of what the moderator needs for a review, or within these bits of PDQ's 256.
	// Unrelated pictures differ in about 128.
	relatedBits  = 100
	relatedShare = 0.5
)

// chooser chooses the originals of a folder: one of each group of related pictures.
type chooser struct {
	model    *embed.Model
	reviewAt float32 // of the model

	originals []original
	features  []features // of originals

	files, related, poor, unreadable int
	byEmbedding                      []string // related pictures that no other signal finds, and their originals
}

// fromFolder takes one picture of each group of related pictures in the folder. A picture that is related to a flagged one is
// neither an edit, which must be blocked, nor unrelated, which must be allowed.
func fromFolder(ctx context.Context, dir string, stdout io.Writer) (_ []original, err error) {
	folder, err := embed.LoadFS(models.CopyDetect())
	if err != nil {
		return nil, err
	}
	model, err := embed.Open(ctx, folder, embed.Options{})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, model.Close()) }()
	record, _ := recognise.ModelRecord(folder)
	c := chooser{model: model, reviewAt: float32(record.ReviewAt)}
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() || len(c.originals) == mostOriginals {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return c.take(ctx, original{strings.ReplaceAll(name, string(filepath.Separator), "_"), data})
	})
	if err != nil {
		return nil, fmt.Errorf("read the folder %s: %w", dir, err)
	}
	if len(c.originals) < 3 {
		return nil, fmt.Errorf("the folder %s has %d different pictures, wanted at least 3", dir, len(c.originals))
	}
	fmt.Fprintf(stdout, "pictures: %d files in %s: %d different pictures, %d related to one of them, %d too small or too plain, %d unreadable\n",
		c.files, dir, len(c.originals), c.related, c.poor, c.unreadable)
	for _, pair := range c.byEmbedding {
		fmt.Fprintln(stdout, "related by the embedding alone:", pair)
	}
	return c.originals, nil
}

// take adds a picture to the originals, unless it is related to one of them, or has too little detail for edits.
func (c *chooser) take(ctx context.Context, o original) error {
	c.files++
	result, err := imaging.Decode(o.data, imaging.Request{
		Targets: []imaging.Target{c.model.Folder().Target()}, Views: recognise.TurnedViews(), Gray: true,
	})
	if err != nil {
		c.unreadable++
		return nil
	}
	picture, err := recognise.Extract(ctx, c.model, result)
	if err != nil {
		return err
	}
	if min(result.Width, result.Height) < smallest || plain(picture.Vectors) {
		c.poor++
		return nil
	}
	mine, err := featuresOf(picture)
	if err != nil {
		return err
	}
	for i, other := range c.features {
		score := max(nearest(other.views, mine.views), nearest(mine.views, other.views))
		byEmbedding := score >= c.reviewAt*relatedShare
		byOthers := sameHash(other.views, mine.views) || sharePoints(other, mine) || sharePoints(mine, other)
		if byEmbedding && !byOthers {
			c.byEmbedding = append(c.byEmbedding, fmt.Sprintf("%s, to %s (score %.3f)", o.name, c.originals[i].name, score))
		}
		if byEmbedding || byOthers {
			c.related++
			return nil
		}
	}
	c.originals, c.features = append(c.originals, o), append(c.features, mine)
	return nil
}
