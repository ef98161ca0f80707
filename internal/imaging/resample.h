// Resampling and turning of 8-bit pixels in memory. Weights are rounded once and pixels summed as integers, so that vectors
// of any width give the same bytes.
#ifndef MODERATOR_IMAGING_RESAMPLE_H
#define MODERATOR_IMAGING_RESAMPLE_H

#include <stddef.h>
#include <stdint.h>

enum { RESAMPLE_NEAREST, RESAMPLE_LINEAR, RESAMPLE_CUBIC, RESAMPLE_LANCZOS3 };

// Pixels, row-major; stride in bytes from row to row.
typedef struct {
	const uint8_t *pixels;
	size_t stride;
	int width, height, bands; // bands: 1 or 3
	double x, y, across, down; // the part to scale; its borders may be fractional
	int planes;                // number of equal planes, each next bytes after the one before
	size_t next;
} resample_source;

// Scales the part of src to width x height and writes the part [left, left+crop_width) x
// [top, top+crop_height) of that to dst, crop_width*crop_height*bands bytes for each plane. Returns non-zero without memory.
int resample(const resample_source *src, int width, int height, int kernel,
	int left, int top, int crop_width, int crop_height, uint8_t *dst);

// Turns a picture by an EXIF orientation (1 to 8). dst has as many bytes as src.
void resample_turn(const resample_source *src, int orientation, uint8_t *dst);

#endif
