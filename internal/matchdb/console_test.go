package matchdb

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
)

func TestOneReviewOfADecision(t *testing.T) {
	db, url := library(t)
	decided := time.Date(2026, 3, 1, 10, 0, 0, 123456789, time.FixedZone("", 7200))
	key := NewDecisionKey("UPLOADS:7", decided)
	review := Review{Decision: key, UploadID: "photo", Verdict: "block", By: "ann"}

	broken := errors.New("the stream is away")
	require.ErrorIs(t, db.AddReview(t.Context(), review, "", func() error { return broken }), broken)
	none, err := db.Reviews(t.Context(), []DecisionKey{key})
	require.NoError(t, err)
	require.Empty(t, none, "what is not published is not stored")

	published := make(chan string, 2)
	errs := make([]error, 2)
	var group errgroup.Group
	for i, by := range []string{"ann", "bob"} {
		group.Go(func() error {
			mine := review
			mine.By = by
			errs[i] = db.AddReview(t.Context(), mine, "why", func() error { published <- by; return nil })
			return nil
		})
	}
	require.NoError(t, group.Wait())
	require.Len(t, published, 1)
	first := <-published
	var faster *ReviewedError
	require.ErrorAs(t, errors.Join(errs...), &faster)
	require.Equal(t, first, faster.Review.By)
	require.ErrorContains(t, faster, "photo was reviewed already: block by "+first)

	// A stream that was made anew has another UPLOADS:7.
	other := NewDecisionKey("UPLOADS:7", decided.Add(time.Hour))
	reviews, err := db.Reviews(t.Context(), []DecisionKey{key, other})
	require.NoError(t, err)
	require.Len(t, reviews, 1)
	require.Equal(t, "photo", reviews[key].UploadID)

	var actor, reason, verdict string
	require.NoError(t, db.pool.QueryRow(t.Context(), `SELECT actor, reason, after ->> 'verdict' FROM audit_log WHERE table_name = 'review'`).
		Scan(&actor, &reason, &verdict))
	require.Equal(t, []string{first, "why", "block"}, []string{actor, reason, verdict})

	may, err := db.MayReview(t.Context())
	require.NoError(t, err)
	require.True(t, may)
	reader := open(t, as(t, db, url, "moderator_reader"))
	may, err = reader.MayReview(t.Context())
	require.NoError(t, err)
	require.False(t, may)
	require.ErrorIs(t, reader.AddReview(t.Context(), review, "", func() error { return nil }), ErrReadOnly)
	require.ErrorAs(t, open(t, as(t, db, url, "moderator_curator")).AddReview(t.Context(), review, "", func() error { return nil }), &faster)
}

func TestAReviewIsTakenBackOnce(t *testing.T) {
	db, url := library(t)
	r := Review{Decision: NewDecisionKey("UPLOADS:7", time.Now()), Sequence: 12, UploadID: "photo", Verdict: "block", By: "ann"}
	publish := func() error { return nil }
	require.ErrorIs(t, db.TakeBack(t.Context(), r, "", publish), ErrNotFound)
	require.NoError(t, db.AddReview(t.Context(), r, "", publish))
	broken := errors.New("the stream is away")
	require.ErrorIs(t, db.TakeBack(t.Context(), r, "", func() error { return broken }), broken)
	require.ErrorIs(t, open(t, as(t, db, url, "moderator_reader")).TakeBack(t.Context(), r, "", publish), ErrReadOnly)
	r.By = "bob"
	curator := open(t, as(t, db, url, "moderator_curator"))
	require.NoError(t, curator.TakeBack(t.Context(), r, "a slip", publish))
	var already *ReviewedError
	require.ErrorAs(t, curator.TakeBack(t.Context(), r, "", publish), &already)
	require.ErrorContains(t, already, "block by ann")
	require.ErrorContains(t, already, "bob took it back")
	require.EqualValues(t, 12, already.Review.Sequence)

	again := Review{Decision: NewDecisionKey("UPLOADS:8", time.Now()), UploadID: "other", Verdict: "again", By: "ann"}
	require.NoError(t, db.AddReview(t.Context(), again, "", publish))
	require.ErrorAs(t, db.TakeBack(t.Context(), again, "", publish), &already)
}

func TestAStintEndsWithAPause(t *testing.T) {
	db, _ := library(t)
	stint := func() Stint {
		t.Helper()
		s, err := db.Stint(t.Context(), "ann", 10*time.Minute)
		require.NoError(t, err)
		return s
	}
	require.Zero(t, stint())
	add := func(id, verdict, by string, ago time.Duration) {
		t.Helper()
		r := Review{Decision: NewDecisionKey(id, time.Now()), UploadID: id, Verdict: verdict, By: by}
		require.NoError(t, db.AddReview(t.Context(), r, "", func() error { return nil }))
		_, err := db.pool.Exec(t.Context(), "UPDATE review SET reviewed_at = now() - $2::interval WHERE decision_id = $1", id, ago)
		require.NoError(t, err)
	}
	add("before a pause", "block", "ann", 70*time.Minute)
	add("first", "block", "ann", 50*time.Minute)
	add("others", "block", "bob", 45*time.Minute)
	for minutes := 41; minutes > 20; minutes -= 9 {
		add(fmt.Sprint(minutes), "allow", "ann", time.Duration(minutes)*time.Minute)
	}
	require.Zero(t, stint(), "a pause since 23 minutes")
	add("14", "allow", "ann", 14*time.Minute)
	add("5", "allow", "ann", 5*time.Minute)
	now := stint()
	require.InDelta(t, 50, now.Length.Minutes(), 1)
	require.Equal(t, []int{6, 1}, []int{now.Decided, now.Blocked})

	slip := Review{Decision: NewDecisionKey("others", time.Now()), By: "ann"}
	require.NoError(t, db.pool.QueryRow(t.Context(), "SELECT decided_at FROM review WHERE decision_id = 'others'").Scan(&slip.Decision.At))
	require.NoError(t, db.TakeBack(t.Context(), slip, "", func() error { return nil }))
	reviewers, err := db.Reviewers(t.Context(), time.Hour, 10*time.Minute, time.Second)
	require.NoError(t, err)
	require.Len(t, reviewers, 2)
	require.InDelta(t, 9, reviewers[0].Median.Minutes(), 0.1)
	reviewers[0].Median = nil
	require.Equal(t, []Reviewer{{By: "ann", Decided: 6, Blocked: 1}, {By: "bob", Decided: 1, Blocked: 1, TakenBack: 1}}, reviewers)
}

func TestIndexes(t *testing.T) {
	db, _ := library(t)
	r := rand.New(rand.NewPCG(1, 1))
	mustFlag(t, db, newFlag("default", "a", random(r)))
	indexes, err := db.Indexes(t.Context())
	require.NoError(t, err)
	names := map[string]bool{}
	for _, index := range indexes {
		names[index.Name] = true
		require.True(t, index.Valid)
		require.Positive(t, index.Bytes)
	}
	require.Contains(t, names, "allowed_pdq_hnsw")
	require.Contains(t, names, "allowed_embedding_1_hnsw")
}

func TestSearchRecent(t *testing.T) {
	db, url := library(t)
	r := rand.New(rand.NewPCG(4, 4))
	v := random(r)
	require.NoError(t, db.PrepareRecent(t.Context(), 30))
	var uploads []RecentUpload
	for i := range 50 {
		uploads = append(uploads, recent(i, RecentView{Query: Query{Vector: random(r), Penalty: 0.1}},
			RecentView{Query: Query{Vector: near(r, v, float64(i)/10), Penalty: 0.05}}))
	}
	require.NoError(t, db.KeepRecent(t.Context(), testModel.Fingerprint, uploads))
	asked := []Query{{Vector: random(r), Penalty: 0.3}, {Vector: v, Penalty: 0.02}}
	found, err := db.SearchRecent(t.Context(), testModel.Fingerprint, asked, 3)
	require.NoError(t, err)
	require.Len(t, found, 3)
	require.JSONEq(t, `"upload 0"`, string(found[0].Upload))
	require.InDelta(t, 1, found[0].Similarity, Tolerance)
	require.InDelta(t, 1-0.05-0.02, found[0].Score, Tolerance)
	_, err = open(t, as(t, db, url, "moderator_reader")).SearchRecent(t.Context(), testModel.Fingerprint, asked, 3)
	require.ErrorIs(t, err, ErrReadOnly)
}
