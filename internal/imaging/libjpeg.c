#include "libjpeg.h"

#include "thin.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

_Static_assert(IMAGING_WHY >= JMSG_LENGTH_MAX, "a reason does not fit");

typedef struct {
	struct jpeg_error_mgr base;
	jmp_buf failed;
	char *why;
} errors;

static void fail(j_common_ptr info)
{
	errors *e = (errors *) info->err;

	e->base.format_message(info, e->why);
	longjmp(e->failed, 1);
}

static void ignore_message(j_common_ptr info, int level)
{
}

static void begin(j_decompress_ptr info)
{
}

static boolean ends_too_soon(j_decompress_ptr info)
{
	ERREXIT(info, JERR_INPUT_EOF);
	return FALSE;
}

static void skip(j_decompress_ptr info, long n)
{
	struct jpeg_source_mgr *src = info->src;

	if (n <= 0)
		return;
	if ((size_t) n > src->bytes_in_buffer)
		ERREXIT(info, JERR_INPUT_EOF);
	src->next_input_byte += n;
	src->bytes_in_buffer -= n;
}

int imaging_decode_jpeg(const void *buf, size_t len, int shrink, int *thin, int width, int height,
	unsigned char *dst, char *why)
{
	struct jpeg_decompress_struct info = { 0 };
	struct jpeg_source_mgr source = {
		.next_input_byte = buf, .bytes_in_buffer = len, .init_source = begin, .fill_input_buffer = ends_too_soon,
		.skip_input_data = skip, .resync_to_restart = jpeg_resync_to_restart, .term_source = begin,
	};
	errors e = { .why = why };
	JSAMPLE *volatile wide = NULL; // a row, where rows are wider than wanted
	unsigned char *volatile thinned = NULL; // the scan, if it was

	info.err = jpeg_std_error(&e.base);
	e.base.error_exit = fail;
	e.base.emit_message = ignore_message;
	if (setjmp(e.failed)) {
		jpeg_destroy_decompress(&info);
		free(wide);
		free(thinned);
		return -1;
	}
	jpeg_create_decompress(&info);
	info.src = &source;
	jpeg_read_header(&info, TRUE);
	info.scale_num = 1;
	info.scale_denom = shrink;
	info.out_color_space = JCS_RGB;
	jpeg_start_decompress(&info);
	// Sizes are shrunk upwards here and downwards by libvips, which leaves half a pixel away.
	int spare_width = (int) info.output_width - width, spare_height = (int) info.output_height - height;
	if (spare_width < 0 || spare_width > 1 || spare_height < 0 || spare_height > 1)
		ERREXIT(&info, JERR_BAD_DCTSIZE);
	if (spare_width && !(wide = malloc((size_t) info.output_width * 3)))
		ERREXIT1(&info, JERR_OUT_OF_MEMORY, 0);
	size_t left;
	if (*thin && (thinned = imaging_thin(&info, &left))) {
		source.next_input_byte = thinned;
		source.bytes_in_buffer = left;
	}
	*thin = thinned != NULL;
	for (int y = 0; y < height; y++) {
		JSAMPROW row = dst + (size_t) y * width * 3;

		jpeg_read_scanlines(&info, wide ? (JSAMPARRAY) &wide : &row, 1);
		if (wide)
			memcpy(row, wide, (size_t) width * 3);
	}
	jpeg_destroy_decompress(&info);
	free(wide);
	free(thinned);
	return 0;
}
