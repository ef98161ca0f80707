package exchange

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"moderator/internal/matchdb"
)

// feedbackTaker is a source that takes feedback, at most mostFeedback at once. It returns those that the programme took.
type feedbackTaker interface {
	feedback(ctx context.Context, all []matchdb.Feedback) (taken []matchdb.Feedback, err error)
}

const mostFeedback = 100

// sendFeedback tells the source what was seen and decided since the last fetch. What it does not take is sent again by the next fetch.
func sendFeedback(ctx context.Context, lock *matchdb.ExchangeFetch, to source) error {
	taker, ok := to.(feedbackTaker)
	if !ok {
		return nil
	}
	for {
		all, err := lock.PendingFeedback(ctx, mostFeedback)
		if err != nil || len(all) == 0 {
			return err
		}
		taken, err := taker.feedback(ctx, all)
		if noted := lock.FeedbackSent(ctx, taken); noted != nil {
			return noted
		}
		if err != nil {
			return fmt.Errorf("feedback: %w", err)
		}
	}
}

func (n *ncmec) feedback(ctx context.Context, all []matchdb.Feedback) (taken []matchdb.Feedback, err error) {
	const open, end = `<?xml version="1.0" encoding="UTF-8"?><feedbackSubmission xmlns="` + ncmecNamespace + `">`, `</feedbackSubmission>`
	for _, one := range all {
		body := open + "<affirmative/>" + end
		if one.Opinion == matchdb.FalsePositive {
			var guid strings.Builder
			_ = xml.EscapeText(&guid, []byte(n.FeedbackReason)) // a builder never fails
			body = open + "<negative><reasonIds><guid>" + guid.String() + "</guid></reasonIds></negative>" + end
		}
		path := "/v2/entries/" + one.Entry + "/" + strings.ToUpper(one.Signal) + "/feedback"
		_, err := n.do(ctx, http.MethodPut, path, nil, "application/xml", []byte(body))
		if err != nil && !isGone(err) {
			return taken, err
		}
		taken = append(taken, one)
	}
	return taken, nil
}

var stopNCIIOpinions = map[matchdb.Opinion]string{
	matchdb.Seen: "PendingReview", matchdb.Confirmed: "Blocked", matchdb.FalsePositive: "NotBlocked",
}

func (s *stopNCII) feedback(ctx context.Context, all []matchdb.Feedback) (taken []matchdb.Feedback, err error) {
	type hashFeedback struct {
		Hash  string   `json:"hashValue"`
		Value string   `json:"feedbackValue"`
		Tags  []string `json:"tags"`
	}
	var body struct {
		Count int            `json:"count"`
		All   []hashFeedback `json:"hashFeedbacks"`
	}
	for _, one := range all {
		_, hash, _ := strings.Cut(one.Entry, ":")
		body.All = append(body.All, hashFeedback{hash, stopNCIIOpinions[one.Opinion], []string{}})
	}
	body.Count = len(body.All)
	data, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	if _, err := s.do(ctx, http.MethodPost, "/SubmitFeedback", nil, "application/json", data); err != nil {
		return nil, err
	}
	return all, nil
}

var threatExchangeReactions = map[matchdb.Opinion]string{
	matchdb.Seen: "SAW_THIS_TOO", matchdb.Confirmed: "HELPFUL", matchdb.FalsePositive: "NOT_HELPFUL",
}

// feedback reacts to every descriptor of the indicator that others own.
func (t *threatExchange) feedback(ctx context.Context, all []matchdb.Feedback) (taken []matchdb.Feedback, err error) {
	for _, one := range all {
		for _, descriptor := range strings.Fields(one.Address) {
			form := url.Values{"reactions": {threatExchangeReactions[one.Opinion]}}
			_, err := t.do(ctx, http.MethodPost, "/"+descriptor, nil, "application/x-www-form-urlencoded", []byte(form.Encode()))
			if err != nil && !isGone(err) {
				return taken, err
			}
		}
		taken = append(taken, one)
	}
	return taken, nil
}

// isGone reports that the programme does not have the entry any more: nobody waits for feedback on it.
func isGone(err error) bool {
	var refused *statusError
	return errors.As(err, &refused) && refused.code == http.StatusNotFound
}
