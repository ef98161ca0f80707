package flagctl

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"moderator/internal/matchdb"
)

type verifyCommand struct {
	Sample     int    `help:"Queries of each kind. To measure a recall of 0.9999, give 10000." default:"1000"`
	Seed       uint64 `help:"Seed of the sample of queries." default:"1"`
	Candidates int    `help:"The moderators' setting of this name: candidates by keypoints. 0: they are not verified." default:"8"`
}

// Shares of verdicts that matching has to find. By keypoints, it finds copies of which a few keypoints in a million flags agree.
const (
	leastRecall          = 0.9999
	leastKeypointsRecall = 0.995
)

// deadShare is the share of dead rows from which an index should be rebuilt.
const deadShare = 0.2

// verified is the JSON output of verify.
type verified struct {
	Model       string    `json:"model"`
	Fingerprint string    `json:"fingerprint"`
	OK          bool      `json:"ok"` // no check failed
	Checks      []checked `json:"checks"`
}

// checked is the result of one check.
type checked struct {
	Name     string      `json:"name"`
	Status   string      `json:"status"` // ok, warning, failed
	Detail   string      `json:"detail"`
	Count    int64       `json:"count"` // flags or rows with the fault
	Examples []uuid.UUID `json:"examples,omitempty"`
	Recall   *float64    `json:"recall,omitempty"` // of a search, as are the fields below
	Rows     int64       `json:"rows,omitempty"`
	Expected int         `json:"expected,omitempty"`
	Worst    *missed     `json:"worst_miss,omitempty"`
}

// missed is the missed flag that is furthest beyond its threshold, by Over.
type missed struct {
	ID       string   `json:"id"`
	Bank     string   `json:"bank"`
	View     string   `json:"view"`
	Score    *float64 `json:"score,omitempty"`
	Distance *int     `json:"pdq_distance,omitempty"`
	Over     float64  `json:"over"`
	Got      *float64 `json:"got"` // the bank's score by matching; null: no match
}

func (r *verifyCommand) Run(ctx context.Context, c *cli) error {
	db, folder, err := c.libraryOfModel(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	o := matchdb.VerifyOptions{
		Model: folder.Fingerprint(), Penalty: folder.BackgroundPenalty, Sample: r.Sample, Seed: r.Seed, Views: storedViews(), Candidates: r.Candidates,
	}
	found, err := db.Verify(ctx, o)
	if err != nil {
		return err
	}
	const remedy = "report this as a bug, with the output of -o json"
	result := verified{Model: folder.Name(), Fingerprint: folder.Fingerprint(), OK: true}
	result.add(
		agreement("embedding search", remedy, leastRecall, found.Embeddings),
		agreement("PDQ search", remedy, leastRecall, found.PDQ))
	if r.Candidates > 0 {
		result.add(agreement("keypoint search", remedy, leastKeypointsRecall, found.Keypoints))
	}
	result.add(faults(found.Faults)...)
	result.add(indexes(found.Indexes), otherModels(found.Models, result.Fingerprint))
	return result.report(c)
}

func (v *verified) add(checks ...checked) {
	for _, check := range checks {
		v.OK = v.OK && check.Status != "failed"
		v.Checks = append(v.Checks, check)
	}
}

func (v *verified) report(c *cli) error {
	var failed []string
	rows := make([][]string, len(v.Checks))
	for i, check := range v.Checks {
		if check.Status == "failed" {
			failed = append(failed, check.Name)
		}
		rows[i] = []string{check.Status, check.Name, check.Detail}
	}
	if err := c.print(v, "STATUS\tCHECK\tDETAIL", rows); err != nil {
		return err
	}
	if !v.OK {
		return errors.New("the library has faults: " + strings.Join(failed, ", "))
	}
	return nil
}

// agreement checks the recall of a search.
func agreement(name, remedy string, least float64, a matchdb.Agreement) checked {
	recall := a.Recall()
	check := checked{
		Name: name, Status: "ok", Recall: &recall, Rows: a.Rows, Expected: a.Expected, Count: int64(a.Expected - a.Found),
		Detail: fmt.Sprintf("%d of %d verdicts found, recall %.4f, %d queries of %d rows", a.Found, a.Expected, recall, a.Queries, a.Rows),
	}
	if w := a.Worst; w != nil {
		check.Worst = &missed{ID: w.FlaggedID.String(), Bank: w.Bank, View: w.View, Over: w.Over, Got: w.Got}
		what := ""
		if a.Worst.Score != 0 {
			check.Worst.Score = &w.Score
			what = fmt.Sprintf("score %.4f, %.4f over the threshold", w.Score, w.Over)
		} else {
			check.Worst.Distance = &w.Distance
			what = fmt.Sprintf("%d bits", w.Distance)
		}
		check.Detail += fmt.Sprintf("; worst miss: %s of %s in %s, %s", w.View, w.FlaggedID, w.Bank, what)
	}
	if recall < least {
		check.Status = "failed"
		check.Detail += ": " + remedy
	}
	return check
}

// faults checks for rows with a fault.
func faults(found []matchdb.Fault) []checked {
	says := map[matchdb.FaultKind]struct{ status, one, remedy string }{
		matchdb.NotEmbedded:     {"failed", "flag", "embedded by other models only, so edits of it are not found: run `flagctl reembed` on the originals with this model"},
		matchdb.MissingViews:    {"warning", "flag", "without some of the views that this version stores: run `flagctl reembed` on the originals"},
		matchdb.OrphanEmbedding: {"failed", "embedding", "of a flag that is retracted, deleted or in another bank: it can still match; delete it"},
		matchdb.OrphanHash:      {"failed", "PDQ hash", "of a flag that is retracted, deleted or in another bank: it can still match; delete it"},
		matchdb.NoSignal:        {"failed", "flag", "without any signal: flag the original again"},
		matchdb.DamagedVector:   {"failed", "embedding", "not of length 1, or with another penalty than in its vector: flag the original again"},
	}
	var checks []checked
	for _, f := range found {
		say := says[f.Kind]
		check := checked{Name: string(f.Kind), Status: "ok", Detail: "none", Count: f.Count, Examples: f.Examples}
		if f.Count > 0 {
			check.Status = say.status
			check.Detail = plural(int(f.Count), say.one) + " " + say.remedy
			if len(f.Examples) > 0 {
				check.Detail += "; such as " + f.Examples[0].String()
			}
		}
		checks = append(checks, check)
	}
	return checks
}

// indexes checks for dead rows that slow down searches.
func indexes(all []matchdb.Index) checked {
	check := checked{Name: "dead rows", Status: "ok", Detail: "few"}
	var say []string
	for _, i := range all {
		switch {
		case !i.Valid:
			check.Status = "failed"
			say = append(say, i.Name+" is incomplete: drop it and create it again")
		case float64(i.Dead) > deadShare*float64(i.Rows+i.Dead) && i.Dead > 1000:
			if check.Status == "ok" {
				check.Status = "warning"
			}
			check.Count += i.Dead
			say = append(say, fmt.Sprintf("%d of %d rows are dead: run REINDEX INDEX CONCURRENTLY %s, then VACUUM", i.Dead, i.Rows+i.Dead, i.Name))
		}
	}
	if say != nil {
		check.Detail = strings.Join(say, "; ")
	}
	return check
}

// otherModels reports embeddings that this model does not use.
func otherModels(all []matchdb.ModelStats, fingerprint string) checked {
	check := checked{Name: "other models", Status: "ok", Detail: "none"}
	var say []string
	for _, m := range all {
		if m.Fingerprint != fingerprint && m.Embeddings > 0 {
			check.Count += int64(m.Embeddings)
			say = append(say, fmt.Sprintf("%d embeddings of %s (%.12s)", m.Embeddings, m.Name, m.Fingerprint))
		}
	}
	if say != nil {
		check.Detail = strings.Join(say, ", ") + ", which this model does not use"
	}
	return check
}
