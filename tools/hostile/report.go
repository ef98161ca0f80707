package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"
	"time"
)

// result is the result of a run.
type result struct {
	uploads []upload
	crashes int
	deaths  int
	maxRSS  int // MB
	took    time.Duration
}

// report prints the reasons, the deaths of workers and the last line. A file without a decision is an error.
func (r result) report(stdout io.Writer, list bool) error {
	const none = "no decision"
	reasons, decided := map[string]int{}, 0
	for _, u := range r.uploads {
		if u.reason == "" {
			u.reason = none
		} else {
			decided++
		}
		reasons[u.reason]++
		if list || u.reason == none {
			fmt.Fprintf(stdout, "%s\t%s\n", u.reason, u.name)
		}
	}
	table := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "DECISION\tFILES")
	for _, reason := range slices.Sorted(maps.Keys(reasons)) {
		fmt.Fprintf(table, "%s\t%d\n", reason, reasons[reason])
	}
	if err := table.Flush(); err != nil {
		return err
	}
	hangs := len(r.uploads) - decided
	fmt.Fprintf(stdout, "decode workers that died and were replaced: %d\ntime: %.1f s\n", r.deaths, r.took.Seconds())
	fmt.Fprintf(stdout, "hostile: files=%d decided=%d crashes=%d hangs=%d max_rss_mb=%d\n", len(r.uploads), decided, r.crashes, hangs, r.maxRSS)
	if r.crashes > 0 || hangs > 0 {
		return errors.New("some files have no decision")
	}
	return nil
}
