package embed

import (
	"errors"
	"fmt"
	"io/fs"
)

// thresholds is moderation.json.
type thresholds struct {
	Score    string   `json:"score"`
	BlockAt  *float64 `json:"block_at"`
	ReviewAt *float64 `json:"review_at"`
}

func (f *Folder) readThresholds(fsys fs.FS) error {
	const name = "moderation.json"
	var t thresholds
	err := readJSON(fsys, name, &t)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	switch {
	case t.Score != "normalised" && t.Score != "cosine":
		return fmt.Errorf("%s: score %q: wanted normalised or cosine", name, t.Score)
	case t.Score == "normalised" && f.background == nil:
		return fmt.Errorf("%s: score normalised needs a background.npy: compute one, or set score to cosine and measure the thresholds again", name)
	case t.Score == "cosine" && f.background != nil:
		return fmt.Errorf("%s: score cosine beside a background.npy: remove the background, or set score to normalised and measure the thresholds again", name)
	case t.BlockAt == nil:
		return fmt.Errorf("%s: block_at is missing: wanted the lowest score that is blocked", name)
	}
	if t.ReviewAt == nil {
		t.ReviewAt = t.BlockAt
	}
	if *t.ReviewAt > *t.BlockAt || *t.BlockAt > 1 || *t.ReviewAt < -2 {
		return fmt.Errorf("%s: block_at %g, review_at %g: wanted -2 ≤ review_at ≤ block_at ≤ 1", name, *t.BlockAt, *t.ReviewAt)
	}
	f.thresholds = &t
	return nil
}
