package console

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

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
	Selected  *decision      // nil with an empty queue
	Next      uint64         // sequence number after Selected; 0 if it is the last
	May       bool           // the user may review
	Curate    bool           // the user may flag uploads
	Into      []matchdb.Bank // to flag in; with Curate only
	Holder    string         // somebody else who looks at Selected
	claims    map[matchdb.DecisionKey]string
	user      string
	Just      *decision     // the last reviewed decision
	Decided   int           // decisions that were just reviewed together
	Left      int           // chosen ones that cannot be judged again
	Stint     matchdb.Stint // of the user, if a pause is due
	Undecided string        // note of a review that failed
}

// Address returns that of another page with the same filter.
func (p *reviewPage) Address(page int) string {
	q := p.Filter.Values()
	q.Set("page", strconv.Itoa(page))
	return "/review?" + q.Encode()
}

func (p *reviewPage) turnTo(page int, found []*waiting) {
	p.Page = page
	p.Items = found[min(len(found), (page-1)*shownReviews):min(len(found), page*shownReviews)]
}

// IsSelected reports whether a decision of the page is the selected one.
func (p *reviewPage) IsSelected(sequence uint64) bool {
	return p.Selected != nil && p.Selected.Sequence == sequence
}

// HeldBy returns who else looks at a decision.
func (p *reviewPage) HeldBy(w *waiting) string {
	if by := p.claims[w.key]; by != p.user {
		return by
	}
	return ""
}

// BankOfSelected is the bank of the flag that matched, or the first bank of every library.
func (p *reviewPage) BankOfSelected() string {
	if p.Selected == nil || p.Selected.Event.Data.Match == nil {
		return "default"
	}
	return p.Selected.Event.Data.Match.Bank
}

// At returns the address of a decision of the page.
func (p *reviewPage) At(sequence uint64) string {
	return p.Address(p.Page) + "&at=" + strconv.FormatUint(sequence, 10)
}

func (c *Console) reviewPage(r *http.Request) (view, error) {
	return c.showQueue(r, r.URL.Query())
}

// showQueue shows a page of the queue, by the parameters of queueFilterOf and
//
//	at     the sequence number of the decision to select; an error says why it does not wait
//	next   the one to select if it still waits; else the first of the page
//	page   the page, from 1; default: that of the selected decision
//	done   the sequence number of a decision that was just reviewed
func (c *Console) showQueue(r *http.Request, q url.Values) (view, error) {
	ctx, by := r.Context(), user(r)
	page := &reviewPage{Filter: queueFilterOf(q), Page: 1, Pages: 1, user: by}
	v := view{Page: "review", Title: "Review", Data: page}
	all, err := c.waiting(ctx)
	if err != nil {
		return v, err
	}
	if page.May, err = c.may(r, Reviewer); err != nil {
		return v, err
	}
	if page.Curate, err = c.may(r, Curator); err != nil {
		return v, err
	}
	if page.Curate {
		if page.Into, err = c.Library.Banks(ctx, c.Model); err != nil {
			return v, err
		}
	}
	if page.claims, err = c.claims(r); err != nil {
		return v, err
	}
	if page.Stint, err = c.breakDue(ctx, by); err != nil {
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
	page.turnTo(page.Page, found)
	if done := q.Get("done"); done != "" {
		if just, err := c.load(ctx, done); err == nil && just.Review != nil { // else it was deleted, or the number is invalid
			page.Just = just
		}
	}
	page.Decided, _ = strconv.Atoi(q.Get("decided"))
	page.Left, _ = strconv.Atoi(q.Get("left"))
	if at != "" && selected < 0 {
		return v, c.notWaiting(ctx, at)
	}
	asked := at != ""
	if selected < 0 {
		selected = (page.Page - 1) * shownReviews
	}
	for ; selected < len(found); selected++ {
		w := found[selected]
		page.Holder = page.HeldBy(w)
		if page.May && page.Holder == "" {
			claimed, err := c.Library.Claim(ctx, w.key, by, claimTime)
			if err != nil {
				return v, err
			}
			if !claimed {
				page.Holder = "somebody else"
			}
		}
		if asked || page.Holder == "" { // others' decisions are passed over
			return v, c.selectAt(ctx, page, found, selected)
		}
	}
	return v, nil
}

// pause is the time without a review that ends a stint.
const pause = 10 * time.Minute

// breakDue returns the user's stint if it is longer than ReviewBreak, else zero.
func (c *Console) breakDue(ctx context.Context, by string) (matchdb.Stint, error) {
	if c.ReviewBreak <= 0 {
		return matchdb.Stint{}, nil
	}
	stint, err := c.Library.Stint(ctx, by, pause)
	if stint.Length < c.ReviewBreak {
		return matchdb.Stint{}, err
	}
	return stint, err
}

// claims returns who looks at which decision, or nothing if the database's role may not claim any.
func (c *Console) claims(r *http.Request) (map[matchdb.DecisionKey]string, error) {
	if may, err := c.Library.MayReview(r.Context()); err != nil || !may {
		return nil, err
	}
	return c.Library.Claims(r.Context())
}

// claimTime is how long a person has a decision that is shown.
const claimTime = 5 * time.Minute

func (c *Console) selectAt(ctx context.Context, page *reviewPage, found []*waiting, selected int) (err error) {
	page.turnTo(1+selected/shownReviews, found)
	if selected+1 < len(found) {
		page.Next = found[selected+1].Sequence
	}
	page.Selected, err = c.load(ctx, strconv.FormatUint(found[selected].Sequence, 10))
	return err
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
