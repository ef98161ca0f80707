// Package event holds the wire formats: the upload messages that moderator reads and the decisions that it
// publishes. It knows nothing of servers, pictures or models.
//
// An upload is one of three messages:
//
//	Content-Type                      body                 what it is
//	application/json                  {"url"|"object": …}  a reference to a picture kept elsewhere
//	application/cloudevents+json      a CloudEvent 1.0     structured mode; its data is one of the other two
//	anything else                     the file's bytes     the picture itself
//	none                              any of the three     JSON objects with specversion, url or object are what these say
//
// ce-* headers (a CloudEvent in binary mode) may stand on the first and the last.
// A decision is a structured-mode CloudEvent 1.0 of type moderation.decision.v1.
package event
