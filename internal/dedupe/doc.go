// Package dedupe finds pictures that are alike among many, without a server and without a matrix of all pairs: rows are
// compared in blocks, and only what reaches the threshold is kept.
//
//	pictures ─► Set (a row a view) ─► inner products, block by block ─► Pairs ─► Groups (complete link)
package dedupe
