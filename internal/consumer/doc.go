// Package consumer takes uploads from JetStream, judges them, publishes their decisions and acknowledges them.
// Its stages run concurrently, joined by bounded channels:
//
//	UPLOADS ─► pull ─► prepare (N workers: fetch, hash, decode) ─► batch ─► embed ─► finish (match, decide, publish, ack)
//
// How an upload can end:
//
//	outcome                              action
//	decided                              publish, wait for the stream's ack, double ack
//	decision too large for the stream    publish it without attributes, with attributes_omitted
//	Duplicate, but not in the stream     log an error, nak with back-off
//	stream refuses the decision          keep the upload in flight, republish with back-off
//	dependency unavailable               keep the upload in flight, stop pulling, call again once a probe succeeds
//	stage failed, dependency answers     nak with back-off; the rest of the batch goes on
//	stage failed, last attempt           decide review/retries_exhausted, publish, ack
//	undecodable                          decide block if the file's hash is flagged, else review
//	cannot be fetched, too large, …      decide review with the reason, publish, ack
//	shutting down                        finish what was pulled within the drain time, nak the rest
//
// Consumer.Judge sends an upload of a caller, instead of the stream's, through the same stages.
//
// The package imports no database, no inference runtime and no codec. Fetcher, Decoder, Embedder and Matcher are its
// interfaces to them.
//
// A decision's Nats-Msg-Id names the upload's message by stream, sequence and storage time. An upload that is delivered
// twice is therefore decided once. A new upload that reuses a sequence number gets a decision of its own.
package consumer
