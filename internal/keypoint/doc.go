// Package keypoint tells whether one picture holds a part of another: by points that both show, in one arrangement. It finds
// what no vector of the whole picture finds: crops, bars with captions, turns by any angle, a picture inside another.
//
// The points and their descriptions are SIFT's (Lowe, "Distinctive Image Features from Scale-Invariant Keypoints", 2004), with one
// bit for each of a description's 128 numbers: above their median or not. A flag and an upload are looked at in planes of 640
// pixels, and two of three points that are kept are coarse. Fine ones are what a crop or a pattern leaves of the flag. Coarse ones
// are what is left of a flag that fills a third of the upload's side.
//
//	grey plane ── Extract ──► Features: where, how large, in which direction, 128 bits
//	Features of a flag and of an upload ── Verify ──► the points that agree on one map
//	agreements with several flags ── Contrast ──► which of these points only one of them has
//
// Everything is deterministic: each pair of points says where the whole picture would lie, and all are tried.
//
// The bits of a mirrored picture, or of its negative, are those of the picture in another order; Verify tries these as well,
// so a flag is stored once.
package keypoint
