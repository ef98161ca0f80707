package console

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"moderator/internal/decisions"
	"moderator/internal/event"
	"moderator/internal/matchdb"
)

// takeBack handles the form that takes a review back: the upload waits again. A picture that the review put on the allow-list
// is removed from it.
func (c *Console) takeBack(r *http.Request) (view, error) {
	d, err := c.loadNamed(r)
	if err != nil {
		return view{}, err
	}
	note, by := r.PostFormValue("note"), user(r)
	if err := checkNote(note); err != nil {
		return view{}, err
	}
	// A browser that disconnects must not leave it half done.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), reviewTime)
	defer cancel()
	err = c.Library.TakeBack(ctx, d.reviewedBy(by, ""), note, func() error { return c.publishTakenBack(ctx, d, by) })
	if errors.Is(err, matchdb.ErrNotFound) {
		err = &problem{http.StatusConflict, fmt.Sprintf("Decision %d was not reviewed: there is nothing to take back.", d.Sequence)}
	}
	if err != nil {
		return view{}, reviewProblem(err)
	}
	if err := c.unlist(ctx, d, by, note); err != nil {
		return view{}, err
	}
	all, err := c.waiting(ctx)
	if err != nil {
		return view{}, err
	}
	q := queueFilterOf(r.PostForm).Values()
	if at := slices.IndexFunc(all, func(w *waiting) bool { return w.key.ID == d.takenBackID() }); at >= 0 {
		q.Set("at", strconv.FormatUint(all[at].Sequence, 10))
	}
	return view{redirect: "/review?" + q.Encode()}, nil
}

// CanTakeBack reports whether the decision has a review that holds and can be taken back.
func (d *decision) CanTakeBack() bool {
	return d.Review != nil && d.Review.TakenBackAt == nil && d.Review.Verdict != judgeAgain
}

// takenBackID is the id of the decision that takes the review of d back.
func (d *decision) takenBackID() string { return d.Event.ID + ":taken_back" }

// publishTakenBack stores the correcting decision. If the stream has it already, from an attempt whose transaction failed
// afterwards, it counts.
func (c *Console) publishTakenBack(ctx context.Context, d *decision, by string) error {
	next := d.Event.Data
	next.Review = &event.ReviewInfo{By: by, Of: d.Event.ID, At: d.Event.Time, Reason: next.WaitsFor()}
	next.Verdict, next.Reason = event.Review, event.TakenBack
	if _, _, err := decisions.Store(ctx, c.JetStream, next); err != nil {
		return &problem{http.StatusServiceUnavailable, fmt.Sprintf("The decision was not stored: %v. Try again.", err)}
	}
	return nil
}

// unlist removes the picture from the allow-list if the review of d put it there.
func (c *Console) unlist(ctx context.Context, d *decision, by, note string) error {
	list, err := c.Library.AllowList(ctx)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(list, func(a matchdb.Allowed) bool { return a.Source == d.allowSource() })
	if at < 0 {
		return nil
	}
	if note == "" {
		note = "the review was taken back"
	}
	_, err = c.Library.RemoveAllowed(ctx, list[at].ID.String(), by, note)
	if errors.Is(err, matchdb.ErrNotFound) { // somebody was faster
		return nil
	}
	return err
}
