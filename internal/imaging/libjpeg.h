// Decoding of plain JPEG files by libjpeg alone, without libvips' pipeline around it.
#ifndef MODERATOR_IMAGING_LIBJPEG_H
#define MODERATOR_IMAGING_LIBJPEG_H

#include <stddef.h>

// Where a component's samples are: the first, and how far it is from row to row, in bytes.
typedef struct {
	size_t offset, stride;
} imaging_component;

// How to decode, and what came of it.
typedef struct {
	int shrink;        // by 1, 2, 4 or 8, sizes rounded down or up
	int width, height; // what that makes
	int thin;          // where set, what the pixels do not depend on may be left out before (thin.h); then whether it was
	// Where set, luma and chroma are left as they are stored if chroma has at least that many samples a side; then how
	// many pixels a sample of chroma is wide and high, 0 if they were not, and where Y, Cb and Cr are.
	int apart, across, down;
	imaging_component components[3];
} imaging_jpeg;

// Samples by which the width and height of components that are left apart may be more than asked for.
enum { IMAGING_APART_SPARE = 16 };

// Decodes a JPEG of one or three components to RGB pixels (8 bit, row-major) or, apart, to the components' samples, which
// may take 3 * (width + IMAGING_APART_SPARE) * (height + IMAGING_APART_SPARE) bytes. A file that ends too soon fails, lesser
// faults are let pass. Returns 0, or non-zero with the reason in why (IMAGING_WHY bytes).
int imaging_decode_jpeg(const void *buf, size_t len, imaging_jpeg *how, unsigned char *dst, char *why);

enum { IMAGING_WHY = 200 };

#endif
