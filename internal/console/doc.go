// Package console is what people see of a moderator in their browser: decisions as they come, the queue of reviews, two
// pictures compared, one picture searched for, and the library.
//
// Who asks for what:
//
//	browser ──► token or a trusted proxy's header ──► page: html/template, everything escaped
//	        ──► GET  /live/events     ◄── feed ◄── ordered consumer of DECISIONS, while somebody watches
//	        ──► GET  …/picture        ◄── guarded fetcher ──► decode worker ──► blurred JPEG of our own making
//	        ──► POST /review/…        ──► row in review, audited ──► decisions.<verdict>, reason reviewed
//
// Uploads, file names, notes and attributes are hostile: no byte of a picture reaches the browser as it came, scripts and
// styles come from the assets alone (Content-Security-Policy), and a POST has to come from our own pages.
package console
