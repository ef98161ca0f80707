package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	overloadFactor = 4
	streamBytes    = 2 << 30 // most bytes of the uploads' stream, which then refuses uploads; publishers retry
	largeEvery     = 8       // every eighth upload has 12 MP, the others 1 MP
)

// Bounds of moderator's memory with its defaults: uploads in flight, uploads in the client library, and decode workers.
const (
	maxHeldBytes = 256 << 20
	pulledBytes  = 32 << 20
	decodeMemory = 1 << 30
)

// memory publishes four times as many uploads as moderator decides, and samples the memory of its processes.
func (b *bench) memory(ctx context.Context) (err error) {
	m := b.models[0]
	p, err := b.startModerator(ctx, m)
	if err != nil {
		return err
	}
	defer p.stop()
	stream, err := b.servers.js.Stream(ctx, uploadsStream)
	if err != nil {
		return err
	}
	config := stream.CachedInfo().Config
	bounded := config
	bounded.MaxBytes = streamBytes
	if _, err := b.servers.js.UpdateStream(ctx, bounded); err != nil {
		return err
	}
	defer func() {
		_, updateErr := b.servers.js.UpdateStream(ctx, config)
		err = errors.Join(err, stream.Purge(ctx), updateErr)
	}()
	pace, ok := b.figures[cell{m.name, "1mp"}]
	if !ok { // only this part runs
		pace.perSecond = 20 * float64(runtime.GOMAXPROCS(0))
	}
	idle, err := usageOf(p.pid())
	if err != nil {
		return err
	}
	load, stop := context.WithTimeout(ctx, b.Overload)
	defer stop()
	decided := make(chan *nats.Msg, 1<<16)
	subscription, err := b.servers.nc.ChanSubscribe("decisions.>", decided)
	if err != nil {
		return err
	}
	defer func() { _ = subscription.Unsubscribe() }()
	published := make(chan [2]int, 1)
	go func() {
		stored, refused := b.flood(load, overloadFactor*pace.perSecond)
		published <- [2]int{stored, refused}
	}()
	var peak int64
	for load.Err() == nil {
		now, err := usageOf(p.pid())
		if err != nil {
			return fmt.Errorf("moderator ended under overload: %w\n%s", err, lastLines(p.log))
		}
		peak = max(peak, now.rss)
		time.Sleep(50 * time.Millisecond)
	}
	counts := <-published
	bound := idle.rss + maxHeldBytes + pulledBytes + int64(runtime.GOMAXPROCS(0))*decodeMemory
	const mb = 1 << 20
	b.report.add("memory", field{"peak_rss_mb", peak / mb}, field{"idle_rss_mb", idle.rss / mb}, field{"bound_mb", bound / mb},
		field{"offered_per_s", overloadFactor * pace.perSecond}, field{"stored", counts[0]}, field{"refused_by_the_stream", counts[1]},
		field{"decided", len(decided)}, field{"seconds", b.Overload.Seconds()})
	b.report.below("peak_rss_mb under overload", float64(peak/mb), float64(bound/mb))
	return nil
}

// flood publishes uploads at a rate until ctx ends, whether they are decided or not. It counts stored and refused uploads.
func (b *bench) flood(ctx context.Context, perSecond float64) (stored, refused int) {
	small, large := b.pictures[1].files, b.pictures[0].files
	began := time.Now()
	var acks []jetstream.PubAckFuture
	for i := 0; ctx.Err() == nil; i++ {
		if wait := time.Until(began.Add(time.Duration(float64(i) / perSecond * float64(time.Second)))); wait > 0 {
			time.Sleep(wait)
		}
		file := small[i%len(small)]
		if i%largeEvery == 0 {
			file = large[i/largeEvery%len(large)]
		}
		if ack, err := b.servers.js.PublishAsync("uploads.bench", file); err == nil {
			acks = append(acks, ack)
		} else {
			refused++
		}
	}
	<-b.servers.js.PublishAsyncComplete()
	for _, ack := range acks {
		select {
		case <-ack.Ok():
			stored++
		case <-ack.Err():
			refused++
		}
	}
	return stored, refused
}
