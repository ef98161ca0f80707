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

// Lines and columns of a component in one MCU.
static int lines(const jpeg_component_info *component)
{
	return component->v_samp_factor * BLOCK_HEIGHT(component);
}

static int columns(const jpeg_component_info *component)
{
	return component->h_samp_factor * BLOCK_WIDTH(component);
}

// Lays the components out one after the other, if they can stay separate.
static int lay_apart(j_decompress_ptr info, imaging_jpeg *how)
{
	const jpeg_component_info *luma = info->comp_info, *cb = luma + 1, *cr = luma + 2;

	how->across = how->down = 0;
	if (!how->apart || info->jpeg_color_space != JCS_YCbCr || info->num_components != 3)
		return 0;
	jpeg_calc_output_dimensions(info);
	int across = columns(luma) / columns(cb), down = lines(luma) / lines(cb);
	if (luma->h_samp_factor != info->max_h_samp_factor || luma->v_samp_factor != info->max_v_samp_factor ||
		columns(cb) != columns(cr) || lines(cb) != lines(cr) ||
		columns(luma) != columns(cb) * across || lines(luma) != lines(cb) * down ||
		columns(luma) > IMAGING_APART_SPARE || lines(luma) > IMAGING_APART_SPARE ||
		how->width / across < how->apart || how->height / down < how->apart)
		return 0;

	// Whole MCUs are written.
	size_t across_all = (info->output_width + columns(luma) - 1) / columns(luma);
	size_t down_all = (info->output_height + lines(luma) - 1) / lines(luma), end = 0;
	for (int c = 0; c < 3; c++) {
		how->components[c] = (imaging_component) { end, across_all * columns(luma + c) };
		end += how->components[c].stride * down_all * lines(luma + c);
	}
	if (end > (size_t) 3 * (how->width + IMAGING_APART_SPARE) * (how->height + IMAGING_APART_SPARE))
		return 0;
	how->across = across;
	how->down = down;
	info->raw_data_out = TRUE;
	return 1;
}

// Reads rows of MCUs until all needed lines are there.
static void read_apart(j_decompress_ptr info, const imaging_jpeg *how, unsigned char *dst)
{
	JSAMPROW rows[3][IMAGING_APART_SPARE];
	JSAMPARRAY components[3] = { rows[0], rows[1], rows[2] };

	for (size_t row = 0; info->output_scanline < (JDIMENSION) how->height; row++) {
		for (int c = 0; c < 3; c++) {
			const imaging_component *component = how->components + c;
			size_t n = lines(info->comp_info + c);

			for (size_t y = 0; y < n; y++)
				rows[c][y] = dst + component->offset + (row * n + y) * component->stride;
		}
		jpeg_read_raw_data(info, components, lines(info->comp_info));
	}
}

// Reads lines of RGB. libjpeg rounds shrunk sizes up and libvips rounds them down: the wide row holds the extra pixel.
static void read_rgb(j_decompress_ptr info, const imaging_jpeg *how, JSAMPROW wide, unsigned char *dst)
{
	for (int y = 0; y < how->height; y++, dst += (size_t) how->width * 3) {
		JSAMPROW row = wide ? wide : dst;

		jpeg_read_scanlines(info, &row, 1);
		if (wide)
			memcpy(dst, wide, (size_t) how->width * 3);
	}
}

int imaging_decode_jpeg(const void *buf, size_t len, imaging_jpeg *how, unsigned char *dst, char *why)
{
	struct jpeg_decompress_struct info = { 0 };
	struct jpeg_source_mgr source = {
		.next_input_byte = buf, .bytes_in_buffer = len, .init_source = begin, .fill_input_buffer = ends_too_soon,
		.skip_input_data = skip, .resync_to_restart = jpeg_resync_to_restart, .term_source = begin,
	};
	errors e = { .why = why };
	JSAMPLE *volatile wide = NULL; // a row, if rows are wider than needed
	unsigned char *volatile thinned = NULL; // the scan, if it was thinned

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
	info.scale_denom = how->shrink;
	info.out_color_space = JCS_RGB;
	int apart = lay_apart(&info, how);
	jpeg_start_decompress(&info);
	int spare_width = (int) info.output_width - how->width, spare_height = (int) info.output_height - how->height;
	if (spare_width < 0 || spare_width > 1 || spare_height < 0 || spare_height > 1)
		ERREXIT(&info, JERR_BAD_DCTSIZE);
	if (spare_width && !apart && !(wide = malloc((size_t) info.output_width * 3)))
		ERREXIT1(&info, JERR_OUT_OF_MEMORY, 0);
	size_t left;
	if (how->thin && (thinned = imaging_thin(&info, &left))) {
		source.next_input_byte = thinned;
		source.bytes_in_buffer = left;
	}
	how->thin = thinned != NULL;
	if (apart)
		read_apart(&info, how, dst);
	else
		read_rgb(&info, how, wide, dst);
	jpeg_destroy_decompress(&info);
	free(wide);
	free(thinned);
	return 0;
}
