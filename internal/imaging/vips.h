// The part of libvips that this package uses, as a handful of calls that each do one
// step. Every VipsImage* returned is owned by the caller (g_object_unref); NULL or a
// non-zero return means failure, with the cause in libvips' error buffer.
#ifndef MODERATOR_IMAGING_VIPS_H
#define MODERATOR_IMAGING_VIPS_H

#include <vips/vips.h>

enum {
	IMAGING_JPEG,
	IMAGING_PNG,
	IMAGING_WEBP,
	IMAGING_GIF,
	IMAGING_TIFF,
	IMAGING_HEIF,
};

// Starts libvips once per process: one thread, no operation cache, no loader but those above.
int imaging_start(void);

// Opens a picture with the loader of its format; reads the header, no pixels.
// buf must stay valid until the image is released. shrink is 1, 2, 4 or 8 (JPEG only),
// scale in (0, 1] (WebP only); with all_pages the frames of an animation lie below each other.
VipsImage *imaging_open(int format, const void *buf, size_t len, int shrink, double scale, int all_pages);

// Wraps RGBA pixels in memory (8 bit, width*height*4 bytes), which must outlive the image.
VipsImage *imaging_wrap(const void *rgba, int width, int height);

// EXIF orientation, 1 to 8.
int imaging_orientation(VipsImage *im);

// The embedded ICC profile, which stays the image's; NULL when there is none.
const void *imaging_profile(VipsImage *im, size_t *len);

// The rows [top, top+height) of an image as 8-bit sRGB, alpha flattened over white and
// box-shrunk by an integer. The embedded profile is honoured when use_profile is set.
VipsImage *imaging_rgb(VipsImage *in, int top, int height, int use_profile, int shrink);

// Computes all pixels of an 8-bit image into dst (len = width * height * bands).
int imaging_write(VipsImage *im, void *dst, size_t len);

#endif
