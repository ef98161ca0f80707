// Package pointindex finds the flags that an upload may show a part of, among all flags: by keypoints that both have.
// It brings the candidates that keypoint.Verify then compares, where the vector and the hash of the whole picture say
// nothing: half crops, pictures side by side, a picture in a picture.
//
//	a point's 128 bits ── 70 learned projections ──► signs of 6: the partition
//	                                             ├─► signs of up to 16 more: the bucket in it
//	                                             └─► signs of 64: the code, to be compared
//	upload ── its points as they are, mirrored, in the negative ── buckets of the most probable signs ──►
//	entries whose codes differ in few bits: votes ── those of a flag that agree on one place ──► candidates
//
// The projections are decorrelated (tools/pointcodes learns them), so that buckets are filled evenly: two points share 24
// signs in 1 of 2^21 cases, and 24 plain bits of a description in 1 of 2^15. The buckets are chosen by how near the
// projections are to zero (multi-probe LSH, Lv et al. 2007): that finds more points for the same look-ups than all codes
// within a distance (multi-index hashing, Norouzi et al. 2012), which at 24 of 128 bits is out of reach. Votes are
// weighed by distance (Hamming embedding, Jégou et al. 2008) and by how many flags their point votes for, and counted where
// they agree on turn, zoom and place: weak geometric consistency asks for the first two alone, and among a million flags
// chance has as many votes as a small copy.
//
//	Add ──► the partition's delta ── merge, once that has an eighth of the entries ──► frozen entries, sorted by bucket
//
// Measured on 1,729 edits of 120 photographs, templates and screenshots that keypoint.Verify accepts (crops, halves, mirrors,
// negatives, frames, turns, pictures side by side and in pictures), with the points of 10,435 other pictures, and up to a
// million flags with points made of those by changing bits and places. One core of a busy AMD EPYC (Zen 4), by CPU time:
//
//	flags        the flag is first   among the first 8   an upload, median / 99 %   bytes a flag
//	10,808       .983                .997                3.3 ms / 6.8 ms            1,084
//	1,000,000    .980                .995                12.2 ms / 22.4 ms          1,040
//
// Since then smaller libraries are looked up in fewer buckets (see probesOf), and projections take a fifth of the time: at 10,373 flags
// an upload takes 0.9 ms / 2.2 ms on a busy Zen 5, and finds 1,369 of 1,372 copies among the first 8.
//
// Of the 8 that a million flags hide, 6 are behind a checkerboard. A flag that is not among the first 8 is not among 32
// either: fewer than three of its 64 points agree.
//
// A flag is a candidate from the moment that Add returns, and no more from the moment that Remove returns.
package pointindex
