// Package pdq computes PDQ, a perceptual hash of 256 bits that platforms exchange
// to find copies of known pictures, and its quality.
//
// It follows the published description, "The TMK+PDQF Video-Hashing Algorithm
// and the PDQ Image-Hashing Algorithm" (Facebook, 2019):
//
//	luma plane, at most 512x512
//	  | tent filter: two passes of a box filter in each direction ("Jarosz")
//	  | sample the middles of a grid
//	64x64 ---------------------> quality: sum of the gradients, 0 to 100
//	  | cosine transform, frequencies 1 to 16 in each direction
//	16x16 ---------------------> the eight turns: signs and a transposition
//	  | 1 where the coefficient is above the median
//	256 bits
//
// Two pictures match when their hashes differ in at most [MaxDistance] bits
// and both have a quality of at least [MinQuality]. Grey, recompressed,
// blurred, noisy and scaled copies match; cropped, framed and rotated ones do
// not. Quarter turns and mirrors match by way of [Turns].
//
// # Input
//
// Luma is 0.299 R + 0.587 G + 0.114 B of 8-bit samples without gamma, rounded
// and not truncated: truncation changes a hash by up to ten bits. A picture
// whose width or height exceeds 512 pixels is first resized to 512x512, whatever
// its aspect. Smaller pictures are not resized.
//
// For the resize, the reference picks pixels: at x, y the one at ⌊x·w/512⌋,
// ⌊y·h/512⌋. Averaging gives hashes within eight bits of it on photographs
// (twelve on dithered ones) and is more stable: scaling screenshots and
// captioned pictures to 60 % changes 3 bits on average and at most 20, against
// 12 and 54 with picked pixels.
package pdq
