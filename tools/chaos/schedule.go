package main

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// kind is a way of killing.
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
)

// deck is dealt again and again, shuffled: so many kills have each kind among them, the likely ones more often.
var deck = []kind{
	killModerator, killModerator, killModerator, stopModerator, freezeModerator,
	killBroker, killBroker, killPostgres, quitPostgres, cutPostgres, losePostgres,
}

// kill is one entry of the schedule.
type kill struct {
	gap    time.Duration // since the kill before
	kind   kind
	victim int           // which replica, where it is a moderator
	down   time.Duration // until the victim is started again, or goes on
}

const (
	shortestGap  = 500 * time.Millisecond
	longestGap   = 3500 * time.Millisecond
	longestDown  = 3 * time.Second
	shortestHold = ackWait + time.Second // a frozen moderator's uploads are delivered to others before it goes on
)

// schedule is the same for the same seed.
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
		}
		hand = hand[1:]
	}
	return all
}

func between(random *rand.Rand, low, high time.Duration) time.Duration {
	return low + time.Duration(random.Int64N(int64(high-low)))
}

func (k kill) String() string {
	text := string(k.kind)
	switch k.kind {
	case killModerator, stopModerator, freezeModerator:
		text = fmt.Sprintf("moderator %d%s", k.victim, text[len("moderator"):])
	case cutPostgres:
		return text
	}
	return fmt.Sprintf("%s, for %.1f s", text, k.down.Seconds())
}
