package matchdb

import (
	"encoding/json"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A stream that is made anew, or put back, gives its numbers again: look-backs find each upload that had one.
func TestNumberThatComesAgainHidesNoUpload(t *testing.T) {
	db, url := library(t)
	ctx := t.Context()
	r := rand.New(rand.NewPCG(5, 5))
	v := random(r)
	flag := mustFlag(t, db, newFlag("default", "another file", v)).ID
	reader := open(t, as(t, db, url, "moderator_reader"))
	require.NoError(t, reader.PrepareRecent(ctx, 1))
	asked := func() RecentView { return RecentView{Query: Query{Vector: near(r, v, 0.1)}} }
	var uploads []RecentUpload
	for i, name := range []string{"first", "second", "first"} { // the third is the first, delivered again
		u := recent(1, asked(), asked())
		u.Stored, u.Upload = int64(1+i%2), json.RawMessage(`"`+name+`"`)
		uploads = append(uploads, u)
	}
	for _, u := range uploads {
		require.NoError(t, reader.KeepRecent(ctx, testModel.Fingerprint, []RecentUpload{u}))
	}
	names := map[string]int{}
	for _, hit := range lookBack(t, db, flag) {
		names[string(hit.Upload)]++
	}
	require.Equal(t, map[string]int{`"first"`: 2, `"second"`: 2}, names, "each by its two views")
	nearest, err := db.SearchRecent(ctx, testModel.Fingerprint, []Query{{Vector: v}}, 5)
	require.NoError(t, err)
	require.Len(t, nearest, 2)
}

// What an older version kept, and what its look-backs published, stays known once the keys have the time.
func TestMigrateMessageKeys(t *testing.T) {
	db, url := libraryBefore(t, 17)
	_, err := db.pool.Exec(t.Context(), "SELECT keep_recent(2)")
	require.NoError(t, err)
	today := time.Now().UTC().Truncate(24 * time.Hour)
	_, err = db.pool.Exec(t.Context(), `INSERT INTO recent_upload (day, stream, sequence, sha256, upload) VALUES ($1, 'UPLOADS', 1, sha256('old'), '"old"')`, today)
	require.NoError(t, err)
	flag := mustFlag(t, db, newFlag("default", "old", random(rand.New(rand.NewPCG(6, 6)))))
	_, err = db.pool.Exec(t.Context(), `INSERT INTO recent_found (day, stream, sequence, image_id) VALUES ($1, 'UPLOADS', 1, $2)`, today, flag.ID)
	require.NoError(t, err)

	_, _, err = Migrate(t.Context(), url)
	require.NoError(t, err)
	u := recent(1)
	u.Stored, u.SHA256, u.Upload = 7, sum256("old"), json.RawMessage(`"new"`)
	require.NoError(t, db.KeepRecent(t.Context(), testModel.Fingerprint, []RecentUpload{u}))
	require.Len(t, lookBack(t, db, flag.ID), 2)
	var fresh []Stopped
	require.NoError(t, db.OnceEach(t.Context(), today, []Stopped{{flag.ID, "UPLOADS", 1, 0}, {flag.ID, "UPLOADS", 1, 7}}, func(f []Stopped) error {
		fresh = f
		return nil
	}))
	require.Equal(t, []Stopped{{flag.ID, "UPLOADS", 1, 7}}, fresh, "the old one was published")
	require.NoError(t, db.PrepareRecent(t.Context(), 2))
}
