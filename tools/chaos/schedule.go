package main

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// kind is a kind of kill.
type kind string

const (
	killModerator   kind = "moderator: kill -9"
	stopModerator   kind = "moderator: SIGTERM"
	freezeModerator kind = "moderator: frozen"
	killBroker      kind = "broker: kill -9"
	killPostgres    kind = "postgres: kill -9"
	quitPostgres    kind = "postgres: immediate stop"
	cutPostgres     kind = "postgres: connections terminated"
	losePostgres    kind = "postgres: away for longer than all attempts"
	deleteStream    kind = "UPLOADS: deleted, to be made anew"
	rollBackStore   kind = "broker: store copied and put back"
)

// deck is dealt repeatedly, shuffled each time. So this many kills hold every kind, frequent kinds more often.
var deck = []kind{
	killModerator, killModerator, killModerator, stopModerator, freezeModerator,
	killBroker, killBroker, killPostgres, quitPostgres, cutPostgres, losePostgres,
	deleteStream, rollBackStore,
}

// kill is one entry of the schedule.
type kill struct {
	gap    time.Duration // after the kill before
	kind   kind
	victim int           // number of the replica, for a moderator
	down   time.Duration // until the victim restarts or continues, or the store is rolled back
}

const (
	shortestGap  = 500 * time.Millisecond
	longestGap   = 3500 * time.Millisecond
	longestDown  = 3 * time.Second
	shortestFlow = time.Second           // how long uploads flow before the store is rolled back
	shortestHold = ackWait + time.Second // a frozen moderator's uploads are redelivered before it continues
)

// schedule returns the kills, which the seed determines.
func schedule(seed uint64, kills, replicas int) []kill {
	random := rand.New(rand.NewPCG(seed, 0))
	all := make([]kill, kills)
	var hand []kind
	for i := range all {
		if len(hand) == 0 {
			hand = append(hand, deck...)
			random.Shuffle(len(hand), func(i, j int) { hand[i], hand[j] = hand[j], hand[i] })
		}
		all[i] = kill{
			gap: between(random, shortestGap, longestGap), kind: hand[0],
			victim: random.IntN(replicas), down: between(random, 0, longestDown),
		}
		switch all[i].kind {
		case freezeModerator:
			all[i].down += shortestHold
		case losePostgres:
			all[i].down += longOutage
		case rollBackStore:
			all[i].down += shortestFlow
		}
		hand = hand[1:]
	}
	return all
}

func between(random *rand.Rand, low, high time.Duration) time.Duration {
	return low + time.Duration(random.Int64N(int64(high-low)))
}

// count returns how many of the kills are of the kind.
func count(kills []kill, of kind) (n int) {
	for _, k := range kills {
		if k.kind == of {
			n++
		}
	}
	return n
}

func (k kill) String() string {
	text := string(k.kind)
	switch k.kind {
	case killModerator, stopModerator, freezeModerator:
		text = fmt.Sprintf("moderator %d%s", k.victim, text[len("moderator"):])
	case cutPostgres, deleteStream:
		return text
	}
	return fmt.Sprintf("%s, for %.1f s", text, k.down.Seconds())
}
