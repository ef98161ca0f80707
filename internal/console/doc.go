// Package console serves the console, moderator's pages for people: live decisions, the review queue, comparing two
// pictures, searching for a picture, and the library.
//
// The ways of a request:
//
//	browser ──► token or a trusted proxy's header ──► page: html/template, everything escaped
//	        ──► GET  /live/events     ◄── feed ◄── ordered consumer of DECISIONS, while somebody watches
//	        ──► GET  …/picture        ◄── guarded fetcher ──► decode worker ──► blurred JPEG, encoded here
//	        ──► POST /review/…        ──► row in review, audited ──► decisions.<verdict>, reason reviewed
//
// Uploads, file names, notes and attributes are hostile. The browser gets only pictures that were encoded here, and scripts
// and styles from the assets alone (Content-Security-Policy). A POST must come from the console's own pages.
package console
