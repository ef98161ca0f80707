package console

import (
	"encoding/json"
	"net/http"
	"strconv"
)

// queueState is what a page of the queue asks for, again and again.
type queueState struct {
	Waiting int               `json:"waiting"` // decisions of all filters
	Found   int               `json:"found"`   // of this one
	Items   map[uint64]string `json:"items"`   // of the asked ones those that wait, and who else looks at them
}

// queueState answers for the decisions of "item" in the filter of queueFilterOf.
func (c *Console) queueState(w http.ResponseWriter, r *http.Request) {
	state, err := c.findQueueState(r)
	if err != nil {
		refuse(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(state)
}

func (c *Console) findQueueState(r *http.Request) (state queueState, err error) {
	q := r.URL.Query()
	all, err := c.waiting(r.Context())
	if err != nil {
		return state, err
	}
	page := reviewPage{user: user(r)}
	if page.claims, err = c.claims(r); err != nil {
		return state, err
	}
	found := queueFilterOf(q).apply(all)
	state = queueState{Waiting: len(all), Found: len(found), Items: map[uint64]string{}}
	asked := map[string]bool{}
	for _, item := range q["item"] {
		asked[item] = true
	}
	for _, w := range found {
		if asked[strconv.FormatUint(w.Sequence, 10)] {
			state.Items[w.Sequence] = page.HeldBy(w)
		}
	}
	return state, nil
}
