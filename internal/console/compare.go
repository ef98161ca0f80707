package console

import (
	"net/http"

	"moderator/internal/event"
	"moderator/internal/matchdb"
	"moderator/internal/recognise"
)

type comparePage struct {
	A, B   *chosen
	Result *recognise.Comparison
	Banks  []bankVerdict
}

// bankVerdict is the verdict on an upload of the second picture if the first were flagged in the bank.
type bankVerdict struct {
	matchdb.Bank
	recognise.Judged
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
		page.Banks = append(page.Banks, inBank(result, bank))
	}
	page.Result = &result
	v.Data = page
	return v, nil
}

// inBank returns the verdict by the thresholds of a bank.
func inBank(c recognise.Comparison, bank matchdb.Bank) bankVerdict {
	if !bank.Enabled {
		return bankVerdict{bank, recognise.Judged{Verdict: event.Allow}}
	}
	return bankVerdict{bank, c.Judge(bank.BlockAt, bank.ReviewAt)}
}
