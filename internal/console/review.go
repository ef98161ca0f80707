package console

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"moderator/internal/decisions"
	"moderator/internal/event"
	"moderator/internal/matchdb"
)

// decide handles the form of the Review page.
func (c *Console) decide(r *http.Request) (view, error) {
	d, err := c.loadNamed(r)
	if err != nil {
		return view{}, err
	}
	// A browser that disconnects must not leave the review half done.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), reviewTime)
	defer cancel()
	rule := rulingOf(r)
	if err := c.review(ctx, d, rule); err != nil {
		q := queueFilterOf(r.PostForm).Values()
		q.Set("next", r.PathValue("sequence"))
		v, queueErr := c.showQueue(r, q)
		if page, ok := v.Data.(*reviewPage); ok {
			page.Undecided = rule.note
		}
		return v, errors.Join(err, queueErr)
	}
	q := queueFilterOf(r.PostForm).Values()
	q.Set("next", r.PostFormValue("next"))
	q.Set("done", strconv.FormatUint(d.Sequence, 10))
	return view{redirect: "/review?" + q.Encode()}, nil
}

// loadNamed reads the decision of a form, which has its id: if the page is older than the stream, another decision may have its
// number.
func (c *Console) loadNamed(r *http.Request) (*decision, error) {
	d, err := c.load(r.Context(), r.PathValue("sequence"))
	if err != nil {
		return nil, err
	}
	if id := r.PostFormValue("decision_id"); id != d.Event.ID {
		return nil, &problem{http.StatusConflict, fmt.Sprintf("Number %d in the stream is another decision now, on %s: the stream was created again or restored from an earlier copy. Go back to the queue.", d.Sequence, cut(d.Event.Data.Upload.ID, maxUploadShown))}
	}
	return d, nil
}

const (
	maxNoteBytes = 2000
	reviewTime   = 30 * time.Second
)

// ruling is what a person decides: block; flag, which blocks the upload and flags its picture; allow; list, which allows the upload
// and puts its picture on the allow-list; or again, which publishes the upload anew.
type ruling struct {
	decided  string
	by, note string
	bank     string // to flag in; "bank" of the form is the filter's
	role     Role
}

func rulingOf(r *http.Request) ruling {
	return ruling{r.PostFormValue("decision"), user(r), r.PostFormValue("note"), r.PostFormValue("into"), roleOf(r)}
}

// oneByOne reports whether the picture is fetched for the decision.
func (rule ruling) oneByOne() bool { return rule.decided == "list" || rule.decided == "flag" }

// review stores and publishes a person's decision.
func (c *Console) review(ctx context.Context, d *decision, rule ruling) error {
	verdict := rule.decided
	switch rule.decided {
	case "block", "allow":
	case "list":
		verdict = string(event.Allow)
	case "flag":
		verdict = string(event.Block)
		if rule.role < Curator || strings.TrimSpace(rule.note) == "" {
			return &problem{http.StatusBadRequest, "To flag an upload takes a curator, and a reason in the note."}
		}
	case judgeAgain:
		if !d.CanJudgeAgain() {
			return &problem{http.StatusConflict, "Only an upload that could not be judged, and came by reference, can be judged again."}
		}
	default:
		return &problem{http.StatusBadRequest, fmt.Sprintf("The decision is %q, wanted block, flag, allow, list or again.", cut(rule.decided, 20))}
	}
	if d.Event.Data.Verdict != event.Review || d.Event.Data.Reason == event.Reviewed {
		return &problem{http.StatusConflict, "Only decisions with the verdict review can be reviewed."}
	}
	if err := checkNote(rule.note); err != nil {
		return err
	}
	if d.Review != nil {
		return reviewProblem(&matchdb.ReviewedError{Review: *d.Review})
	}
	if rule.oneByOne() {
		if err := c.keep(ctx, d, rule); err != nil {
			return err
		}
	}
	publish := func() error { return c.publish(ctx, d, event.Verdict(verdict), rule.by) }
	if rule.decided == judgeAgain {
		publish = func() error { return c.publishAgain(ctx, d) }
	}
	return reviewProblem(c.Library.AddReview(ctx, d.reviewedBy(rule.by, verdict), rule.note, publish))
}

// keep puts the picture on the allow-list or flags it.
func (c *Console) keep(ctx context.Context, d *decision, rule ruling) error {
	if may, err := c.Library.MayReview(ctx); err != nil || !may {
		return errors.Join(err, reviewProblem(matchdb.ErrReadOnly))
	}
	if rule.decided == "list" {
		return c.allow(ctx, d, rule.by, rule.note)
	}
	_, err := c.flagUpload(ctx, d, rule.bank, rule.by, rule.note)
	return libraryProblem(err)
}

func checkNote(note string) error {
	if len(note) > maxNoteBytes {
		return &problem{http.StatusBadRequest, fmt.Sprintf("The note has %d bytes, wanted at most %d.", len(note), maxNoteBytes)}
	}
	return nil
}

// reviewedBy returns a person's review of the decision.
func (d *decision) reviewedBy(by, verdict string) matchdb.Review {
	review := matchdb.Review{Decision: d.key(), Sequence: d.Sequence, UploadID: d.Event.Data.Upload.ID, Verdict: verdict, By: by}
	for _, match := range d.Event.Data.Matches {
		if flag, err := uuid.Parse(match.FlaggedID); err == nil {
			review.Flags = append(review.Flags, flag)
		}
	}
	return review
}

// allow puts the picture on the allow-list.
func (c *Console) allow(ctx context.Context, d *decision, by, note string) error {
	data, err := c.fetch(ctx, d)
	if err != nil {
		return err
	}
	return c.Pictures.Allow(ctx, data, matchdb.NewAllowed{
		Source: d.allowSource(), Note: note, By: by,
	})
}

// allowSource is the source of the decision's picture on the allow-list.
func (d *decision) allowSource() string {
	return "decision " + d.Event.ID + " on " + d.Event.Data.Upload.ID
}

// publish stores the reviewed decision in the stream. Its id makes the stream store one review of a decision.
func (c *Console) publish(ctx context.Context, d *decision, verdict event.Verdict, by string) error {
	next := d.Event.Data
	next.Review = &event.ReviewInfo{By: by, Of: d.Event.ID, At: d.Event.Time, Reason: next.WaitsFor()}
	next.Verdict, next.Reason = verdict, event.Reviewed
	_, duplicate, err := decisions.Store(ctx, c.JetStream, next)
	switch {
	case err != nil:
		return &problem{http.StatusServiceUnavailable, fmt.Sprintf("The decision was not stored: %v. Try again.", err)}
	case duplicate: // perhaps of a review whose transaction failed afterwards
		return &problem{http.StatusConflict, fmt.Sprintf("%s already has another review of decision %s, which was published. Try again after the stream's duplicate window.", event.DecisionsStream, d.Event.ID)}
	}
	return nil
}

// reviewProblem makes errors of the library a problem.
func reviewProblem(err error) error {
	var reviewed *matchdb.ReviewedError
	switch {
	case errors.As(err, &reviewed):
		return &problem{http.StatusConflict, reviewed.Error() + "."}
	case errors.Is(err, matchdb.ErrReadOnly):
		return &problem{http.StatusForbidden, err.Error() + "."}
	}
	return err
}
