package consumer

import (
	"strings"
	"testing"

	"moderator/internal/event"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/codes"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

const (
	publishersTrace = "4bf92f3577b34da6a3ce929d0e0e4736"
	publishersSpan  = "00f067aa0ba902b7"
	traceparent     = "00-" + publishersTrace + "-" + publishersSpan + "-01"
)

// traced makes the bench's next consumer export its spans to memory.
func (b *bench) traced() *tracetest.InMemoryExporter {
	spans := tracetest.NewInMemoryExporter()
	provider := sdk.NewTracerProvider(sdk.WithSyncer(spans))
	b.tracer = provider.Tracer("test")
	return spans
}

// traceOf is the traceparent of the n-th decision's message.
func (b *bench) traceOf(n uint64) string {
	b.t.Helper()
	stream, err := b.js.Stream(b.t.Context(), event.DecisionsStream)
	require.NoError(b.t, err)
	msg, err := stream.GetMsg(b.t.Context(), n)
	require.NoError(b.t, err)
	return msg.Header.Get("traceparent")
}

func TestTraceJoinsThePublishers(t *testing.T) {
	b := newBench(t, nil)
	spans := b.traced()
	stop := b.start()
	b.publish("flagged", "traceparent", traceparent, "tracestate", "vendor=1")
	b.decisions(1)
	b.settled()
	require.NoError(t, stop())

	byName := map[string]tracetest.SpanStub{}
	for _, span := range spans.GetSpans() {
		require.Equal(t, publishersTrace, span.SpanContext.TraceID().String(), span.Name)
		byName[span.Name] = span
	}
	upload := byName["judge upload"]
	require.Equal(t, publishersSpan, upload.Parent.SpanID().String())
	attributes := map[string]any{}
	for _, a := range upload.Attributes {
		attributes[string(a.Key)] = a.Value.AsInterface()
	}
	require.Equal(t, "block", attributes["moderator.verdict"])
	require.Equal(t, "match", attributes["moderator.reason"])
	require.Equal(t, "uploads.test", attributes["messaging.destination.name"])
	for _, stage := range []string{stageQueue, stageFetch, stageDecode, stageEmbed, stageMatch, stagePublish} {
		span, ok := byName[stage]
		require.True(t, ok, stage)
		require.Equal(t, upload.SpanContext.SpanID(), span.Parent.SpanID(), stage)
		require.False(t, span.EndTime.After(upload.EndTime), stage)
	}
	require.Len(t, byName, 7)
	require.Equal(t, "00-"+publishersTrace+"-"+upload.SpanContext.SpanID().String()+"-01", b.traceOf(1))
}

// An upload without a trace gets one, and one that a stage fails on has a trace for each delivery, of which the failed
// ones say why.
func TestTraceOfFailures(t *testing.T) {
	b := newBench(t, nil)
	b.judges.matchFails.Store(2)
	spans := b.traced()
	stop := b.start()
	b.publish("fine")
	b.decisions(1)
	b.settled()
	require.NoError(t, stop())

	var uploads []tracetest.SpanStub
	for _, span := range spans.GetSpans() {
		if span.Name == "judge upload" {
			uploads = append(uploads, span)
		}
	}
	require.Len(t, uploads, 2)
	require.Equal(t, codes.Error, uploads[0].Status.Code)
	require.Equal(t, "connection refused", uploads[0].Status.Description)
	require.Equal(t, codes.Unset, uploads[1].Status.Code)
	require.True(t, strings.HasPrefix(b.traceOf(1), "00-"+uploads[1].SpanContext.TraceID().String()), "the decision carries the trace of its own delivery")
}

// Without tracing the publisher's trace is passed on as it came, in either case of its header's name.
func TestTraceIsPassedOnWithoutTracing(t *testing.T) {
	for _, header := range []string{"traceparent", "Traceparent"} {
		b := newBench(t, nil)
		b.start()
		b.publish("fine", header, traceparent)
		b.publish("fine too")
		b.decisions(2)
		require.ElementsMatch(t, []string{traceparent, ""}, []string{b.traceOf(1), b.traceOf(2)})
	}
}
