// Package calibrate finds the thresholds at which a model takes as many of a platform's own pictures for each other by
// mistake as is bearable, and tells what copies it then finds.
//
//	pictures ─┬─ some: background (where the model has none)
//	          └─ the others ─► flags, in all views ────────────────────┐
//	                     └─► uploads: each picture, edits of a sample ─┴─► scores of all pairs ─► thresholds ─► recall
//
// The pictures are taken to be ordinary ones, each of something else: every pair of two of them that scores high is a
// mistake. Copies of each other by PDQ are told and left out; of what remains the report shows the closest pairs.
package calibrate
