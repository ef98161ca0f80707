// Package dedupe finds similar pictures among many, without a server and without a matrix of all pairs: views are compared in
// blocks, and only pairs that reach the threshold are kept.
//
//	pictures ─► Set (a row for each view) ─► inner products, block by block ─► Pairs ─► Groups (complete link)
package dedupe
