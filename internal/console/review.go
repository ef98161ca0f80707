package console

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"moderator/internal/decisions"
	"moderator/internal/event"
	"moderator/internal/matchdb"
)

// shownReviews is the number of decisions on one page of the queue.
const shownReviews = 50

type reviewPage struct {
	Filter    queueFilter
	Reasons   []choice
	Banks     []choice
	Signals   []choice
	Waiting   int        // decisions of all filters
	Found     int        // of this one
	Items     []*waiting // of the page
	Page      int        // from 1
	Pages     int
	Selected  *decision // nil with an empty queue
	Next      uint64    // sequence number after Selected; 0 if it is the last
	May       bool      // the database's role may review
	Just      *decision // the last reviewed decision
	Decided   int       // decisions that were just reviewed together
	Undecided string    // note of a review that failed
}

// Address returns that of another page with the same filter.
func (p *reviewPage) Address(page int) string {
	q := p.Filter.Values()
	q.Set("page", strconv.Itoa(page))
	return "/review?" + q.Encode()
}

// IsSelected reports whether a decision of the page is the selected one.
func (p *reviewPage) IsSelected(sequence uint64) bool {
	return p.Selected != nil && p.Selected.Sequence == sequence
}

// At returns the address of a decision of the page.
func (p *reviewPage) At(sequence uint64) string {
	return p.Address(p.Page) + "&at=" + strconv.FormatUint(sequence, 10)
}

func (c *Console) reviewPage(r *http.Request) (view, error) {
	return c.showQueue(r.Context(), r.URL.Query())
}

// showQueue shows a page of the queue, by the parameters of queueFilterOf and
//
//	at     the sequence number of the decision to select; an error says why it does not wait
//	next   the one to select if it still waits; else the first of the page
//	page   the page, from 1; default: that of the selected decision
//	done   the sequence number of a decision that was just reviewed
func (c *Console) showQueue(ctx context.Context, q url.Values) (view, error) {
	page := &reviewPage{Filter: queueFilterOf(q), Page: 1, Pages: 1}
	v := view{Page: "review", Title: "Review", Data: page}
	all, err := c.waiting(ctx)
	if err != nil {
		return v, err
	}
	if page.May, err = c.Library.MayReview(ctx); err != nil {
		return v, err
	}
	page.Waiting = len(all)
	page.Reasons = choices(all, func(w *waiting) string { return string(w.Reason) })
	page.Banks = choices(all, func(w *waiting) string { return w.Bank })
	page.Signals = choices(all, func(w *waiting) string { return string(w.Signal) })
	found := page.Filter.apply(all)
	page.Found, page.Pages = len(found), max(1, (len(found)+shownReviews-1)/shownReviews)
	position := func(sequence string) int {
		return slices.IndexFunc(found, func(w *waiting) bool { return strconv.FormatUint(w.Sequence, 10) == sequence })
	}
	selected := -1
	at := q.Get("at")
	for _, wanted := range []string{at, q.Get("next")} {
		if selected < 0 && wanted != "" {
			selected = position(wanted)
		}
	}
	if n, err := strconv.Atoi(q.Get("page")); err == nil {
		page.Page = max(1, min(n, page.Pages))
	} else if selected >= 0 {
		page.Page = 1 + selected/shownReviews
	}
	page.Items = found[min(len(found), (page.Page-1)*shownReviews):min(len(found), page.Page*shownReviews)]
	if done := q.Get("done"); done != "" {
		if just, err := c.load(ctx, done); err == nil && just.Review != nil { // else it was deleted, or the number is invalid
			page.Just = just
		}
	}
	page.Decided, _ = strconv.Atoi(q.Get("decided"))
	if at != "" && selected < 0 {
		return v, c.notWaiting(ctx, at)
	}
	if selected < 0 && len(page.Items) > 0 {
		selected = (page.Page - 1) * shownReviews
	}
	if selected < 0 {
		return v, nil
	}
	if selected+1 < len(found) {
		page.Next = found[selected+1].Sequence
	}
	page.Selected, err = c.load(ctx, strconv.FormatUint(found[selected].Sequence, 10))
	return v, err
}

// notWaiting says why a decision is not in the queue, or not in this filter.
func (c *Console) notWaiting(ctx context.Context, sequence string) error {
	d, err := c.load(ctx, sequence)
	switch {
	case err != nil:
		return err
	case d.Review != nil:
		return reviewProblem(&matchdb.ReviewedError{Review: *d.Review})
	case d.Event.Data.Verdict != event.Review || d.Event.Data.Reason == event.Reviewed:
		return &problem{http.StatusConflict, fmt.Sprintf("Decision %d has the verdict %s and waits for nobody.", d.Sequence, d.Event.Data.Verdict)}
	}
	return &problem{http.StatusNotFound, fmt.Sprintf("Decision %d waits for a review, but the filter leaves it out.", d.Sequence)}
}

// decide handles the form of the Review page.
func (c *Console) decide(r *http.Request) (view, error) {
	d, err := c.load(r.Context(), r.PathValue("sequence"))
	if err != nil {
		return view{}, err
	}
	// If the page is older than the stream, another decision may have its number.
	if id := r.PostFormValue("decision_id"); id != d.Event.ID {
		return view{}, &problem{http.StatusConflict, fmt.Sprintf("Number %d in the stream is another decision now, on %s: the stream was created again or restored from an earlier copy. Go back to the queue.", d.Sequence, cut(d.Event.Data.Upload.ID, maxUploadShown))}
	}
	// A browser that disconnects must not leave the review half done.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), reviewTime)
	defer cancel()
	note := r.PostFormValue("note")
	if err := c.review(ctx, d, r.PostFormValue("decision"), user(r), note); err != nil {
		q := queueFilterOf(r.PostForm).Values()
		q.Set("next", r.PathValue("sequence"))
		v, queueErr := c.showQueue(r.Context(), q)
		if page, ok := v.Data.(*reviewPage); ok {
			page.Undecided = note
		}
		return v, errors.Join(err, queueErr)
	}
	q := queueFilterOf(r.PostForm).Values()
	q.Set("next", r.PostFormValue("next"))
	q.Set("done", strconv.FormatUint(d.Sequence, 10))
	return view{redirect: "/review?" + q.Encode()}, nil
}

const (
	maxNoteBytes = 2000
	reviewTime   = 30 * time.Second
)

// review stores and publishes a person's decision: block, allow, or list, which allows the upload and puts its picture on
// the allow-list.
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
		return &problem{http.StatusConflict, "Only decisions with the verdict review can be reviewed."}
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

// publish stores the reviewed decision in the stream. Its id makes the stream store one review of a decision.
func (c *Console) publish(ctx context.Context, d *decision, verdict event.Verdict, by string) error {
	next := d.Event.Data
	next.Review = &event.ReviewInfo{By: by, Of: d.Event.ID, At: d.Event.Time, Reason: next.Reason}
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
