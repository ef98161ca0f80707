package matchdb

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Feedback is what is said of an entry of an exchange.
type Feedback struct {
	Entry   string
	Address string // of the ExchangeEntry, as it is now
	Signal  string // of the flag that matched: sha256, sha1, md5 or pdq
	Opinion Opinion
}

// Opinion on an entry that an upload matched.
type Opinion string

// Opinions: a match that nobody looked at, and what a reviewer decided.
const (
	Seen          Opinion = "seen"
	Confirmed     Opinion = "confirmed"      // the upload was blocked
	FalsePositive Opinion = "false_positive" // the upload was allowed
)

func opinionOf(verdict string) Opinion {
	if verdict == "block" {
		return Confirmed
	}
	return FalsePositive
}

// queueFeedbackSQL keeps an opinion ($2) on flags ($1) for the exchanges whose setting ($3) wants it.
const queueFeedbackSQL = `INSERT INTO exchange_feedback (exchange_id, entry, signal, opinion)
	SELECT r.exchange_id, r.entry, CASE WHEN i.sha256 IS NOT NULL THEN 'sha256' WHEN i.sha1 IS NOT NULL THEN 'sha1' WHEN i.md5 IS NOT NULL THEN 'md5' ELSE 'pdq' END, $2
	FROM exchange_record r JOIN exchange e ON e.id = r.exchange_id JOIN flagged_image i ON i.id = r.image_id
	WHERE r.image_id = ANY ($1) AND e.settings ->> $3 = 'true'
		AND ($2 <> 'seen' OR NOT EXISTS (SELECT FROM exchange_feedback f WHERE f.exchange_id = r.exchange_id AND f.entry = r.entry)) ON CONFLICT DO NOTHING`

// dropFeedbackSQL drops a reviewer's opinion ($2) on flags ($1), unless the source has taken it. What another review said of the same
// entries goes with it.
const dropFeedbackSQL = `DELETE FROM exchange_feedback f USING exchange_record r
	WHERE r.image_id = ANY ($1) AND f.exchange_id = r.exchange_id AND f.entry = r.entry AND f.opinion = $2 AND f.sent_at IS NULL`

// QueueSeen keeps that uploads matched the flags, for the exchanges that want to know it and have no other feedback on the entry.
// moderator_reader may call it.
func (db *DB) QueueSeen(ctx context.Context, flags []uuid.UUID) error {
	_, err := db.pool.Exec(ctx, queueFeedbackSQL, flags, Seen, "feedback_seen")
	return err
}

// PendingFeedback returns the oldest feedback that the source did not take yet.
func (f *ExchangeFetch) PendingFeedback(ctx context.Context, most int) ([]Feedback, error) {
	rows, err := f.conn.Query(ctx, `SELECT entry,
		coalesce((SELECT address FROM exchange_record r WHERE r.exchange_id = f.exchange_id AND r.entry = f.entry LIMIT 1), ''), signal, opinion
		FROM exchange_feedback f WHERE exchange_id = $1 AND sent_at IS NULL ORDER BY created_at, entry LIMIT $2`, f.ID, most)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Feedback])
}

// FeedbackSent notes that the source took it: it is not sent again.
func (f *ExchangeFetch) FeedbackSent(ctx context.Context, all []Feedback) error {
	for _, one := range all {
		_, err := f.conn.Exec(ctx, "UPDATE exchange_feedback SET sent_at = now() WHERE exchange_id = $1 AND entry = $2 AND signal = $3 AND opinion = $4",
			f.ID, one.Entry, one.Signal, one.Opinion)
		if err != nil {
			return err
		}
	}
	return nil
}
