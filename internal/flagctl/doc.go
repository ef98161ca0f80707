// Package flagctl is the moderators' command: a file for each verb, each a kong command whose Run does the work.
//
// What people read goes to stdout as a table, or with -o json as one JSON value whose shape docs/flagctl.md gives;
// progress goes to stderr, and only to a terminal. The exit code is 0 when everything asked for was done.
package flagctl
