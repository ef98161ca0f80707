package matchdb

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
)

func TestWhatALookbackFoundIsPublishedOnce(t *testing.T) {
	owner, url := library(t)
	db := open(t, as(t, owner, url, "moderator_curator"))
	ctx := t.Context()
	today := time.Now().UTC().Truncate(24 * time.Hour)
	flags := []uuid.UUID{uuid.New(), uuid.New()}
	var all []Stopped
	for i := range uint64(50) {
		all = append(all, Stopped{flags[0], "UPLOADS", i, 1}, Stopped{flags[1], "UPLOADS", i, 1})
	}
	all = append(all, Stopped{flags[0], "UPLOADS", 1, 2}) // another message with the same number
	failed := errors.New("no answer")
	require.ErrorIs(t, db.OnceEach(ctx, today, all, func(fresh []Stopped) error {
		require.ElementsMatch(t, all, fresh)
		return failed
	}), failed)

	// Several at once, which find the same.
	var mu sync.Mutex
	var published []Stopped
	publish := func(fresh []Stopped) error {
		mu.Lock()
		defer mu.Unlock()
		published = append(published, fresh...)
		return nil
	}
	var group errgroup.Group
	for i := range 4 {
		group.Go(func() error { return db.OnceEach(ctx, today, all[:71+10*i], publish) })
	}
	require.NoError(t, group.Wait())
	require.ElementsMatch(t, all, published)

	// It is forgotten with the day's uploads, and not before.
	old := today.AddDate(0, 0, -3)
	require.NoError(t, owner.PrepareRecent(ctx, 2))
	require.NoError(t, exec(t, url, "CREATE TABLE recent_upload_"+old.Format("20060102")+
		" PARTITION OF recent_upload FOR VALUES FROM ('"+old.Format(time.DateOnly)+"') TO ('"+old.AddDate(0, 0, 1).Format(time.DateOnly)+"')"))
	published = nil
	require.NoError(t, db.OnceEach(ctx, old, all, publish))
	require.ElementsMatch(t, all, published, "uploads of another day")
	require.NoError(t, owner.PrepareRecent(ctx, 3))
	require.NoError(t, db.OnceEach(ctx, old, all, publish))
	require.Len(t, published, len(all))
	require.NoError(t, owner.PrepareRecent(ctx, 2))
	require.NoError(t, db.OnceEach(ctx, old, all, publish))
	require.NoError(t, db.OnceEach(ctx, today, all, publish))
	require.Len(t, published, 2*len(all))
}
