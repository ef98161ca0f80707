#include "vips.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

// Rows that are computed at a time: enough to keep the cost per call low, few enough
// for the strips of a wide picture to stay in the processor's cache.
#define STRIP 32

static void ignore_log(const char *domain, GLogLevelFlags level, const char *message, void *data)
{
}

int imaging_start(void)
{
	static const char *loaders[] = {
		"VipsForeignLoadJpeg", "VipsForeignLoadPng", "VipsForeignLoadWebp",
		"VipsForeignLoadNsgif", "VipsForeignLoadTiff", "VipsForeignLoadHeif"
	};

	if (VIPS_INIT("moderator"))
		return -1;
#ifdef __GLIBC__
	// Every picture takes and frees some megabytes in pieces. Giving them back to the kernel each time
	// and faulting them in again costs a fifth of the decoding of a small JPEG.
	mallopt(M_MMAP_THRESHOLD, 8 << 20);
	mallopt(M_TRIM_THRESHOLD, 64 << 20);
#endif
	vips_concurrency_set(1);
	vips_cache_set_max(0);
	vips_cache_set_max_mem(0);
	vips_cache_set_max_files(0);

	vips_operation_block_set("VipsForeignLoad", TRUE);
	for (size_t i = 0; i < G_N_ELEMENTS(loaders); i++)
		vips_operation_block_set(loaders[i], FALSE);

	// A picture's small faults would otherwise each print a line to stderr.
	g_log_set_handler("VIPS", G_LOG_LEVEL_WARNING | G_LOG_LEVEL_INFO | G_LOG_LEVEL_DEBUG, ignore_log, NULL);
	return 0;
}

VipsImage *imaging_open(int format, const void *buf, size_t len, int shrink, double scale, int all_pages)
{
	VipsImage *im = NULL;
	void *b = (void *) buf;
	int n = all_pages ? -1 : 1;

	vips_error_clear(); // of what earlier pictures were forgiven

// What all loaders share. A file that was cut off fails; lesser faults are let pass.
#define COMMON "access", VIPS_ACCESS_SEQUENTIAL, "fail_on", VIPS_FAIL_ON_TRUNCATED
	switch (format) {
	case IMAGING_JPEG:
		vips_jpegload_buffer(b, len, &im, COMMON, "shrink", shrink, NULL);
		break;
	case IMAGING_PNG:
		vips_pngload_buffer(b, len, &im, COMMON, NULL);
		break;
	case IMAGING_WEBP:
		vips_webpload_buffer(b, len, &im, COMMON, "scale", scale, "n", n, NULL);
		break;
	case IMAGING_GIF:
		vips_gifload_buffer(b, len, &im, COMMON, "n", n, NULL);
		break;
	case IMAGING_TIFF:
		vips_tiffload_buffer(b, len, &im, COMMON, NULL);
		break;
	case IMAGING_HEIF:
		vips_heifload_buffer(b, len, &im, COMMON, NULL);
		break;
	default:
		vips_error("imaging", "unknown format %d", format);
	}
#undef COMMON
	return im;
}

VipsImage *imaging_wrap(const void *rgba, int width, int height)
{
	VipsImage *im = vips_image_new_from_memory(rgba, (size_t) width * height * 4,
		width, height, 4, VIPS_FORMAT_UCHAR);

	if (im)
		im->Type = VIPS_INTERPRETATION_sRGB;
	return im;
}

int imaging_orientation(VipsImage *im)
{
	return vips_image_get_orientation(im);
}

const void *imaging_profile(VipsImage *im, size_t *len)
{
	const void *data = NULL;

	*len = 0;
	if (!vips_image_get_typeof(im, VIPS_META_ICC_NAME) || vips_image_get_blob(im, VIPS_META_ICC_NAME, &data, len))
		return NULL;
	return data;
}

// Replaces *im by next, which was made from it; NULL is passed on as failure.
static int step(VipsImage **im, VipsImage *next)
{
	g_object_unref(*im);
	*im = next;
	return next ? 0 : -1;
}

// Alpha over white, in the picture's own colour space: white there is white in sRGB.
static int flatten(VipsImage **im)
{
	VipsImage *next = NULL;
	double white = 255, max = 255;

	if ((*im)->Type != VIPS_INTERPRETATION_sRGB && (*im)->Type != VIPS_INTERPRETATION_B_W &&
		(*im)->Type != VIPS_INTERPRETATION_RGB16 && (*im)->Type != VIPS_INTERPRETATION_GREY16 &&
		(*im)->Type != VIPS_INTERPRETATION_CMYK) {
		vips_colourspace(*im, &next, VIPS_INTERPRETATION_sRGB, NULL);
		if (step(im, next))
			return -1;
		next = NULL;
	}
	if ((*im)->Type == VIPS_INTERPRETATION_RGB16 || (*im)->Type == VIPS_INTERPRETATION_GREY16)
		white = max = 65535;
	if ((*im)->Type == VIPS_INTERPRETATION_CMYK)
		white = 0;

	VipsArrayDouble *background = vips_array_double_newv(1, white);
	vips_flatten(*im, &next, "background", background, "max_alpha", max, NULL);
	vips_area_unref(VIPS_AREA(background));
	return step(im, next);
}

VipsImage *imaging_rgb(VipsImage *in, int top, int height, int use_profile, int shrink)
{
	VipsImage *im = in, *next = NULL;

	g_object_ref(im);
	if (height < im->Ysize) {
		vips_extract_area(im, &next, 0, top, im->Xsize, height, NULL);
		if (step(&im, next))
			return NULL;
		next = NULL;
	}
	if (vips_image_hasalpha(im) && flatten(&im))
		return NULL;
	if (shrink > 1) {
		vips_shrink(im, &next, shrink, shrink, NULL);
		if (step(&im, next))
			return NULL;
		next = NULL;
	}
	if (use_profile) {
		// A broken profile is no reason to refuse the picture: then it is read without.
		if (vips_icc_transform(im, &next, "srgb", "embedded", TRUE,
				"intent", VIPS_INTENT_PERCEPTUAL, "depth", 8, NULL))
			vips_error_clear();
		else if (step(&im, next))
			return NULL;
		next = NULL;
	}
	if (im->Type != VIPS_INTERPRETATION_sRGB) {
		vips_colourspace(im, &next, VIPS_INTERPRETATION_sRGB, NULL);
		if (step(&im, next))
			return NULL;
		next = NULL;
	}
	if (im->BandFmt != VIPS_FORMAT_UCHAR) {
		vips_cast(im, &next, VIPS_FORMAT_UCHAR, NULL);
		if (step(&im, next))
			return NULL;
		next = NULL;
	}
	if (im->Bands < 3) { // grey that calls itself sRGB
		vips_extract_band(im, &next, 0, NULL);
		if (step(&im, next))
			return NULL;
		VipsImage *rgb[3] = { im, im, im };
		next = NULL;
		vips_bandjoin(rgb, &next, 3, NULL);
		if (step(&im, next))
			return NULL;
	}
	else if (im->Bands > 3) {
		vips_extract_band(im, &next, 0, "n", 3, NULL);
		if (step(&im, next))
			return NULL;
	}
	return im;
}

int imaging_write(VipsImage *im, void *dst, size_t len)
{
	VipsImage *memory = vips_image_new_from_memory(dst, len, im->Xsize, im->Ysize, im->Bands, VIPS_FORMAT_UCHAR);
	VipsRegion *from = vips_region_new(im), *to = memory ? vips_region_new(memory) : NULL;
	VipsRect strip = { 0, 0, im->Xsize, im->Ysize };
	int result = -1;

	if (im->BandFmt != VIPS_FORMAT_UCHAR)
		vips_error("imaging", "the pixels are not of 8 bits");
	else if (from && to)
		result = vips_region_image(to, &strip);

	// On the caller's thread, straight into place: for pictures this small, libvips' thread
	// pool costs more than it gives.
	for (strip.height = STRIP; !result && strip.top < im->Ysize; strip.top += STRIP) {
		strip.height = VIPS_MIN(STRIP, im->Ysize - strip.top);
		result = vips_region_prepare_to(from, to, &strip, 0, strip.top);
	}
	VIPS_UNREF(to);
	VIPS_UNREF(from);
	VIPS_UNREF(memory);
	return result;
}
