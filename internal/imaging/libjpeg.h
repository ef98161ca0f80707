// Decoding of plain JPEG files by libjpeg alone, without libvips' pipeline.
#ifndef MODERATOR_IMAGING_LIBJPEG_H
#define MODERATOR_IMAGING_LIBJPEG_H

#include <stddef.h>

// A component's samples: the first one, and the bytes from row to row.
typedef struct {
	size_t offset, stride;
} imaging_component;

// Parameters and results of a decode.
typedef struct {
	int shrink;        // by 1, 2, 4 or 8; sizes are rounded down or up
	int width, height; // after that
	int thin;          // in: the scan may be thinned first (thin.h); out: whether it was
	// In: if not 0, luma and chroma stay separate if chroma has at least that many samples a side. Out: how many pixels a
	// sample of chroma covers across and down, 0 if they are not separate, and where Y, Cb and Cr are.
	int apart, across, down;
	imaging_component components[3];
} imaging_jpeg;

// Samples by which separate components may be wider and higher than requested.
enum { IMAGING_APART_SPARE = 16 };

// Decodes a JPEG of one or three components to 8-bit RGB pixels, row-major, or to separate components, which may take
// 3 * (width + IMAGING_APART_SPARE) * (height + IMAGING_APART_SPARE) bytes. A truncated file fails; lesser faults are
// ignored. Returns 0, or non-zero with the reason in why (IMAGING_WHY bytes).
int imaging_decode_jpeg(const void *buf, size_t len, imaging_jpeg *how, unsigned char *dst, char *why);

enum { IMAGING_WHY = 200 };

#endif
