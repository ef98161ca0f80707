package recognise

import (
	"context"
	"math"

	"github.com/google/uuid"

	"moderator/internal/event"
	"moderator/internal/matchdb"
	"moderator/internal/verdict"
)

// policies are those of flags that matched, by flag.
type policies map[uuid.UUID]matchdb.Policy

// read adds the policies of the flags. It reads them after the matches: a bank that was put in shadow before its first flag
// blocks nothing.
func (p policies) read(ctx context.Context, db *matchdb.DB, flags []uuid.UUID) error {
	var unknown []uuid.UUID
	for _, id := range flags {
		if _, ok := p[id]; !ok {
			unknown = append(unknown, id)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	found, err := db.Policies(ctx, unknown)
	for id, policy := range found {
		p[id] = policy
	}
	return err
}

// apply reads the policies of the hits that are matches, and applies them.
func (p policies) apply(ctx context.Context, db *matchdb.DB, hits ...[]verdict.Hit) error {
	var flags []uuid.UUID
	for _, of := range hits {
		for _, h := range of {
			if h.Reached() {
				id, err := uuid.Parse(h.FlaggedID)
				if err != nil {
					return err
				}
				flags = append(flags, id)
			}
		}
	}
	if err := p.read(ctx, db, flags); err != nil {
		return err
	}
	for _, of := range hits {
		for i := range of {
			if of[i].Reached() {
				govern(&of[i], p.of(of[i]))
			}
		}
	}
	return nil
}

func (p policies) of(h verdict.Hit) matchdb.Policy {
	id, err := uuid.Parse(h.FlaggedID)
	if err != nil { // apply has parsed it
		return matchdb.Policy{}
	}
	return p[id]
}

// govern applies the policy to the hit. A hit by PDQ beyond the bank's distance is no match any more.
func govern(h *verdict.Hit, p matchdb.Policy) {
	h.Shadow, h.ReviewOnly, h.Quarantined = p.Shadow, p.ReviewOnly, p.Quarantined
	if h.Signal != event.SignalPDQ || p.PDQDistance == nil {
		return
	}
	at := equalBits(*p.PDQDistance)
	h.BlockAt, h.ReviewAt = at, nil
	if p.PDQVerdict == string(event.Review) {
		h.BlockAt, h.ReviewAt = math.Inf(1), &at
	}
}

// weighable is the evidence without PDQ where the bank decides by PDQ itself.
func weighable(e verdict.Evidence, p matchdb.Policy) verdict.Evidence {
	if p.PDQDistance != nil {
		e.PDQ = -1
	}
	return e
}
