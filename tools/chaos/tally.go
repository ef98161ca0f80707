package main

import (
	"fmt"
	"slices"
)

// tally compares the decisions with the expected ones. Its lists hold the uploads with a fault, in words.
type tally struct {
	uploads, decided    int
	exhausted           int // wrong decisions by reason retries_exhausted
	gone                int // deleted with their stream, undecided
	lost, double, wrong []string
	storedTwice         []string // by the publisher's retries; not moderator's fault
}

// compare counts. A decision on an upload that was not published is wrong.
func compare(uploads []upload, decisions []decision) tally {
	t := tally{uploads: len(uploads)}
	published := map[string]bool{}
	of := map[string][]decision{}
	for _, d := range decisions {
		of[d.Upload] = append(of[d.Upload], d)
	}
	for _, u := range uploads {
		published[u.id] = true
		t.add(u, of[u.id])
	}
	for _, d := range decisions {
		if !published[d.Upload] {
			t.wrong = append(t.wrong, fmt.Sprintf("%s is about %q, which was not published", d.ID, d.Upload))
		}
	}
	return t
}

func (t *tally) add(u upload, decisions []decision) {
	name := fmt.Sprintf("%s (%s)", u.id, u.what)
	if len(decisions) == 0 && u.gone {
		t.gone++
		return
	}
	if len(decisions) == 0 {
		t.lost = append(t.lost, name)
		return
	}
	t.decided++
	var places []string
	for _, d := range decisions {
		if !slices.Contains(places, d.ID) {
			places = append(places, d.ID)
		}
		if d.Data.Reason == "retries_exhausted" {
			t.exhausted++
		}
		if d.Data.Verdict != u.verdict || d.Data.Reason != u.reason {
			t.wrong = append(t.wrong, fmt.Sprintf("%s: %s is %s/%s, wanted %s/%s: %s",
				name, d.ID, d.Data.Verdict, d.Data.Reason, u.verdict, u.reason, d.Data.Detail))
		}
	}
	switch {
	case len(decisions) == 1:
	case len(places) == len(decisions) && u.tries > 1:
		// The broker forgets the id of a deleted message. If it is killed after it stores a message and before it acknowledges
		// it, and the message is decided in the meantime, the publisher's retry is stored as a second message.
		t.storedTwice = append(t.storedTwice, fmt.Sprintf("%s: stored as %v in %d tries", name, places, u.tries))
	default:
		t.double = append(t.double, fmt.Sprintf("%s: %d decisions with the ids %v", name, len(decisions), places))
	}
}

func (t tally) good() bool { return len(t.lost)+len(t.double)+len(t.wrong) == 0 }

func (t tally) line(kills []kill) string {
	return fmt.Sprintf("chaos: uploads=%d kills=%d decided=%d lost=%d double=%d wrong=%d exhausted=%d streams_deleted=%d stores_put_back=%d gone=%d",
		t.uploads, len(kills), t.decided, len(t.lost), len(t.double), len(t.wrong), t.exhausted,
		count(kills, deleteStream), count(kills, rollBackStore), t.gone)
}

// print prints every upload with a fault.
func (t tally) print(out *progress) {
	for _, list := range []struct {
		name  string
		texts []string
	}{
		{"lost", t.lost},
		{"double", t.double},
		{"wrong", t.wrong},
		{"stored twice, as its publisher retried and the broker had forgotten it; not counted", t.storedTwice},
	} {
		for _, text := range list.texts {
			out.say("%s: %s", list.name, text)
		}
	}
}
