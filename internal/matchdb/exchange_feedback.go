package matchdb

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// Feedback is a reviewer's verdict on an entry of an exchange.
type Feedback struct {
	Entry     string
	Signal    string // of the flag that matched: sha256, sha1, md5 or pdq
	Confirmed bool   // the upload was blocked; else the match was a false positive
}

// queueFeedbackSQL keeps what a reviewer says of flags ($1), whether confirmed ($2), for the exchanges that take it.
const queueFeedbackSQL = `INSERT INTO exchange_feedback (exchange_id, entry, signal, confirmed)
	SELECT r.exchange_id, r.entry, CASE WHEN i.sha256 IS NOT NULL THEN 'sha256' WHEN i.sha1 IS NOT NULL THEN 'sha1' WHEN i.md5 IS NOT NULL THEN 'md5' ELSE 'pdq' END, $2
	FROM exchange_record r JOIN exchange e ON e.id = r.exchange_id JOIN flagged_image i ON i.id = r.image_id
	WHERE r.image_id = ANY ($1) AND e.settings ->> 'feedback' = 'true' ON CONFLICT DO NOTHING`

// dropFeedbackSQL drops what a reviewer said of flags ($1), whether confirmed ($2), unless the source has taken it. What another
// review said of the same entries goes with it.
const dropFeedbackSQL = `DELETE FROM exchange_feedback f USING exchange_record r
	WHERE r.image_id = ANY ($1) AND f.exchange_id = r.exchange_id AND f.entry = r.entry AND f.confirmed = $2 AND f.sent_at IS NULL`

// PendingFeedback returns the oldest feedback that the source did not take yet.
func (f *ExchangeFetch) PendingFeedback(ctx context.Context, most int) ([]Feedback, error) {
	rows, err := f.conn.Query(ctx, `SELECT entry, signal, confirmed FROM exchange_feedback
		WHERE exchange_id = $1 AND sent_at IS NULL ORDER BY created_at, entry LIMIT $2`, f.ID, most)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Feedback])
}

// FeedbackSent notes that the source took it: it is not sent again.
func (f *ExchangeFetch) FeedbackSent(ctx context.Context, all []Feedback) error {
	for _, one := range all {
		_, err := f.conn.Exec(ctx, "UPDATE exchange_feedback SET sent_at = now() WHERE exchange_id = $1 AND entry = $2 AND signal = $3 AND confirmed = $4",
			f.ID, one.Entry, one.Signal, one.Confirmed)
		if err != nil {
			return err
		}
	}
	return nil
}
