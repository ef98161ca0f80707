// Package flagctl is the command line of people who moderate. Each verb has a file, with a kong command and its Run.
//
// Results go to stdout: a table, or with -o json one JSON value, whose shape docs/flagctl.md describes. Progress and notes go
// to stderr, progress on a terminal only. The exit code is 0 if the whole command succeeded.
package flagctl
