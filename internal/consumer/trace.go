package consumer

import (
	"context"
	"net/textproto"
	"time"

	"github.com/nats-io/nats.go"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// Each delivery of an upload has a span "judge upload" with a child span for each stage. It belongs to the publisher's
// trace if the message has a traceparent header, else to a new one. It lasts from when the stream stored the upload until
// its ack or nak. The decision's message carries the trace; without tracing, it carries the publisher's header.

// w3c reads and writes the headers traceparent and tracestate of W3C Trace Context.
var w3c propagation.TraceContext

// carrier adapts a message's headers. Their names are case-sensitive in NATS: publishers write "traceparent", as W3C does,
// or "Traceparent", as HTTP libraries do.
type carrier nats.Header

func (c carrier) Get(key string) string {
	if value := nats.Header(c).Get(key); value != "" {
		return value
	}
	return nats.Header(c).Get(textproto.CanonicalMIMEHeaderKey(key))
}

func (c carrier) Set(key, value string) { nats.Header(c).Set(key, value) }

func (c carrier) Keys() []string {
	keys := make([]string, 0, len(c))
	for key := range c {
		keys = append(keys, key)
	}
	return keys
}

// startTrace starts the item's span, as a child of the span that ctx carries, at the time when the stream stored the upload.
func (c *Consumer) startTrace(ctx context.Context, it *item, stored time.Time) {
	it.trace, it.span = c.Tracer.Start(context.WithoutCancel(ctx), "judge upload", trace.WithSpanKind(trace.SpanKindConsumer), trace.WithTimestamp(stored))
	if it.span.IsRecording() {
		u := it.decision.Upload
		it.span.SetAttributes(
			attribute.String("messaging.system", "nats"),
			attribute.String("messaging.destination.name", u.Subject),
			attribute.String("messaging.message.id", it.id()),
			attribute.Int("moderator.delivery", it.attempt),
			attribute.String("moderator.upload.id", u.ID),
		)
	}
	c.stageSpan(it, stageQueue, stored, nil)
}

// stageSpan records a stage that started at start and ends now.
func (c *Consumer) stageSpan(it *item, stage string, start time.Time, err error) {
	_, span := c.Tracer.Start(it.trace, stage, trace.WithTimestamp(start))
	fail(span, err)
	span.End()
}

// endTrace ends the item's span: decided if err is nil, else nak'd.
func (c *Consumer) endTrace(it *item, err error) {
	if it.span.IsRecording() && err == nil {
		d := it.decision
		it.span.SetAttributes(
			attribute.String("moderator.verdict", string(d.Verdict)),
			attribute.String("moderator.reason", string(d.Reason)),
			attribute.Int("moderator.upload.bytes", d.Upload.Bytes),
			attribute.String("moderator.upload.format", d.Upload.Format),
		)
	}
	fail(it.span, err)
	it.span.End()
}

func fail(span trace.Span, err error) {
	if err != nil {
		span.RecordError(err)
		span.SetStatus(codes.Error, err.Error())
	}
}
