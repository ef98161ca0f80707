// Package fetch gets the bytes of uploads that are references: to JetStream object stores, to allowed buckets of cloud
// stores (Config.Buckets), and to URLs.
//
// Uploads are hostile. A URL, and each redirect, must pass four checks:
//
//	the URL      http or https, no user name or password
//	the host     on the list Config.Hosts
//	the address  public, or inside Config.AllowCIDRs; checked when the connection is made, after DNS
//	the answer   200, not compressed, at most maxBytes
//
// What an error means:
//
//	not found, not allowed, refused (4xx)         *event.Unjudgeable with event.FetchFailed
//	more than maxBytes                            *event.Unjudgeable with event.TooLarge
//	memory could not be reserved                  *event.NotAdmitted
//	slow, cut short, broken, busy (408, 429, 5xx) any other error: worth a redelivery
//
// The texts of errors go into decisions and logs. They are bounded, leave out a URL's query, which may hold a
// signature, and never quote a server's answer.
package fetch
