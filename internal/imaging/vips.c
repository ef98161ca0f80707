#include "vips.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

// Rows that are computed at a time: enough for a low cost per call, few enough for the strips of a wide picture to fit into
// the processor's cache.
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
	// Every picture allocates and frees some megabytes in pieces. Returning them to the kernel each time costs a fifth of the
	// decoding of a small JPEG.
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

	// Each warning about a picture would print a line to stderr.
	g_log_set_handler("VIPS", G_LOG_LEVEL_WARNING | G_LOG_LEVEL_INFO | G_LOG_LEVEL_DEBUG, ignore_log, NULL);
	return 0;
}

VipsImage *imaging_open(int format, const void *buf, size_t len, int shrink, double scale, int page, int n)
{
	VipsImage *im = NULL;
	void *b = (void *) buf;

	vips_error_clear(); // of ignored faults of earlier pictures

// Options of all loaders. A truncated file fails; lesser faults are ignored.
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
		vips_tiffload_buffer(b, len, &im, COMMON, "page", page, NULL);
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

// Replaces *im by next, which was made from it. NULL means failure.
static int step(VipsImage **im, VipsImage *next)
{
	g_object_unref(*im);
	*im = next;
	return next ? 0 : -1;
}

// Lab and XYZ need no profile, and their numbers may have any range.
static gboolean is_colorimetric(VipsImage *im)
{
	return im->Coding != VIPS_CODING_NONE || im->Type == VIPS_INTERPRETATION_LAB || im->Type == VIPS_INTERPRETATION_LABS ||
		im->Type == VIPS_INTERPRETATION_XYZ || im->Type == VIPS_INTERPRETATION_YXY;
}

int imaging_samples(VipsImage *im)
{
	if (is_colorimetric(im) || im->BandFmt == VIPS_FORMAT_UCHAR || im->BandFmt == VIPS_FORMAT_USHORT)
		return IMAGING_INTEGERS;
	if (im->Type == VIPS_INTERPRETATION_CMYK)
		return IMAGING_OTHERS;
	return im->BandFmt == VIPS_FORMAT_FLOAT || im->BandFmt == VIPS_FORMAT_DOUBLE ? IMAGING_FLOATS : IMAGING_OTHERS;
}

int imaging_range(VipsImage *im, double *least, double *most)
{
	VipsImage *stats = NULL;

	if (vips_stats(im, &stats, NULL))
		return -1;
	*least = *VIPS_MATRIX(stats, 0, 0);
	*most = *VIPS_MATRIX(stats, 1, 0);
	g_object_unref(stats);
	return 0;
}

static int to_srgb(VipsImage **im)
{
	VipsImage *next = NULL;

	if ((*im)->Type == VIPS_INTERPRETATION_sRGB && (*im)->Coding == VIPS_CODING_NONE)
		return 0;
	vips_colourspace(*im, &next, VIPS_INTERPRETATION_sRGB, NULL);
	return step(im, next);
}

static int to_8bit(VipsImage **im)
{
	VipsImage *next = NULL;

	if ((*im)->BandFmt == VIPS_FORMAT_UCHAR)
		return 0;
	vips_cast(*im, &next, VIPS_FORMAT_UCHAR, NULL);
	return step(im, next);
}

// Converts floats from 0 to 1 to 16 bits.
static int quantise(VipsImage **im)
{
	VipsImage *next = NULL;

	vips_linear1(*im, &next, 65535, 0.5, NULL);
	if (step(im, next))
		return -1;
	next = NULL;
	vips_cast(*im, &next, VIPS_FORMAT_USHORT, NULL);
	if (step(im, next))
		return -1;
	next = NULL;
	vips_copy(*im, &next, "interpretation",
		(*im)->Bands < 3 ? VIPS_INTERPRETATION_GREY16 : VIPS_INTERPRETATION_RGB16, NULL);
	return step(im, next);
}

static int box_shrink(VipsImage **im, int by)
{
	VipsImage *next = NULL;

	if (by <= 1)
		return 0;
	vips_shrink(*im, &next, by, by, NULL);
	return step(im, next);
}

// Applies a profile. A broken profile is ignored.
static int apply_profile(VipsImage **im, const void *profile, size_t len)
{
	VipsImage *next = NULL, *labelled = NULL;
	int failed;

	if (vips_copy(*im, &labelled, NULL))
		return -1;
	vips_image_set_blob_copy(labelled, VIPS_META_ICC_NAME, profile, len);
	failed = vips_icc_transform(labelled, &next, "srgb", "embedded", TRUE,
		"intent", VIPS_INTENT_PERCEPTUAL, "depth", 8, NULL);
	g_object_unref(labelled);
	if (failed) {
		vips_error_clear();
		return 0;
	}
	return step(im, next);
}

// Converts sRGB of 1 or 2 bands to 3 or 4, and drops further bands.
static int set_bands(VipsImage **im, gboolean alpha)
{
	VipsImage *next = NULL;
	int wanted = alpha ? 4 : 3;

	if ((*im)->Bands < 3) {
		VipsImage *grey = NULL, *last = NULL;

		if (vips_extract_band(*im, &grey, 0, NULL) || vips_extract_band(*im, &last, (*im)->Bands - 1, NULL)) {
			VIPS_UNREF(grey);
			return -1;
		}
		VipsImage *bands[4] = { grey, grey, grey, last };
		vips_bandjoin(bands, &next, wanted, NULL);
		g_object_unref(grey);
		g_object_unref(last);
		return step(im, next);
	}
	if ((*im)->Bands == wanted)
		return 0;
	vips_extract_band(*im, &next, 0, "n", wanted, NULL);
	return step(im, next);
}

int imaging_levels(VipsImage *im)
{
	return im->BandFmt == VIPS_FORMAT_UCHAR ? 256 : 65536;
}

// Keeps the upper 8 of 16 bits.
static int high_bits(VipsImage **im)
{
	VipsImage *next = NULL;

	vips_rshift_const1(*im, &next, 8, NULL);
	return step(im, next);
}

// Converts samples to light, and light to sRGB. Alpha is unchanged.
static int apply_light(VipsImage **im, gboolean alpha, const float *tables, const double *matrix)
{
	if (set_bands(im, alpha))
		return -1;

	VipsObject *scope = VIPS_OBJECT(vips_image_new());
	VipsImage **t = (VipsImage **) vips_object_local_array(scope, 8), *next = NULL;
	int levels = imaging_levels(*im);
	int failed = !(t[0] = vips_image_new_from_memory_copy(tables, sizeof(float) * 3 * levels, levels, 1, 3, VIPS_FORMAT_FLOAT)) ||
		!(t[1] = vips_image_new_matrix_from_array(3, 3, matrix, 9)) ||
		vips_extract_band(*im, &t[2], 0, "n", 3, NULL) || vips_maplut(t[2], &t[3], t[0], NULL) ||
		vips_recomb(t[3], &t[4], t[1], NULL) ||
		vips_copy(t[4], &t[5], "interpretation", VIPS_INTERPRETATION_scRGB, NULL) ||
		vips_colourspace(t[5], &t[6], VIPS_INTERPRETATION_sRGB, NULL);
	if (!failed && alpha)
		failed = vips_extract_band(*im, &t[7], 3, NULL) || (levels > 256 && high_bits(&t[7])) || to_8bit(&t[7]) ||
			vips_bandjoin2(t[6], t[7], &next, NULL);
	else if (!failed) {
		next = t[6];
		g_object_ref(next);
	}
	g_object_unref(scope);
	return step(im, failed ? NULL : next);
}

// Multiplies by alpha, so that transparent pixels' colours do not bleed when pixels are averaged.
static int premultiply(VipsImage **im, int shrink)
{
	VipsImage *next = NULL;

	vips_premultiply(*im, &next, "max_alpha", 255.0, NULL);
	if (step(im, next) || box_shrink(im, shrink))
		return -1;
	next = NULL;
	vips_rint(*im, &next, NULL);
	return step(im, next) || to_8bit(im) ? -1 : 0;
}

VipsImage *imaging_rgb(VipsImage *in, int top, int height, int shrink, const void *profile, size_t profile_len,
	const float *tables, const double *matrix)
{
	VipsImage *im = in, *next = NULL;
	gboolean alpha;
	int failed = 0;

	g_object_ref(im);
	if (height < im->Ysize) {
		vips_extract_area(im, &next, 0, top, im->Xsize, height, NULL);
		if (step(&im, next))
			return NULL;
	}
	if (is_colorimetric(im)) {
		profile = NULL; // it is equivalent
		failed = to_srgb(&im);
	}
	else if (imaging_samples(im) == IMAGING_FLOATS)
		failed = quantise(&im);
	if (failed)
		goto fail;
	alpha = vips_image_hasalpha(im);
	if ((!alpha && box_shrink(&im, shrink)) || (profile && apply_profile(&im, profile, profile_len)) ||
		(tables && apply_light(&im, alpha, tables, matrix)) ||
		to_srgb(&im) || to_8bit(&im) || set_bands(&im, alpha) || (alpha && premultiply(&im, shrink)))
		goto fail;
	return im;
fail:
	VIPS_UNREF(im);
	return NULL;
}

VipsImage *imaging_straight(VipsImage *in)
{
	VipsImage *im = in, *next = NULL;

	g_object_ref(im);
	gboolean alpha = vips_image_hasalpha(im);
	if (to_srgb(&im) || to_8bit(&im) || set_bands(&im, alpha))
		goto fail;
	if (!alpha) {
		vips_bandjoin_const1(im, &next, 255, NULL);
		if (step(&im, next))
			goto fail;
	}
	return im;
fail:
	VIPS_UNREF(im);
	return NULL;
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

	// On the caller's thread: for pictures this small, libvips' thread pool costs more than it saves.
	for (strip.height = STRIP; !result && strip.top < im->Ysize; strip.top += STRIP) {
		strip.height = VIPS_MIN(STRIP, im->Ysize - strip.top);
		result = vips_region_prepare_to(from, to, &strip, 0, strip.top);
	}
	VIPS_UNREF(to);
	VIPS_UNREF(from);
	VIPS_UNREF(memory);
	return result;
}
