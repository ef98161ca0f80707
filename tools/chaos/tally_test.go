package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func decided(key, id, verdict, reason string) decision {
	d := decision{ID: key, Upload: id}
	d.Data.Verdict, d.Data.Reason = verdict, reason
	return d
}

func TestCountFindsWhatIsNotAsItMustBe(t *testing.T) {
	a := upload{id: "a", verdict: "allow", reason: "no_match", tries: 1}
	b := upload{id: "b", verdict: "review", reason: "undecodable", tries: 2}
	rightA, rightB := decided("UPLOADS:1", "a", "allow", "no_match"), decided("UPLOADS:2", "b", "review", "undecodable")
	for name, c := range map[string]struct {
		decisions []decision
		line      string
	}{
		"all is well":       {[]decision{rightB, rightA}, "decided=2 lost=0 double=0 wrong=0 exhausted=0"},
		"nothing":           {nil, "decided=0 lost=2 double=0 wrong=0 exhausted=0"},
		"one is missing":    {[]decision{rightA}, "decided=1 lost=1 double=0 wrong=0 exhausted=0"},
		"one came twice":    {[]decision{rightA, rightA, rightB}, "decided=2 lost=0 double=1 wrong=0 exhausted=0"},
		"of two deliveries": {[]decision{rightA, decided("UPLOADS:9", "a", "allow", "no_match"), rightB}, "decided=2 lost=0 double=1 wrong=0 exhausted=0"},
		"wrong verdict":     {[]decision{decided("UPLOADS:1", "a", "block", "match"), rightB}, "decided=2 lost=0 double=0 wrong=1 exhausted=0"},
		"out of retries":    {[]decision{rightA, decided("UPLOADS:2", "b", "review", "retries_exhausted")}, "decided=2 lost=0 double=0 wrong=1 exhausted=1"},
		"a stranger":        {[]decision{rightA, rightB, decided("UPLOADS:3", "c", "allow", "no_match")}, "decided=2 lost=0 double=0 wrong=1 exhausted=0"},
		"stored twice":      {[]decision{rightA, rightB, decided("UPLOADS:9", "b", "review", "undecodable")}, "decided=2 lost=0 double=0 wrong=0 exhausted=0"},
	} {
		t.Run(name, func(t *testing.T) {
			got := compare([]upload{a, b}, c.decisions)
			require.Equal(t, "chaos: uploads=2 kills=3 "+c.line+" streams_deleted=1 stores_put_back=2 gone=0",
				got.line([]kill{{kind: rollBackStore}, {kind: deleteStream}, {kind: rollBackStore}}))
			require.Equal(t, c.line == "decided=2 lost=0 double=0 wrong=0 exhausted=0", got.good())
		})
	}
}

// An upload that was deleted with its stream needs no decision. If it has one, that has to be right, and the only one.
func TestUploadsThatAreGone(t *testing.T) {
	gone := upload{id: "a", verdict: "allow", reason: "no_match", tries: 1, gone: true}
	right := decided("UPLOADS:1:1", "a", "allow", "no_match")
	for line, decisions := range map[string][]decision{
		"decided=0 lost=0 double=0 wrong=0 exhausted=0 streams_deleted=0 stores_put_back=0 gone=1": nil,
		"decided=1 lost=0 double=0 wrong=0 exhausted=0 streams_deleted=0 stores_put_back=0 gone=0": {right},
		"decided=1 lost=0 double=1 wrong=0 exhausted=0 streams_deleted=0 stores_put_back=0 gone=0": {right, right},
		"decided=1 lost=0 double=0 wrong=1 exhausted=0 streams_deleted=0 stores_put_back=0 gone=0": {decided("UPLOADS:1:1", "a", "block", "match")},
	} {
		require.Equal(t, "chaos: uploads=1 kills=0 "+line, compare([]upload{gone}, decisions).line(nil))
	}
}
