// Decoding of plain JPEG files by libjpeg alone, without libvips' pipeline around it.
#ifndef MODERATOR_IMAGING_LIBJPEG_H
#define MODERATOR_IMAGING_LIBJPEG_H

#include <stddef.h>

// Decodes a JPEG of one or three components, shrunk by 1, 2, 4 or 8 (sizes rounded down or up), to width x height RGB pixels in dst (8 bit,
// row-major). A file that ends too soon fails, lesser faults are let pass. Where *thin is set, what the pixels do not
// depend on may be left out before (thin.h), after which it says whether it was. Returns 0, or non-zero with the reason
// in why (IMAGING_WHY bytes).
int imaging_decode_jpeg(const void *buf, size_t len, int shrink, int *thin, int width, int height,
	unsigned char *dst, char *why);

enum { IMAGING_WHY = 200 };

#endif
