package flagctl

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"moderator/internal/event"
	"moderator/internal/matchdb"
	"moderator/internal/recognise"
)

type replayCommand struct {
	Since    since    `help:"Uploads since then: 12h, 30d, 2026-03-01." default:"24h" placeholder:"WHEN"`
	Bank     []string `help:"Bank to try: it takes the settings, and decides even if it is disabled or in shadow. May be repeated. Without it, all enabled banks." placeholder:"NAME"`
	BlockAt  *float64 `help:"Block uploads with this score or more." placeholder:"SCORE"`
	ReviewAt *float64 `help:"Send uploads with this score or more to review. With --block-at alone, no upload goes to review by its score." placeholder:"SCORE"`
	policyOfPDQ
	FalseBlocks *float64 `help:"Most false blocks per upload, for banks that evidence decides for. The decisions that DECISIONS keeps are decided again, instead of kept uploads." placeholder:"RATE"`
	Limit       int      `help:"Most uploads to list, the earliest of each day first; 0 is all." default:"100"`
}

// Help says what the kept uploads cannot tell.
func (replayCommand) Help() string {
	return "Uploads are judged twice, as the library is and with the banks and thresholds that you give, and those that are decided differently are listed. " +
		"Nothing is published or changed. The uploads are those that moderators keep with --lookback. " +
		"Both times they are judged by file, upright PDQ hashes and score, as in a look-back: keypoints are not kept, so that crops, " +
		"collages and turned copies, and what their evidence says against a match, are left out. " +
		"With --false-blocks the decisions that were published are decided again by their probability, with all signals. " +
		"An upload that no flag stopped has none: a higher rate shows which reviews would be blocked, and not what else would be reviewed."
}

// replayJSON is the JSON output of replay.
type replayJSON struct {
	Since       time.Time        `json:"since"`
	Uploads     int              `json:"uploads"`   // that were judged
	Different   int              `json:"different"` // of them
	Changes     []replayChange   `json:"changes"`
	Differences []replayDecision `json:"differences"` // at most --limit
}

type replayChange struct {
	Now     event.Verdict `json:"now"`
	Then    event.Verdict `json:"then"`
	Uploads int           `json:"uploads"`
}

type replayDecision struct {
	Now  event.Decision `json:"now"`
	Then event.Decision `json:"then"`
}

func (r *replayCommand) Run(ctx context.Context, c *cli) error {
	what, err := r.whatIf()
	if err != nil {
		return err
	}
	db, folder, err := c.libraryOfModel(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	out := replayJSON{Since: r.Since.Time, Differences: []replayDecision{}}
	counts := map[replayChange]int{}
	judged := func(u recognise.Replayed) {
		out.Uploads++
		if u.Now.Verdict == u.Then.Verdict {
			return
		}
		out.Different++
		counts[replayChange{Now: u.Now.Verdict, Then: u.Then.Verdict}]++
		if r.Limit == 0 || len(out.Differences) < r.Limit {
			out.Differences = append(out.Differences, replayDecision(u))
		}
	}
	if r.FalseBlocks != nil {
		err = r.byRate(ctx, c, db, folder.Fingerprint(), func(now, then event.Decision) { judged(recognise.Replayed{Now: now, Then: then}) })
	} else {
		err = recognise.Replay(ctx, db, folder, r.Since.Time, what, judged)
	}
	if err != nil {
		return err
	}
	out.Changes = sortedChanges(counts)
	rows := make([][]string, len(out.Differences))
	for i, u := range out.Differences {
		decided := u.Then
		if decided.Match == nil {
			decided = u.Now
		}
		m := decided.Match
		rows[i] = []string{string(u.Now.Verdict), string(u.Then.Verdict), decided.Upload.ID, string(decided.Signal), number(*decided.Score), m.Bank, m.FlaggedID}
	}
	if err := c.print(out, "NOW\tTHEN\tUPLOAD\tSIGNAL\tSCORE\tBANK\tFLAG", rows); err != nil {
		return err
	}
	fmt.Fprintln(c.stderr, out.summary(r.FalseBlocks != nil))
	return nil
}

func (r *replayCommand) whatIf() (matchdb.WhatIf, error) {
	what := matchdb.WhatIf{Banks: r.Bank}
	var policy matchdb.BankPolicy
	r.set(&policy)
	what.PDQDistance, what.PDQVerdict = policy.PDQDistance, policy.PDQVerdict
	switch {
	case r.FalseBlocks != nil && (r.BlockAt != nil || r.ReviewAt != nil || what.PDQDistance != nil):
		return what, errors.New("--false-blocks is for banks that evidence decides for: leave --block-at, --review-at and --pdq-distance out, which take that from them")
	case r.FalseBlocks != nil && !(*r.FalseBlocks > 0 && *r.FalseBlocks <= 1):
		return what, fmt.Errorf("--false-blocks is %v, wanted more than 0 and at most 1 per upload", *r.FalseBlocks)
	case r.FalseBlocks != nil:
	case r.BlockAt == nil && r.ReviewAt != nil:
		return what, errReviewAlone
	case r.BlockAt != nil:
		what.Thresholds = &matchdb.Thresholds{BlockAt: *r.BlockAt, ReviewAt: r.ReviewAt}
	case len(r.Bank) == 0 && what.PDQDistance == nil:
		return what, errors.New("there is nothing to try: give --block-at, with or without --review-at, --pdq-distance, --false-blocks, or a disabled bank as --bank")
	}
	return what, nil
}

// sortedChanges are the counts, the most frequent first.
func sortedChanges(counts map[replayChange]int) []replayChange {
	changes := []replayChange{}
	for change, n := range counts {
		change.Uploads = n
		changes = append(changes, change)
	}
	slices.SortFunc(changes, func(a, b replayChange) int {
		return cmp.Or(b.Uploads-a.Uploads, cmp.Compare(a.Now, b.Now), cmp.Compare(a.Then, b.Then))
	})
	return changes
}

func (r replayJSON) summary(ofDecisions bool) string {
	text := fmt.Sprintf("%s kept since %s, %d would be decided differently", plural(r.Uploads, "upload"), moment(r.Since), r.Different)
	var parts []string
	for _, c := range r.Changes {
		parts = append(parts, fmt.Sprintf("%s → %s: %d", c.Now, c.Then, c.Uploads))
	}
	if len(parts) > 0 {
		text += " (" + strings.Join(parts, ", ") + ")"
	}
	if r.Uploads == 0 && ofDecisions {
		text += ": DECISIONS keeps decisions for --keep-decisions"
	} else if r.Uploads == 0 {
		text += ": moderators keep uploads with --lookback only"
	}
	return text
}
