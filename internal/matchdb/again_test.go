package matchdb

import (
	"encoding/json"
	"math/rand/v2"
	"testing"

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
	view := func() RecentView { return RecentView{Query: Query{Vector: near(r, v, 0.1)}} }
	var uploads []RecentUpload
	for i, name := range []string{"first", "second", "first"} { // the third is the first, delivered again
		u := recent(1, view(), view())
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
