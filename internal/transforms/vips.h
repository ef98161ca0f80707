// The steps of edits in libvips. Pixels are 8-bit RGBA, row-major. The caller has to g_free *out. A result other than 0 is a
// failure, with the cause in libvips' error buffer.
#ifndef MODERATOR_EDITS_VIPS_H
#define MODERATOR_EDITS_VIPS_H

#include <vips/vips.h>

enum { TRANSFORMS_JPEG, TRANSFORMS_PNG, TRANSFORMS_WEBP };

// A file as pixels: upright, sRGB, over white.
int transforms_decode(const void *buf, size_t len, void **out, int *width, int *height);

int transforms_encode(const void *rgba, int width, int height, int format, int quality, void **out, size_t *len);

// Resizes to exactly to_width x to_height.
int transforms_resize(const void *rgba, int width, int height, int to_width, int to_height, void **out);

int transforms_blur(const void *rgba, int width, int height, double sigma, void **out);

// The pixel x, y of the result is the picture's at index[2 * (y * to_width + x)] and the number after it, or the grey level
// where that lies outside.
int transforms_warp(const void *rgba, int width, int height, const float *index, int to_width, int to_height, double grey, void **out);

#endif
