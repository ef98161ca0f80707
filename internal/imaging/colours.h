// Colours of 8-bit pixels, in integers.
#ifndef MODERATOR_IMAGING_COLOURS_H
#define MODERATOR_IMAGING_COLOURS_H

#include <stddef.h>
#include <stdint.h>

// Luma of n RGB pixels: 0.299 R + 0.587 G + 0.114 B, rounded.
void colours_luma(const uint8_t *rgb, size_t n, uint8_t *dst);

// RGB of n samples of luma and chroma (JFIF, ITU-T T.871).
void colours_rgb(const uint8_t *y, const uint8_t *cb, const uint8_t *cr, size_t n, uint8_t *dst);

#endif
