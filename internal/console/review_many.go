package console

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	manyReviews = 2000            // most decisions of one request
	manyTime    = 4 * time.Minute // after which the rest of them is left
)

// decideMany handles the form of several decisions: those with the values of "item", or else all of the filter. Their
// number must be in "count", so that nobody decides on more than they saw.
func (c *Console) decideMany(r *http.Request) (view, error) {
	if err := r.ParseForm(); err != nil {
		return view{}, &problem{http.StatusBadRequest, fmt.Sprintf("The form cannot be read: %v.", err)}
	}
	filter := queueFilterOf(r.PostForm)
	again := filter.Values()
	failed := func(err error) (view, error) {
		v, queueErr := c.showQueue(r, again)
		return v, errors.Join(err, queueErr)
	}
	all, err := c.waiting(r.Context())
	if err != nil {
		return failed(err)
	}
	chosen := filter.apply(all)
	if items := r.PostForm["item"]; r.PostFormValue("of") == "chosen" {
		wanted := map[string]bool{}
		for _, item := range items {
			wanted[item] = true
		}
		var some []*waiting
		for _, w := range chosen {
			if wanted[strconv.FormatUint(w.Sequence, 10)] {
				some = append(some, w)
			}
		}
		if chosen = some; len(chosen) < len(items) || len(items) == 0 {
			return failed(&problem{http.StatusConflict, fmt.Sprintf("%d of the %d chosen decisions wait for a review. Nothing was decided. Choose again.", len(chosen), len(items))})
		}
	} else if count := r.PostFormValue("count"); digits(count) != strconv.Itoa(len(chosen)) {
		return failed(&problem{http.StatusConflict, fmt.Sprintf("The filter holds %d decisions, and %q was entered. Nothing was decided. Enter the number to decide on all.", len(chosen), cut(count, 20))})
	}
	if len(chosen) > manyReviews {
		return failed(&problem{http.StatusBadRequest, fmt.Sprintf("The filter holds %d decisions, wanted at most %d at once. Narrow the filter.", len(chosen), manyReviews)})
	}
	rule := rulingOf(r)
	if rule.oneByOne() {
		return failed(&problem{http.StatusBadRequest, "Pictures are flagged and put on the allow-list one by one."})
	}
	// A browser that disconnects does not end it.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), manyTime)
	defer cancel()
	n, left := 0, 0
	for _, w := range chosen {
		d, err := c.load(ctx, strconv.FormatUint(w.Sequence, 10))
		if err == nil && d.key() != w.key {
			continue // the stream was created again meanwhile
		}
		if err == nil && d.Review != nil {
			continue // somebody else was faster
		}
		if err == nil && rule.decided == judgeAgain && !d.CanJudgeAgain() {
			left++
			continue
		}
		if err == nil {
			err = c.review(ctx, d, rule)
		}
		if err != nil {
			return failed(errors.Join(fmt.Errorf("%d of %d were decided", n, len(chosen)), err))
		}
		n++
	}
	again.Set("decided", strconv.Itoa(n))
	again.Set("left", strconv.Itoa(left))
	return view{redirect: "/review?" + again.Encode()}, nil
}

// digits drops what groups the digits of a number.
func digits(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, text)
}
