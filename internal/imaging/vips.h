// The part of libvips that this package uses, in a few calls. The caller owns every returned VipsImage* (g_object_unref).
// NULL or a non-zero return means failure, with the cause in libvips' error buffer.
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

// Starts libvips once for the process: one thread, no operation cache, only the loaders above.
int imaging_start(void);

// Opens a picture with its format's loader, and reads the header only.
// buf must stay valid until the image is released. shrink is 1, 2, 4 or 8 (JPEG only),
// scale in (0, 1] (WebP only), page counts from 0 (TIFF only); with n = -1 all frames of an animation are stacked
// vertically, with 1 only the first is read.
VipsImage *imaging_open(int format, const void *buf, size_t len, int shrink, double scale, int page, int n);

// Wraps RGBA pixels in memory (8 bit, width*height*4 bytes), which must outlive the image.
VipsImage *imaging_wrap(const void *rgba, int width, int height);

// EXIF orientation, 1 to 8.
int imaging_orientation(VipsImage *im);

// The embedded ICC profile, which the image owns, or NULL.
const void *imaging_profile(VipsImage *im, size_t *len);

// Kinds of samples.
enum {
	IMAGING_INTEGERS, // unsigned, of 8 or 16 bits, or a device-independent space such as Lab
	IMAGING_FLOATS,
	IMAGING_OTHERS,
};

int imaging_samples(VipsImage *im);

// The least and the greatest sample. Decodes the whole picture.
int imaging_range(VipsImage *im, double *least, double *most);

// The levels of a sample after floats are quantised: 256 or 65536.
int imaging_levels(VipsImage *im);

// The rows [top, top+height) of an image as 8-bit sRGB, box-shrunk by an integer: 3 bands, or 4 with alpha and premultiplied
// colours. Floats are in 0 to 1. The ICC profile defines the colours; or tables from each level of red, green and blue to
// light, and a 3 x 3 matrix from light to sRGB's primaries; or they are sRGB if both are NULL. All arguments are copied.
VipsImage *imaging_rgb(VipsImage *in, int top, int height, int shrink, const void *profile, size_t profile_len,
	const float *tables, const double *matrix);

// The image as 8-bit RGBA, neither premultiplied nor changed by a profile.
VipsImage *imaging_straight(VipsImage *in);

// Computes all pixels of an 8-bit image into dst (len = width * height * bands).
int imaging_write(VipsImage *im, void *dst, size_t len);

#endif
