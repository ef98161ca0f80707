package console

import (
	"cmp"
	"net/url"
	"slices"
	"strings"

	"moderator/internal/event"
)

// queueFilter selects and sorts decisions of the queue. Empty fields match all.
type queueFilter struct {
	Reason event.Reason
	Bank   string
	Signal event.Signal
	Text   string // in the upload's id or attributes
	Sort   string // "" oldest first, newest, or score: highest first
}

func (f queueFilter) apply(all []*waiting) []*waiting {
	var kept []*waiting
	text := strings.ToLower(f.Text)
	for _, w := range all {
		if (f.Reason == "" || f.Reason == w.Reason) && (f.Bank == "" || f.Bank == w.Bank) && (f.Signal == "" || f.Signal == w.Signal) &&
			strings.Contains(w.texts, text) {
			kept = append(kept, w)
		}
	}
	switch f.Sort {
	case "newest":
		slices.Reverse(kept)
	case "score":
		slices.SortStableFunc(kept, func(a, b *waiting) int { return cmp.Compare(scoreOf(b), scoreOf(a)) })
	}
	return kept
}

// Values are the filter's parameters.
func (f queueFilter) Values() url.Values {
	v := url.Values{}
	for name, value := range map[string]string{"reason": string(f.Reason), "bank": f.Bank, "signal": string(f.Signal), "text": f.Text, "sort": f.Sort} {
		if value != "" {
			v.Set(name, value)
		}
	}
	return v
}

func queueFilterOf(v url.Values) queueFilter {
	return queueFilter{
		Reason: event.Reason(v.Get("reason")), Bank: v.Get("bank"), Signal: event.Signal(v.Get("signal")),
		Text: strings.TrimSpace(v.Get("text")), Sort: v.Get("sort"),
	}
}

// scoreOf sorts decisions without a score last.
func scoreOf(w *waiting) float64 {
	if w.Score == nil {
		return -2
	}
	return *w.Score
}

// choice is a value to filter by, with the number of decisions that have it.
type choice struct {
	Value string
	Count int
}

// choices counts the values of all decisions, the most frequent first.
func choices(all []*waiting, value func(*waiting) string) []choice {
	counts := map[string]int{}
	for _, w := range all {
		if v := value(w); v != "" {
			counts[v]++
		}
	}
	var list []choice
	for v, n := range counts {
		list = append(list, choice{v, n})
	}
	slices.SortFunc(list, func(a, b choice) int { return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Value, b.Value)) })
	return list
}
