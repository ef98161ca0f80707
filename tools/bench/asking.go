package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"moderator/internal/endpoint"
)

const (
	askedAlone   = 300
	askedCallers = 10
)

// asking measures how soon a caller has the decision on a small picture through the shipped model: alone, over HTTP and over
// NATS, and as one of ten callers side by side.
func (b *bench) asking(ctx context.Context) error {
	m := b.models[len(b.models)-1]
	if err := b.servers.fill(ctx, m.fingerprint, m.dims, libraryFlags); err != nil {
		return err
	}
	p, err := b.startModerator(ctx, m)
	if err != nil {
		return err
	}
	defer p.stop()
	state, err := endpoint.ReadState(p.dataDir)
	if err != nil {
		return err
	}
	var files [][]byte
	for _, size := range b.pictures {
		if size.name == consoleSize {
			files = size.files
		}
	}
	overHTTP := func(file []byte) error { return judgeOverHTTP(ctx, state.HTTPURL, file) }
	overNATS := func(file []byte) error {
		answer, err := b.servers.nc.RequestWithContext(ctx, "moderator.judge", file)
		if err == nil && answer.Header.Get("Nats-Service-Error-Code") != "" {
			err = errors.New(answer.Header.Get("Nats-Service-Error"))
		}
		return err
	}
	for _, way := range []struct {
		name    string
		callers int
		judge   func([]byte) error
	}{
		{"http", 1, overHTTP},
		{"nats", 1, overNATS},
		{"http", askedCallers, overHTTP},
		{"nats", askedCallers, overNATS},
	} {
		ms, took, err := askSideBySide(way.callers, files, way.judge)
		if err != nil {
			return fmt.Errorf("ask over %s: %w, moderator's log is %s", way.name, err, p.log)
		}
		b.report.add("ask_ms", field{"p50", percentile(ms, 50)}, field{"p99", percentile(ms, 99)}, field{"over", way.name},
			field{"callers", way.callers}, field{"per_s", float64(len(ms)) / took.Seconds()})
	}
	return nil
}

// askSideBySide lets callers ask side by side, each askedAlone times, and returns the milliseconds of each request.
func askSideBySide(callers int, files [][]byte, judge func([]byte) error) (ms []float64, took time.Duration, err error) {
	ms = make([]float64, callers*askedAlone)
	began := time.Now()
	var all errgroup.Group
	for c := range callers {
		all.Go(func() error {
			for i := range askedAlone {
				asked := time.Now()
				if err := judge(files[(c+i)%len(files)]); err != nil {
					return err
				}
				ms[c*askedAlone+i] = time.Since(asked).Seconds() * 1000
			}
			return nil
		})
	}
	err = all.Wait()
	return ms, time.Since(began), err
}

// keptOpen keeps a connection for each caller; http.DefaultClient keeps two.
var keptOpen = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: askedCallers}}

func judgeOverHTTP(ctx context.Context, url string, file []byte) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/v1/judge", bytes.NewReader(file))
	if err != nil {
		return err
	}
	answer, err := keptOpen.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	said, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", answer.Status, said)
	}
	return err
}
