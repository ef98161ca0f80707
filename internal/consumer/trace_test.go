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

// traced makes the next consumer export its spans to memory.
func (h *harness) traced() *tracetest.InMemoryExporter {
	spans := tracetest.NewInMemoryExporter()
	provider := sdk.NewTracerProvider(sdk.WithSyncer(spans))
	h.tracer = provider.Tracer("test")
	return spans
}

// traceOf returns the traceparent of the n-th decision's message.
func (h *harness) traceOf(n uint64) string {
	h.t.Helper()
	stream, err := h.js.Stream(h.t.Context(), event.DecisionsStream)
	require.NoError(h.t, err)
	msg, err := stream.GetMsg(h.t.Context(), n)
	require.NoError(h.t, err)
	return msg.Header.Get("traceparent")
}

func TestTraceJoinsThePublishers(t *testing.T) {
	t.Parallel()
	h := newHarness(t, nil)
	spans := h.traced()
	stop := h.start()
	h.publish("flagged", "traceparent", traceparent, "tracestate", "vendor=1")
	h.decisions(1)
	h.settled()
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
	require.Equal(t, "00-"+publishersTrace+"-"+upload.SpanContext.SpanID().String()+"-01", h.traceOf(1))
}

// An upload without a traceparent gets a new trace for each delivery. The span of a failed delivery has the error.
func TestTraceOfFailures(t *testing.T) {
	t.Parallel()
	h := newHarness(t, nil)
	h.fakes.matchFails.Store(2)
	spans := h.traced()
	stop := h.start()
	h.publish("fine")
	h.decisions(1)
	h.settled()
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
	require.True(t, strings.HasPrefix(h.traceOf(1), "00-"+uploads[1].SpanContext.TraceID().String()), "the decision carries the trace of the delivery that decided it")
}

// Without tracing, the decision carries the publisher's traceparent, whichever case its header's name has.
func TestTraceIsPassedOnWithoutTracing(t *testing.T) {
	t.Parallel()
	for _, header := range []string{"traceparent", "Traceparent"} {
		h := newHarness(t, nil)
		h.start()
		h.publish("fine", header, traceparent)
		h.publish("fine too")
		h.decisions(2)
		require.ElementsMatch(t, []string{traceparent, ""}, []string{h.traceOf(1), h.traceOf(2)})
	}
}
