// The steps of libvips that edits are made of. Pixels go in and out as 8-bit RGBA, row-major; what *out points to
// afterwards is the caller's to g_free. A result other than 0 means failure, with the cause in libvips' error buffer.
#ifndef MODERATOR_EDITS_VIPS_H
#define MODERATOR_EDITS_VIPS_H

#include <vips/vips.h>

enum { EDITS_JPEG, EDITS_PNG, EDITS_WEBP };

// A file as pixels: upright, sRGB, over white.
int edits_decode(const void *buf, size_t len, void **out, int *width, int *height);

int edits_encode(const void *rgba, int width, int height, int format, int quality, void **out, size_t *len);

// Resizes to exactly to_width x to_height.
int edits_resize(const void *rgba, int width, int height, int to_width, int to_height, void **out);

int edits_blur(const void *rgba, int width, int height, double sigma, void **out);

// The pixel x, y of the result is the picture's at index[2 * (y * to_width + x)] and the number after it, or the grey level
// where that lies outside.
int edits_warp(const void *rgba, int width, int height, const float *index, int to_width, int to_height, double grey, void **out);

#endif
