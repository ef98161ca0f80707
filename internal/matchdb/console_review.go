package matchdb

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// DecisionKey names a decision: the event's id and its time, to the microsecond that the database keeps.
type DecisionKey struct {
	ID string
	At time.Time
}

// NewDecisionKey is the key of an event.
func NewDecisionKey(id string, at time.Time) DecisionKey {
	return DecisionKey{id, at.UTC().Truncate(time.Microsecond)}
}

// Review is a person's decision on what was decided review.
type Review struct {
	Decision DecisionKey
	Sequence uint64 // of the decision in DECISIONS when it was reviewed
	UploadID string
	Verdict  string // allow, block, or again: the upload was published anew
	By       string
	At       time.Time // filled in by the database

	TakenBackAt *time.Time // nil: it holds
	TakenBackBy string

	Flags []uuid.UUID // that the upload matched: exchanges may get the verdict as feedback; not read back
}

// ReviewedError says that somebody else was faster.
type ReviewedError struct{ Review Review }

func (e *ReviewedError) Error() string {
	r := e.Review
	text := fmt.Sprintf("%s was reviewed already: %s by %s at %s", r.UploadID, r.Verdict, r.By, r.At.UTC().Format(time.DateTime))
	if r.TakenBackAt != nil {
		text += fmt.Sprintf("; %s took it back at %s", r.TakenBackBy, r.TakenBackAt.UTC().Format(time.DateTime))
	}
	return text
}

// AddReview stores the review, with note as the audit log's reason, and publishes it: either both, or neither where publish
// fails. Of two people who review a decision at once one gets a *ReviewedError. ErrReadOnly when this login may not.
func (db *DB) AddReview(ctx context.Context, r Review, note string, publish func() error) error {
	err := db.withAudit(ctx, r.By, note, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `INSERT INTO review (decision_id, decided_at, upload_id, verdict, reviewed_by, sequence)
			VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`, r.Decision.ID, r.Decision.At, r.UploadID, r.Verdict, r.By, r.Sequence)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return errAnotherReview
		}
		if r.Verdict != "again" {
			if _, err := tx.Exec(ctx, queueFeedbackSQL, r.Flags, opinionOf(r.Verdict), "feedback"); err != nil {
				return err
			}
		}
		return publish()
	})
	switch {
	case pgCode(err) == insufficientPrivilege:
		return ErrReadOnly
	case errors.Is(err, errAnotherReview):
		reviews, err := db.Reviews(ctx, []DecisionKey{r.Decision})
		if err != nil {
			return err
		}
		return &ReviewedError{reviews[r.Decision]}
	}
	return err
}

var errAnotherReview = errors.New("another review")

// ErrReadOnly is the error of a change by a login that may only read.
var ErrReadOnly = errors.New("the database login of moderator may only read: GRANT moderator_curator to it, or use flagctl")

// Reviews returns the reviews of those decisions that have one.
func (db *DB) Reviews(ctx context.Context, of []DecisionKey) (map[DecisionKey]Review, error) {
	ids, times := make([]string, len(of)), make([]time.Time, len(of))
	for i, key := range of {
		ids[i], times[i] = key.ID, key.At
	}
	rows, err := db.pool.Query(ctx, `SELECT r.decision_id, r.decided_at, r.upload_id, r.verdict, r.reviewed_by, r.reviewed_at,
		r.sequence, r.taken_back_at, coalesce(r.taken_back_by, '') FROM unnest($1::text[], $2::timestamptz[]) AS q (id, at) JOIN review r ON r.decision_id = q.id AND r.decided_at = q.at`, ids, times)
	if err != nil {
		return nil, err
	}
	reviews := map[DecisionKey]Review{}
	var r Review
	_, err = pgx.ForEachRow(rows, []any{&r.Decision.ID, &r.Decision.At, &r.UploadID, &r.Verdict, &r.By, &r.At, &r.Sequence, &r.TakenBackAt, &r.TakenBackBy}, func() error {
		r.Decision.At = r.Decision.At.UTC()
		reviews[r.Decision] = r
		return nil
	})
	return reviews, err
}

// ReviewedSince returns the decisions that were reviewed at a time or later, and the database's time before it looked.
func (db *DB) ReviewedSince(ctx context.Context, at time.Time) (done map[DecisionKey]bool, now time.Time, err error) {
	if err := db.pool.QueryRow(ctx, "SELECT now()").Scan(&now); err != nil {
		return nil, now, err
	}
	rows, err := db.pool.Query(ctx, "SELECT decision_id, decided_at FROM review WHERE reviewed_at >= $1", at)
	if err != nil {
		return nil, now, err
	}
	done = map[DecisionKey]bool{}
	var key DecisionKey
	_, err = pgx.ForEachRow(rows, []any{&key.ID, &key.At}, func() error {
		done[NewDecisionKey(key.ID, key.At)] = true
		return nil
	})
	return done, now, err
}

// MayReview says whether this login may add reviews.
func (db *DB) MayReview(ctx context.Context) (bool, error) {
	var may bool
	err := db.pool.QueryRow(ctx, "SELECT has_column_privilege('review', 'verdict', 'INSERT')").Scan(&may)
	return may, err
}
