package matchdb

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

func TestStatsByBankAndDay(t *testing.T) {
	db, url := library(t)
	r := rand.New(rand.NewPCG(1, 1))
	require.NoError(t, db.AddBank(t.Context(), "spam", "ann", ""))
	require.NoError(t, db.AddBank(t.Context(), "empty", "ann", ""))
	require.NoError(t, db.DisableBank(t.Context(), "empty", "ann", ""))
	var ids []uuid.UUID
	for i := range 5 {
		ids = append(ids, mustFlag(t, db, newFlag([]string{"default", "spam"}[i%2], fmt.Sprint(i), random(r))).ID)
	}
	_, err := db.Retract(t.Context(), ids[0].String(), "ann", "a mistake")
	require.NoError(t, err)
	require.NoError(t, exec(t, url, fmt.Sprintf(`UPDATE flagged_image SET created_at = now() - interval '3 days' WHERE id = '%s';
		UPDATE flagged_image SET created_at = now() - interval '30 days' WHERE id = '%s'`, ids[2], ids[3])))

	matched := []uuid.UUID{ids[1], ids[1], ids[2], uuid.New()}
	banks, err := db.BankStats(t.Context(), matched)
	require.NoError(t, err)
	require.Equal(t, []BankStats{
		{Name: "default", Enabled: true, Flags: 2, Retracted: 1, LastDay: 2, LastWeek: 3, Unmatched: 1},
		{Name: "empty"},
		{Name: "spam", Enabled: true, Flags: 2, LastDay: 1, LastWeek: 1, Unmatched: 1},
	}, banks)

	unmatched, err := db.Unmatched(t.Context(), matched, 10)
	require.NoError(t, err)
	require.Len(t, unmatched, 2)
	require.Equal(t, []uuid.UUID{ids[3], ids[4]}, []uuid.UUID{unmatched[0].ID, unmatched[1].ID})
	unmatched, err = db.Unmatched(t.Context(), nil, 2)
	require.NoError(t, err)
	require.Len(t, unmatched, 2)

	growth, err := db.Growth(t.Context(), time.Now().Add(-7*24*time.Hour))
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(growth), 2) // three where midnight passes
	require.Equal(t, 1, growth[0].Flagged)
	require.Equal(t, growth[0].Day, growth[0].Day.Truncate(24*time.Hour))
	flagged, retracted := 0, 0
	for _, g := range growth {
		flagged, retracted = flagged+g.Flagged, retracted+g.Retracted
	}
	require.Equal(t, []int{4, 1}, []int{flagged, retracted})
}
