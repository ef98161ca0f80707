package console

import (
	"net/http"

	"moderator/internal/event"
	"moderator/internal/matchdb"
	"moderator/internal/pdq"
)

// Comparison is what is alike in two pictures, by each signal.
type Comparison struct {
	SameFile   bool
	PDQ        int     // bits that differ, of pdq.Bits, between the nearest views; -1 where there is too little detail
	MaxPDQ     int     // up to which it blocks
	Score      float64 // of the nearest views
	Similarity float64 // their cosine
	View       string  // which view of the flagged one
}

// PDQShare is the share of equal bits.
func (r Comparison) PDQShare() float64 { return 1 - float64(r.PDQ)/pdq.Bits }

type comparePage struct {
	A, B   *chosen
	Result *Comparison
	Banks  []bankVerdict
}

// bankVerdict is what an upload of the second picture would get, were the first flagged in that bank.
type bankVerdict struct {
	matchdb.Bank
	Verdict event.Verdict
	Signal  event.Signal // that says so
}

func (c *Console) comparePage(*http.Request) (view, error) {
	return view{Page: "compare", Title: "Compare", Data: comparePage{}}, nil
}

func (c *Console) compare(r *http.Request) (view, error) {
	v := view{Page: "compare", Title: "Compare", Data: comparePage{}}
	pictures, err := c.take(r, "a", "b")
	if err != nil {
		return v, err
	}
	page := comparePage{A: pictures[0], B: pictures[1]}
	result, err := c.Pictures.Compare(r.Context(), page.A.data, page.B.data)
	if err != nil {
		return v, pictureProblem("The comparison", err)
	}
	banks, err := c.Library.Banks(r.Context(), c.Model)
	if err != nil {
		return v, err
	}
	for _, bank := range banks {
		page.Banks = append(page.Banks, result.in(bank))
	}
	page.Result = &result
	v.Data = page
	return v, nil
}

// in says what the thresholds of a bank make of it.
func (r Comparison) in(bank matchdb.Bank) bankVerdict {
	v := bankVerdict{Bank: bank, Verdict: event.Allow, Signal: event.SignalEmbedding}
	switch {
	case !bank.Enabled:
		v.Signal = ""
	case r.SameFile:
		v.Verdict, v.Signal = event.Block, event.SignalExact
	case r.PDQ >= 0 && r.PDQ <= r.MaxPDQ:
		v.Verdict, v.Signal = event.Block, event.SignalPDQ
	default:
		v.Verdict = verdictOf(r.Score, bank.BlockAt, bank.ReviewAt)
	}
	return v
}

func verdictOf(score, blockAt float64, reviewAt *float64) event.Verdict {
	switch {
	case score >= blockAt:
		return event.Block
	case reviewAt != nil && score >= *reviewAt:
		return event.Review
	}
	return event.Allow
}
