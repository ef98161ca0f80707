package console

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"moderator/internal/decisions"
	"moderator/internal/event"
	"moderator/internal/matchdb"
)

// shownReviews is how much of the queue the Review page lists.
const shownReviews = 50

type reviewPage struct {
	queue
	Selected  *decision // nil with an empty queue
	Next      uint64    // the one after Selected; 0: none
	May       bool      // this login may review
	Just      *decision // what was reviewed a moment ago
	Undecided string    // the note of a review that failed
}

func (c *Console) reviewPage(r *http.Request) (view, error) {
	return c.showQueue(r.Context(), r.URL.Query().Get("at"), r.URL.Query().Get("done"))
}

// showQueue selects the decision at, or the oldest where it is not in the queue.
func (c *Console) showQueue(ctx context.Context, at, done string) (view, error) {
	page := &reviewPage{}
	v := view{Page: "review", Title: "Review", Data: page}
	var err error
	if page.queue, err = c.waiting(ctx, shownReviews); err != nil {
		return v, err
	}
	if page.May, err = c.Library.MayReview(ctx); err != nil {
		return v, err
	}
	for i, d := range page.Items {
		if i == 0 || strconv.FormatUint(d.Sequence, 10) == at {
			page.Selected, page.Next = d, 0
			if i+1 < len(page.Items) {
				page.Next = page.Items[i+1].Sequence
			}
		}
	}
	if page.Selected != nil {
		if err := c.lookUp(ctx, page.Selected); err != nil {
			return v, err
		}
	}
	if done != "" {
		if just, err := c.load(ctx, done); err == nil && just.Review != nil { // else it is gone, or somebody typed it
			page.Just = just
		}
	}
	return v, nil
}

// decide takes a person's decision from the form of the Review page.
func (c *Console) decide(r *http.Request) (view, error) {
	d, err := c.load(r.Context(), r.PathValue("sequence"))
	if err != nil {
		return view{}, err
	}
	// The page may be older than the stream: another decision may have the number now.
	if id := r.PostFormValue("decision_id"); id != d.Event.ID {
		return view{}, &problem{http.StatusConflict, fmt.Sprintf("Number %d in the stream is another decision now, on %s: the stream was made anew or put back to an earlier copy. Go back to the queue.", d.Sequence, cut(d.Event.Data.Upload.ID, maxUploadShown))}
	}
	// Half of it must not be done because the browser went away.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), reviewTime)
	defer cancel()
	note := r.PostFormValue("note")
	if err := c.review(ctx, d, r.PostFormValue("decision"), user(r), note); err != nil {
		v, queueErr := c.showQueue(r.Context(), r.PathValue("sequence"), "")
		if page, ok := v.Data.(*reviewPage); ok {
			page.Undecided = note
		}
		return v, errors.Join(err, queueErr)
	}
	return view{redirect: fmt.Sprintf("/review?at=%s&done=%d", nextOf(r), d.Sequence)}, nil
}

// nextOf is the sequence that the page named as the next one.
func nextOf(r *http.Request) string {
	n, _ := strconv.ParseUint(r.PostFormValue("next"), 10, 64)
	return strconv.FormatUint(n, 10)
}

const (
	maxNoteBytes = 2000
	reviewTime   = 30 * time.Second
)

// review stores and publishes what a person decided: block, allow, or list, which allows and puts the picture on the
// allow-list.
func (c *Console) review(ctx context.Context, d *decision, decided, by, note string) error {
	verdict := event.Allow
	switch decided {
	case "block":
		verdict = event.Block
	case "allow", "list":
	default:
		return &problem{http.StatusBadRequest, fmt.Sprintf("The decision is %q, wanted block, allow or list.", cut(decided, 20))}
	}
	if d.Event.Data.Verdict != event.Review || d.Event.Data.Reason == event.Reviewed {
		return &problem{http.StatusConflict, "Only decisions that are review can be reviewed."}
	}
	if len(note) > maxNoteBytes {
		return &problem{http.StatusBadRequest, fmt.Sprintf("The note has %d bytes, wanted at most %d.", len(note), maxNoteBytes)}
	}
	if d.Review != nil {
		return reviewProblem(&matchdb.ReviewedError{Review: *d.Review})
	}
	if decided == "list" {
		if err := c.allow(ctx, d, by, note); err != nil {
			return err
		}
	}
	review := matchdb.Review{Decision: d.key(), UploadID: d.Event.Data.Upload.ID, Verdict: string(verdict), By: by}
	return reviewProblem(c.Library.AddReview(ctx, review, note, func() error { return c.publish(ctx, d, verdict, by) }))
}

// allow puts the picture on the allow-list.
func (c *Console) allow(ctx context.Context, d *decision, by, note string) error {
	if may, err := c.Library.MayReview(ctx); err != nil || !may {
		return errors.Join(err, reviewProblem(matchdb.ErrReadOnly))
	}
	data, err := c.fetch(ctx, d)
	if err != nil {
		return err
	}
	return c.Pictures.Allow(ctx, data, matchdb.NewAllowed{
		Source: "decision " + d.Event.ID + " on " + d.Event.Data.Upload.ID, Note: note, By: by,
	})
}

// publish stores the reviewed decision in the stream, under an id of its own that the stream takes once.
func (c *Console) publish(ctx context.Context, d *decision, verdict event.Verdict, by string) error {
	next := d.Event.Data
	next.Review = &event.ReviewInfo{By: by, Of: d.Event.ID, At: d.Event.Time, Reason: next.Reason}
	next.Verdict, next.Reason = verdict, event.Reviewed
	_, duplicate, err := decisions.Store(ctx, c.JetStream, next)
	switch {
	case err != nil:
		return &problem{http.StatusServiceUnavailable, fmt.Sprintf("The decision was not stored: %v. Try again.", err)}
	case duplicate: // perhaps of a review that the database did not take in the end
		return &problem{http.StatusConflict, fmt.Sprintf("%s has a review of decision %s already, and took no other: what it says was published. Try again after the stream's duplicate window.", event.DecisionsStream, d.Event.ID)}
	}
	return nil
}

// reviewProblem says what the person can do about an error of the library's.
func reviewProblem(err error) error {
	var faster *matchdb.ReviewedError
	switch {
	case errors.As(err, &faster):
		return &problem{http.StatusConflict, faster.Error() + "."}
	case errors.Is(err, matchdb.ErrReadOnly):
		return &problem{http.StatusForbidden, err.Error() + "."}
	}
	return err
}
