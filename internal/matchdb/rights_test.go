package matchdb

import (
	"encoding/json"
	"math/rand/v2"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

func TestReaderMatchesAndChangesNothing(t *testing.T) {
	owner, url := library(t)
	r := rand.New(rand.NewPCG(1, 1))
	v := random(r)
	flag := mustFlag(t, owner, newFlag("default", "a", v))

	readerURL := as(t, owner, url, "moderator_reader")
	reader := open(t, readerURL)
	_, err := reader.CheckSchema(t.Context())
	require.NoError(t, err)
	require.NoError(t, reader.CheckModel(t.Context(), testModel.Fingerprint))
	require.NoError(t, reader.RegisterModel(t.Context(), testModel), "one that is registered needs no right")
	require.Equal(t, flag.ID, match(t, reader, Query{Vector: v})[0][0].FlaggedID)
	require.NoError(t, reader.QueueSeen(t.Context(), []uuid.UUID{flag.ID}))
	_, err = reader.Stats(t.Context())
	require.NoError(t, err)

	_, err = reader.Flag(t.Context(), newFlag("default", "b", random(r)))
	require.Equal(t, insufficientPrivilege, pgCode(err))
	_, err = reader.Retract(t.Context(), flag.ID.String(), "eve", "because")
	require.Equal(t, insufficientPrivilege, pgCode(err))
	require.Equal(t, insufficientPrivilege, pgCode(reader.DisableBank(t.Context(), "default", "eve", "")))
	require.Equal(t, insufficientPrivilege, pgCode(reader.RegisterModel(t.Context(),
		Model{Name: "x", Fingerprint: sum256("x"), Dims: 8, BlockAt: 1, ReviewAt: 1})))
	require.Equal(t, insufficientPrivilege, pgCode(exec(t, readerURL, "SELECT * FROM audit_log")))
}

func TestUserWithoutARole(t *testing.T) {
	owner, url := library(t)
	plain := as(t, owner, url, "pg_monitor")
	_, err := open(t, plain).CheckSchema(t.Context())
	require.ErrorIs(t, err, ErrSchema)
	require.ErrorContains(t, err, "GRANT moderator_reader TO "+userOf(t, plain))
}

func TestCuratorKeepsTheLibrary(t *testing.T) {
	owner, url := library(t)
	r := rand.New(rand.NewPCG(2, 2))
	curatorURL := as(t, owner, url, "moderator_curator")
	db := open(t, curatorURL)
	other := Model{Name: "other", Fingerprint: sum256("other"), Dims: 8, BlockAt: 0.9, ReviewAt: 0.8}
	require.NoError(t, db.RegisterModel(t.Context(), other))
	require.NoError(t, db.AddBank(t.Context(), "spam", "ann", ""))
	require.NoError(t, db.SetBank(t.Context(), "spam", other.Fingerprint, Thresholds{BlockAt: 0.7}, "ann", ""))
	require.NoError(t, db.DisableBank(t.Context(), "spam", "ann", ""))
	f := newFlag("spam", "a", random(r))
	flag := mustFlag(t, db, f)
	require.True(t, mustFlag(t, db, f).Existing)
	retracted, err := db.Retract(t.Context(), flag.ID.String(), "bob", "a mistake")
	require.NoError(t, err)
	require.Zero(t, retracted.Views)
	require.Equal(t, userOf(t, curatorURL), retracted.CreatedUser)

	for _, sql := range []string{
		"UPDATE flagged_image SET created_by = 'someone else'",
		"UPDATE flagged_image SET created_user = 'postgres'",
		"INSERT INTO flagged_image (bank_id, sha256, created_by, created_user) VALUES (1, sha256('x'), 'a', 'postgres')",
		"DELETE FROM flagged_image",
		"DELETE FROM flagged_embedding",
		"UPDATE model SET block_at = 2",
		"DELETE FROM bank",
	} {
		require.Equal(t, insufficientPrivilege, pgCode(exec(t, curatorURL, sql)), sql)
	}
}

// A flag is of a bank that is there, and signals are of a flag in its bank.
func TestReferencesAreChecked(t *testing.T) {
	owner, url := library(t)
	require.NoError(t, owner.AddBank(t.Context(), "spam", "ann", ""))
	id := mustFlag(t, owner, newFlag("spam", "a", random(rand.New(rand.NewPCG(4, 4))))).ID
	curator := as(t, owner, url, "moderator_curator")
	for _, sql := range []string{
		"INSERT INTO flagged_image (bank_id, sha256, created_by) VALUES (2, sha256('x'), 'ann'), (3, sha256('y'), 'ann')",
		"INSERT INTO flagged_pdq (image_id, bank_id, view, hash, quality) SELECT '" + id.String() + "', b, b::text, 0::bit(256), 100 FROM generate_series(1, 2) b",
		"INSERT INTO flagged_pdq (image_id, bank_id, view, hash, quality) VALUES (gen_random_uuid(), 2, 'original', 0::bit(256), 100)",
		"INSERT INTO flagged_embedding (model_id, image_id, bank_id, view, penalty, embedding) SELECT model_id, image_id, 1, 'other', penalty, embedding FROM flagged_embedding",
		"INSERT INTO flagged_embedding (model_id, image_id, bank_id, view, penalty, embedding) SELECT model_id, gen_random_uuid(), 2, view, penalty, embedding FROM flagged_embedding",
	} {
		require.Equal(t, foreignKeyViolation, pgCode(exec(t, curator, sql)), sql)
	}
	require.NoError(t, exec(t, curator, "INSERT INTO flagged_pdq (image_id, bank_id, view, hash, quality) VALUES ('"+id.String()+"', 2, 'other', 0::bit(256), 100)"))
}

func TestAdminSetsAModelsThresholds(t *testing.T) {
	owner, url := library(t)
	admin := as(t, owner, url, "moderator_admin")
	require.NoError(t, exec(t, admin, "UPDATE model SET block_at = 0.6, review_at = 0.3"))
	models, err := owner.Models(t.Context())
	require.NoError(t, err)
	want := testModel
	want.BlockAt, want.ReviewAt = 0.6, 0.3
	require.Equal(t, []Model{want}, models)
}

func TestAuditLogIsAppendOnlyForEveryone(t *testing.T) {
	owner, url := library(t)
	require.NoError(t, owner.AddBank(t.Context(), "spam", "ann", ""))
	for _, who := range []string{url, as(t, owner, url, "moderator_curator"), as(t, owner, url, "moderator_admin")} {
		for _, sql := range []string{
			"UPDATE audit_log SET actor = 'nobody'",
			"DELETE FROM audit_log",
			"DELETE FROM audit_log WHERE false",
			"TRUNCATE audit_log",
		} {
			require.Equal(t, insufficientPrivilege, pgCode(exec(t, who, sql)), "%s as %s", sql, userOf(t, who))
		}
	}
	forged := "INSERT INTO audit_log (db_user, action, table_name, row_id) VALUES ('postgres', 'insert', 'bank', '1')"
	require.Equal(t, insufficientPrivilege, pgCode(exec(t, as(t, owner, url, "moderator_admin"), forged)))
}

func TestAuditLogSaysWhoDidWhat(t *testing.T) {
	owner, url := library(t)
	curatorURL := as(t, owner, url, "moderator_curator")
	db := open(t, curatorURL)
	require.NoError(t, db.AddBank(t.Context(), "spam", "ann", ""))
	flag := mustFlag(t, db, newFlag("spam", "a", random(rand.New(rand.NewPCG(3, 3)))))
	_, err := db.Retract(t.Context(), flag.ID.String(), "bob", "a mistake")
	require.NoError(t, err)
	require.NoError(t, db.SetBank(t.Context(), "spam", testModel.Fingerprint, Thresholds{BlockAt: 0.7}, "cid", ""))
	require.NoError(t, db.DisableBank(t.Context(), "spam", "dan", ""))
	require.NoError(t, exec(t, curatorURL, "UPDATE bank SET enabled = true WHERE name = 'spam'"))

	type entry struct {
		Actor                     *string
		DBUser, Action, Table, ID string
		Before, After             map[string]any
	}
	rows, err := owner.pool.Query(t.Context(), `SELECT actor, db_user, action, table_name, row_id, before, after
		FROM audit_log WHERE db_user <> 'postgres' ORDER BY id`)
	require.NoError(t, err)
	var log []entry
	for rows.Next() {
		var e entry
		var before, after []byte
		require.NoError(t, rows.Scan(&e.Actor, &e.DBUser, &e.Action, &e.Table, &e.ID, &before, &after))
		for column, text := range map[*map[string]any][]byte{&e.Before: before, &e.After: after} {
			if text != nil {
				require.NoError(t, json.Unmarshal(text, column))
			}
		}
		require.Equal(t, userOf(t, curatorURL), e.DBUser)
		log = append(log, e)
	}
	require.NoError(t, rows.Err())
	var got []string
	for _, e := range log {
		actor := "-"
		if e.Actor != nil {
			actor = *e.Actor
		}
		got = append(got, actor+" "+e.Action+" "+e.Table)
	}
	require.Equal(t, []string{
		"ann insert bank", "ann insert flagged_image", "bob update flagged_image", "cid insert bank_threshold",
		"dan update bank", "- update bank",
	}, got)
	require.Equal(t, flag.ID.String(), log[2].ID)
	require.Nil(t, log[1].Before)
	require.Nil(t, log[2].Before["retract_reason"])
	require.Equal(t, "a mistake", log[2].After["retract_reason"])
	require.Equal(t, false, log[5].Before["enabled"])
}
