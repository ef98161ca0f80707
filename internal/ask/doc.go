// Package ask answers requests to judge one upload at once, over HTTP and as a NATS micro service.
//
//	POST /v1/judge   ─┐
//	                  ├─► read the upload ─► Judge: the consumer's pipeline ─► the decision, as in DECISIONS
//	moderator.judge  ─┘
//
// The body is the file, a reference or a CloudEvent, as in the stream UPLOADS. The upload itself is not stored. Requests that
// find no room are refused at once, so that they hold back neither each other nor the stream.
package ask
