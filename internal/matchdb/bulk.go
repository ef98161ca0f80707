package matchdb

import (
	"context"

	"github.com/jackc/pgx/v5"

	"moderator/internal/hashlist"
)

// Loaded counts what became of the flags of a list.
type Loaded struct {
	New       int
	Known     int // flagged in the bank already; views that they lacked are added
	Retracted int // from the bank, and left so
}

// Add adds another part's counts.
func (l *Loaded) Add(o Loaded) {
	l.New, l.Known, l.Retracted = l.New+o.New, l.Known+o.Known, l.Retracted+o.Retracted
}

// Import is the loading of one list. It is safe for concurrent use.
type Import struct {
	db      *DB
	by, why string
}

// NewImport begins a list that by imports; why is for the audit log.
func (db *DB) NewImport(by, why string) *Import {
	return &Import{db: db, by: by, why: why}
}

// Keys by which the flag of a picture is found: what was staged, and what is there. + 0 keeps plans, which are made once, from reading all
// flags of a bank by the index of banks.
const (
	stagedKey  = "(s.bank_id, coalesce(s.sha256, s.sha1, s.md5, s.signal_key))"
	flaggedKey = "(i.bank_id + 0, coalesce(i.sha256, i.sha1, i.md5, i.signal_key))"
)

// loadSettings let the server keep the plans by which it looks up what each row refers to: planning them anew for every row
// is what a session does otherwise, and takes half the time of a load. Plans that are made while the tables are small have
// to be good when they are large.
const loadSettings = "SET LOCAL plan_cache_mode = auto; SET LOCAL enable_seqscan = off"

// These store what was staged. Rows go in in the order of their keys, which is that of new ids too (see stage).
const (
	loadNewSQL = `INSERT INTO flagged_image (id, bank_id, sha256, sha1, md5, signal_key, source, note, created_by)
		SELECT s.id, s.bank_id, s.sha256, s.sha1, s.md5, s.signal_key, s.source, s.note, current_setting('moderator.actor') FROM list_flag s
		WHERE NOT EXISTS (SELECT FROM flagged_image i WHERE ` + flaggedKey + ` = ` + stagedKey + ` AND i.retracted_at IS NOT NULL)
		ORDER BY s.bank_id, coalesce(s.sha256, s.sha1, s.md5, s.signal_key) ON CONFLICT DO NOTHING`
	// All others take the id of the row that is there, locked against retraction until the end (see
	// insertImage), or none where it is retracted. They too are locked in the order of their keys.
	loadKnownSQL = `WITH other AS MATERIALIZED (
			SELECT s.n, (SELECT i.id FROM flagged_image i WHERE ` + flaggedKey + ` = ` + stagedKey + ` AND i.retracted_at IS NULL
				LIMIT 1 FOR NO KEY UPDATE) AS id
			FROM (SELECT * FROM list_flag l WHERE NOT EXISTS (SELECT FROM flagged_image i WHERE i.id = l.id)
				ORDER BY bank_id, coalesce(sha256, sha1, md5, signal_key)) s
		) UPDATE list_flag s SET id = other.id FROM other WHERE s.n = other.n`
	loadRetractedSQL = `DELETE FROM list_flag WHERE id IS NULL`
)

var loadSignalsSQL = []string{
	`INSERT INTO flagged_pdq (image_id, bank_id, view, hash, quality)
		SELECT s.id, s.bank_id, p.view, p.hash, p.quality FROM list_pdq p JOIN list_flag s USING (n) ORDER BY s.id ON CONFLICT DO NOTHING`,
	`INSERT INTO flagged_embedding (model_id, image_id, bank_id, view, penalty, embedding)
		SELECT e.model_id, s.id, s.bank_id, e.view, e.penalty, e.embedding FROM list_embedding e JOIN list_flag s USING (n) ORDER BY s.id ON CONFLICT DO NOTHING`,
	`INSERT INTO flagged_keypoints (image_id, points) SELECT id, keypoints FROM list_flag WHERE keypoints IS NOT NULL ORDER BY id ON CONFLICT DO NOTHING`,
}

// Load flags a part of the list in one transaction; the same part again changes nothing. CheckFlag found each flag good,
// and its bank is there. A picture that the bank has keeps its row. One that was retracted from it stays retracted: a
// list that is read again knows nothing of that.
func (m *Import) Load(ctx context.Context, part []hashlist.Flag) (Loaded, error) {
	staged, err := m.db.stage(ctx, part, false)
	if err != nil {
		return Loaded{}, err
	}
	var l Loaded
	err = m.db.withAudit(ctx, m.by, m.why, func(tx pgx.Tx) error {
		if _, err := tx.Conn().PgConn().Exec(ctx, loadSettings).ReadAll(); err != nil {
			return err
		}
		if err := staged.copy(ctx, tx); err != nil {
			return err
		}
		run := func(sql string) (rows int, err error) {
			tag, err := tx.Exec(ctx, sql)
			return int(tag.RowsAffected()), err
		}
		if l.New, err = run(loadNewSQL); err != nil {
			return err
		}
		if l.New < len(part) {
			if l.Known, err = run(loadKnownSQL); err != nil {
				return err
			}
			if l.Retracted, err = run(loadRetractedSQL); err != nil {
				return err
			}
			l.Known -= l.Retracted
		}
		for _, sql := range loadSignalsSQL {
			if _, err := run(sql); err != nil {
				return err
			}
		}
		if l.Known > 0 {
			_, err = run(tellGainedSQL + " AND i.id IN (SELECT id FROM list_flag)")
		}
		return err
	})
	if err != nil {
		return Loaded{}, err
	}
	return l, nil
}

// Compare counts what Load would do, and changes nothing.
func (m *Import) Compare(ctx context.Context, part []hashlist.Flag) (Loaded, error) {
	staged, err := m.db.stage(ctx, part, true)
	if err != nil {
		return Loaded{}, err
	}
	var l Loaded
	err = m.db.withAudit(ctx, m.by, m.why, func(tx pgx.Tx) error {
		if err := staged.copy(ctx, tx); err != nil {
			return err
		}
		return tx.QueryRow(ctx, `SELECT count(*) FILTER (WHERE NOT active AND NOT retracted), count(*) FILTER (WHERE active), count(*) FILTER (WHERE retracted AND NOT active)
			FROM list_flag s,
			LATERAL (SELECT EXISTS (SELECT FROM flagged_image i WHERE `+flaggedKey+` = `+stagedKey+` AND i.retracted_at IS NULL) AS active) a,
			LATERAL (SELECT EXISTS (SELECT FROM flagged_image i WHERE `+flaggedKey+` = `+stagedKey+` AND i.retracted_at IS NOT NULL) AS retracted) g`).
			Scan(&l.New, &l.Known, &l.Retracted)
	})
	return l, err
}
