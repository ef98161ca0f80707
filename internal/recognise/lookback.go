package recognise

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go/jetstream"

	"moderator/internal/decisions"
	"moderator/internal/embed"
	"moderator/internal/event"
	"moderator/internal/matchdb"
	"moderator/internal/verdict"
)

// publishedAtOnce is how many decisions of a look-back are remembered together: so many may come twice where it is cut off.
const publishedAtOnce = 100

// Lookback holds flags against the uploads that are kept and publishes a decision for each that one of them stops, as it
// would have stopped the upload then: by its file, its PDQ hash and the score, unless an allowed picture is nearer. It
// returns the decisions, and the number of those that a look-back before it has published.
func Lookback(ctx context.Context, db *matchdb.DB, folder *embed.Folder, js jetstream.JetStream, flags []uuid.UUID) ([]event.Decision, int, error) {
	days, err := db.RecentDays(ctx)
	if err != nil {
		return nil, 0, err
	}
	var published []event.Decision
	before := 0
	for _, day := range days { // a page each: what one flag stops may be most of what was uploaded
		past, err := db.Lookback(ctx, folder.Fingerprint(), flags, day)
		if err != nil {
			return published, before, err
		}
		judged, err := judgePast(ctx, db, folder, past)
		if err != nil {
			return published, before, err
		}
		for part := range slices.Chunk(judged, publishedAtOnce) {
			fresh, err := publishOnce(ctx, db, js, day, part)
			if err != nil {
				return published, before, fmt.Errorf("%w: %d are published; run it again: it goes on with the others", err, len(published))
			}
			published = append(published, fresh...)
			before += len(part) - len(fresh)
		}
	}
	return published, before, nil
}

// publishOnce publishes those of the decisions that no look-back has published, and returns them. What is cut off between
// publishing and remembering is published again, which the stream passes over within its duplicate window.
func publishOnce(ctx context.Context, db *matchdb.DB, js jetstream.JetStream, day time.Time, judged []event.Decision) ([]event.Decision, error) {
	found := make([]matchdb.Stopped, len(judged))
	of := make(map[matchdb.Stopped]event.Decision, len(judged))
	for i, d := range judged {
		id, err := uuid.Parse(d.Match.FlaggedID)
		if err != nil {
			return nil, err
		}
		found[i] = matchdb.Stopped{Flag: id, Stream: d.Upload.Stream, Sequence: d.Upload.Sequence, Stored: d.Upload.StoredNanos()}
		of[found[i]] = d
	}
	var published []event.Decision
	err := db.OnceEach(ctx, day, found, func(fresh []matchdb.Stopped) error {
		for _, f := range fresh {
			d, _, err := decisions.Store(ctx, js, of[f])
			if err != nil {
				return err
			}
			published = append(published, d)
		}
		return nil
	})
	return published, err
}

// judgePast makes the decisions; hits of one flag and upload follow one another.
func judgePast(ctx context.Context, db *matchdb.DB, folder *embed.Folder, past []matchdb.PastHit) ([]event.Decision, error) {
	hits, err := pastHits(ctx, db, folder, past)
	if err != nil {
		return nil, err
	}
	var decisions []event.Decision
	for i := 0; i < len(past); {
		end := i + 1
		for end < len(past) && hits[end].FlaggedID == hits[i].FlaggedID && string(past[end].Upload) == string(past[i].Upload) {
			end++
		}
		d := event.Decision{Model: event.ModelInfo{Name: folder.Name(), Fingerprint: folder.Fingerprint()}}
		if err := json.Unmarshal(past[i].Upload, &d.Upload); err != nil {
			return nil, fmt.Errorf("a kept upload: %w", err)
		}
		if verdict.Lookback(&d, hits[i:end]) {
			decisions = append(decisions, d)
		}
		i = end
	}
	return decisions, nil
}

// pastHits are the hits as the consumer weighs them, with the allowed pictures that are nearer.
func pastHits(ctx context.Context, db *matchdb.DB, folder *embed.Folder, past []matchdb.PastHit) ([]verdict.Hit, error) {
	hits, queries := make([]verdict.Hit, len(past)), make([]matchdb.AllowQuery, len(past))
	for i, p := range past {
		if p.Hash != nil {
			hits[i] = hashHit(*p.Hash)
		} else {
			hits[i] = nearHit(*p.Near, nil)
		}
		queries[i] = p.Query
	}
	if err := (policies{}).apply(ctx, db, hits); err != nil {
		return nil, err
	}
	return hits, suppressPast(ctx, db, folder, hits, queries)
}

// suppressPast gives the hits on kept uploads the allowed pictures that are nearer. queries are the views that were hit.
func suppressPast(ctx context.Context, db *matchdb.DB, folder *embed.Folder, hits []verdict.Hit, queries []matchdb.AllowQuery) error {
	var queried []matchdb.AllowQuery
	for i, h := range hits {
		if suppressible(h) {
			queried = append(queried, queries[i])
		}
	}
	if len(queried) == 0 {
		return nil
	}
	nearest, err := db.NearestAllowed(ctx, folder.Fingerprint(), queried)
	if err != nil {
		return err
	}
	for i := range hits {
		if suppressible(hits[i]) {
			hits[i].Allowed = nearer(nearest[0], hits[i])
			nearest = nearest[1:]
		}
	}
	return nil
}
