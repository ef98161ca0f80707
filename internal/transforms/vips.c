#include "vips.h"

// Replaces *im by next, which was made from *im. If next is NULL, that is a failure.
static int step(VipsImage **im, VipsImage *next)
{
	VIPS_UNREF(*im);
	*im = next;
	return next ? 0 : -1;
}

static VipsImage *wrap(const void *rgba, int width, int height)
{
	VipsImage *im = vips_image_new_from_memory(rgba, (size_t) width * height * 4, width, height, 4, VIPS_FORMAT_UCHAR);

	if (im)
		im->Type = VIPS_INTERPRETATION_sRGB;
	return im;
}

static VipsImage *wrap_rgb(const void *rgba, int width, int height)
{
	VipsImage *im = wrap(rgba, width, height), *rgb = NULL;

	if (im)
		vips_extract_band(im, &rgb, 0, "n", 3, NULL);
	VIPS_UNREF(im);
	return rgb;
}

// Takes over im and writes its pixels as 8-bit RGBA.
static int write_rgba(VipsImage *im, void **out)
{
	VipsImage *next = NULL;
	size_t len;

	*out = NULL;
	if (im && im->BandFmt != VIPS_FORMAT_UCHAR) {
		vips_cast(im, &next, VIPS_FORMAT_UCHAR, NULL);
		step(&im, next);
		next = NULL;
	}
	if (im && im->Bands == 3) {
		vips_bandjoin_const1(im, &next, 255, NULL);
		step(&im, next);
	}
	if (im)
		*out = vips_image_write_to_memory(im, &len);
	VIPS_UNREF(im);
	return *out ? 0 : -1;
}

int transforms_decode(const void *buf, size_t len, void **out, int *width, int *height)
{
	VipsImage *im = vips_image_new_from_buffer(buf, len, "", NULL), *next = NULL;

	if (!im)
		return -1;
	vips_autorot(im, &next, NULL);
	if (step(&im, next))
		return -1;
	next = NULL;
	vips_colourspace(im, &next, VIPS_INTERPRETATION_sRGB, NULL);
	if (step(&im, next))
		return -1;
	if (vips_image_hasalpha(im)) {
		VipsArrayDouble *white = vips_array_double_newv(1, 255.0);

		next = NULL;
		vips_flatten(im, &next, "background", white, NULL);
		vips_area_unref(VIPS_AREA(white));
		if (step(&im, next))
			return -1;
	}
	*width = im->Xsize;
	*height = im->Ysize;
	return write_rgba(im, out);
}

int transforms_encode(const void *rgba, int width, int height, int format, int quality, void **out, size_t *len)
{
	VipsImage *im = wrap_rgb(rgba, width, height);
	int result = -1;

	*out = NULL;
	if (!im)
		return -1;
	switch (format) {
	case TRANSFORMS_JPEG:
		result = vips_jpegsave_buffer(im, out, len, "Q", quality, "strip", TRUE, NULL);
		break;
	case TRANSFORMS_PNG:
		result = vips_pngsave_buffer(im, out, len, "compression", 3, "strip", TRUE, NULL);
		break;
	case TRANSFORMS_WEBP:
		result = vips_webpsave_buffer(im, out, len, "Q", quality, "effort", 2, "strip", TRUE, NULL);
		break;
	default:
		vips_error("transforms", "unknown format %d", format);
	}
	g_object_unref(im);
	return result;
}

int transforms_resize(const void *rgba, int width, int height, int to_width, int to_height, void **out)
{
	VipsImage *im = wrap_rgb(rgba, width, height), *next = NULL;

	if (im)
		vips_thumbnail_image(im, &next, to_width, "height", to_height, "size", VIPS_SIZE_FORCE, NULL);
	step(&im, next);
	return write_rgba(im, out);
}

int transforms_blur(const void *rgba, int width, int height, double sigma, void **out)
{
	VipsImage *im = wrap_rgb(rgba, width, height), *next = NULL;

	if (im)
		vips_gaussblur(im, &next, sigma, NULL);
	step(&im, next);
	return write_rgba(im, out);
}

int transforms_warp(const void *rgba, int width, int height, const float *index, int to_width, int to_height, double grey, void **out)
{
	VipsImage *im = wrap_rgb(rgba, width, height), *next = NULL;
	VipsImage *map = vips_image_new_from_memory(index, (size_t) to_width * to_height * 2 * sizeof(float),
		to_width, to_height, 2, VIPS_FORMAT_FLOAT);
	VipsInterpolate *cubic = vips_interpolate_new("bicubic");
	VipsArrayDouble *background = vips_array_double_newv(3, grey, grey, grey);

	if (im && map && cubic)
		vips_mapim(im, &next, map, "interpolate", cubic, "extend", VIPS_EXTEND_BACKGROUND, "background", background, NULL);
	step(&im, next);
	vips_area_unref(VIPS_AREA(background));
	VIPS_UNREF(cubic);
	VIPS_UNREF(map);
	return write_rgba(im, out);
}
