// Package fetch gets the bytes of uploads that are references: items of JetStream object stores, keys of cloud stores'
// buckets (those on the list, Config.Buckets) and URLs.
//
// Uploads are hostile, so a URL is followed only where four things allow it, at first and after each redirect:
//
//	the URL      http or https, no user name or password
//	the host     on the list of hosts (Config.Hosts); with an empty list no URL is followed
//	the address  checked when the connection is made, after DNS: public, or inside Config.AllowCIDRs
//	the answer   200, not compressed, at most as many bytes as are wanted
//
// What an error means for its upload:
//
//	not there, not allowed, refused (4xx)         *event.Unjudgeable with event.FetchFailed
//	more bytes than are wanted                    *event.Unjudgeable with event.TooLarge
//	slow, cut short, broken, busy (408, 429, 5xx) any other error: worth another delivery
//
// The texts of errors go into decisions and logs. They are bounded, leave out a URL's query, which may hold a
// signature, and never quote what a server sent.
package fetch
