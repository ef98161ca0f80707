// Package calibrate finds the thresholds of a model for a false-positive rate on a platform's own pictures, and measures the
// recall of edited copies at these thresholds.
//
//	pictures ─┬─ some: background (if the model has none)
//	          └─ the others ─► flags, in all views ────────────────────┐
//	                     └─► uploads: each picture, edits of a sample ─┴─► scores of all pairs ─► thresholds ─► recall
//
// The pictures have to be unrelated: any two of them that score high count as a false positive. Copies that PDQ finds are
// reported and left out. The report shows the closest of the other pairs.
package calibrate
