package recognise

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"moderator/internal/embed"
	"moderator/internal/event"
	"moderator/internal/matchdb"
	"moderator/internal/verdict"
)

// Replayed is a kept upload with the decisions that it gets as the library is, and with the library of a matchdb.WhatIf.
type Replayed struct{ Now, Then event.Decision }

// Replay judges the uploads that are kept of the time since then twice, and calls each with both decisions. As in a look-back, an
// upload is judged by its file, its upright PDQ hashes and the score: keypoints are not kept. Nothing is published.
func Replay(ctx context.Context, db *matchdb.DB, folder *embed.Folder, since time.Time, what matchdb.WhatIf, each func(Replayed)) error {
	if err := what.Check(ctx, db); err != nil {
		return err
	}
	banks, err := db.Banks(ctx, folder.Fingerprint())
	if err != nil {
		return err
	}
	r := replay{db: db, folder: folder, what: what, enabled: map[string]bool{}}
	for _, b := range banks {
		r.enabled[b.Name] = b.Enabled
	}
	return db.KeptUploads(ctx, folder.Fingerprint(), since, func(uploads []matchdb.RecentUpload) error {
		judged, err := r.judge(ctx, uploads)
		for _, j := range judged {
			each(j)
		}
		return err
	})
}

type replay struct {
	db      *matchdb.DB
	folder  *embed.Folder
	what    matchdb.WhatIf
	enabled map[string]bool // by bank
}

func (r replay) judge(ctx context.Context, uploads []matchdb.RecentUpload) ([]Replayed, error) {
	var vectors []matchdb.Query
	hashes := make([]matchdb.HashQuery, len(uploads))
	for i, u := range uploads {
		hashes[i].SHA256 = u.SHA256
		for _, v := range u.Views {
			vectors, hashes[i].PDQ = append(vectors, v.Query), append(hashes[i].PDQ, v.PDQ)
		}
	}
	near, err := r.db.Match(ctx, r.folder.Fingerprint(), vectors)
	if err != nil {
		return nil, err
	}
	nearThen, err := r.db.MatchIf(ctx, r.folder.Fingerprint(), vectors, r.what)
	if err != nil {
		return nil, err
	}
	same, err := r.db.MatchHashesOfAllBanks(ctx, hashes)
	if err != nil {
		return nil, err
	}
	judged := make([]Replayed, len(uploads))
	for i, u := range uploads {
		n := len(u.Views)
		if judged[i].Now, err = r.decide(ctx, u, near[:n], same[i], false); err != nil {
			return nil, err
		}
		if judged[i].Then, err = r.decide(ctx, u, nearThen[:n], same[i], true); err != nil {
			return nil, err
		}
		near, nearThen = near[n:], nearThen[n:]
	}
	return judged, nil
}

// govern applies the policy that is tried.
func (r replay) govern(h *verdict.Hit) {
	named := slices.Contains(r.what.Banks, h.Bank)
	if h.Shadow && !named {
		return
	}
	if r.what.PDQDistance != nil && (named || len(r.what.Banks) == 0) {
		tried := matchdb.Policy{Quarantined: h.Quarantined}
		tried.ReviewOnly, tried.PDQDistance, tried.PDQVerdict = h.ReviewOnly, r.what.PDQDistance, r.what.PDQVerdict
		govern(h, tried)
	}
	h.Shadow = false
}

// decide is the decision on an upload whose views are near to flags, and whose hashes name some.
func (r replay) decide(ctx context.Context, u matchdb.RecentUpload, near [][]matchdb.Hit, same []matchdb.HashHit, then bool) (event.Decision, error) {
	d := event.Decision{Model: event.ModelInfo{Name: r.folder.Name(), Fingerprint: r.folder.Fingerprint()}}
	if err := json.Unmarshal(u.Upload, &d.Upload); err != nil {
		return d, fmt.Errorf("a kept upload: %w", err)
	}
	var hits []verdict.Hit
	var queries []matchdb.AllowQuery
	add := func(h verdict.Hit, view int) {
		q := matchdb.AllowQuery{SHA256: u.SHA256}
		if len(u.Views) > 0 {
			q.Query, q.PDQ = u.Views[view].Query, u.Views[view].PDQ
		}
		hits, queries = append(hits, h), append(queries, q)
	}
	for view, of := range near {
		for _, h := range of {
			add(nearHit(h, nil), view)
		}
	}
	for _, h := range same {
		if r.enabled[h.Bank] || then && slices.Contains(r.what.Banks, h.Bank) {
			add(hashHit(h), h.Query)
		}
	}
	if err := (policies{}).apply(ctx, r.db, hits); err != nil {
		return d, err
	}
	for i := range hits {
		if then {
			r.govern(&hits[i])
		}
	}
	if err := suppressPast(ctx, r.db, r.folder, hits, queries); err != nil {
		return d, err
	}
	verdict.Weigh(&d, hits)
	return d, nil
}
