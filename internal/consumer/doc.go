// Package consumer is the life of one upload, from the stream that it waits in to the acknowledgement of its
// decision. Stages run beside each other, joined by bounded channels:
//
//	UPLOADS ─► pull ─► prepare (N workers: fetch, hash, decode) ─► batch ─► embed ─► finish (match, decide, publish, ack)
//
// What becomes of an upload:
//
//	outcome                              what is done
//	decided                              publish, wait for the stream's ack, double ack
//	its decision is too large            leave its attributes out, say so, and publish
//	the stream has no such decision      though it answers Duplicate: Nak with back-off, and an error in the log
//	its decision is not taken            keep it in hand, offer the decision again with back-off
//	a dependency failed                  Nak with back-off; the others of the batch go on
//	a dependency failed, last delivery   decide review/retries_exhausted, publish, ack
//	cannot be decoded                    decide block where its very file is flagged, else as the next
//	cannot ever be judged                decide review with its reason, publish, ack
//	shutting down                        finish what was pulled within the drain time, Nak the rest
//
// The package knows no database, no runtime and no codec: Fetcher, Decoder, Embedder and Matcher are what it needs
// of them. A decision's Nats-Msg-Id names the upload's message by stream, sequence and the time at which it was stored,
// so that an upload that is delivered twice is decided once, and one whose sequence comes again is decided anew.
package consumer
