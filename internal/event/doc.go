// Package event defines the wire formats: the upload messages that moderator reads and the decisions that it publishes.
// It imports no server's client, no codec and no model.
//
// An upload is a message of one of three kinds:
//
//	Content-Type                      body                 kind
//	application/json                  {"url"|"object": …}  a reference to a file that is stored elsewhere
//	application/cloudevents+json      a CloudEvent 1.0     structured mode; its data is a reference or a file
//	any other                         the file's bytes     a file
//	missing                           any of the above     told by the JSON fields specversion, url and object, else a file
//
// References and files may have ce-* headers (a CloudEvent in binary mode).
// A decision is a structured-mode CloudEvent 1.0 of type moderation.decision.v1.
package event
