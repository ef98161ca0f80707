#include "colours.h"

#include "samples.h"

CLONES void colours_luma(const uint8_t *rgb, size_t n, uint8_t *dst)
{
	// In 16-bit fixed point; the weights add up to one. Green's is split in two, because a weight has at most 15 bits.
	enum { RED = 19595, HALF_GREEN = 19235, BLUE = 7471, ROUND = 1 << 15 };
	const samples red_green = { RED, HALF_GREEN, RED, HALF_GREEN, RED, HALF_GREEN, RED, HALF_GREEN };
	const samples green_blue = { HALF_GREEN, BLUE, HALF_GREEN, BLUE, HALF_GREEN, BLUE, HALF_GREEN, BLUE };
	size_t i = 0;

	for (; i + ROWS + 2 <= n; i += ROWS) { // each four pixels are read as sixteen bytes
		sums four[2];
		for (int h = 0; h < 2; h++) {
			twice v, zero = { 0 };
			memcpy(&v, rgb + 3 * (i + 4 * h), sizeof v);
			samples rg = (samples) __builtin_shufflevector(v, zero, 0, 16, 1, 16, 3, 16, 4, 16, 6, 16, 7, 16, 9, 16, 10, 16);
			samples gb = (samples) __builtin_shufflevector(v, zero, 1, 16, 2, 16, 4, 16, 5, 16, 7, 16, 8, 16, 10, 16, 11, 16);
			four[h] = (weighted(rg, red_green) + weighted(gb, green_blue) + ROUND) >> 16;
		}
		bytes done = __builtin_convertvector(narrowed(four[0], four[1]), bytes);
		memcpy(dst + i, &done, sizeof done);
	}
	for (; i < n; i++)
		dst[i] = (uint8_t) ((rgb[3 * i] * RED + rgb[3 * i + 1] * 2 * HALF_GREEN + rgb[3 * i + 2] * BLUE + ROUND) >> 16);
}

// JFIF's factors (ITU-T T.871) with 14 fraction bits.
enum { BITS = 14, ONE = 1 << BITS, HALF = ONE / 2, CR_RED = 22970, CB_GREEN = -5638, CR_GREEN = -11700, CB_BLUE = 29032 };

// Rounds eight sums to bytes.
static inline __attribute__((always_inline)) bytes bytes_of(sums first, sums second)
{
	return __builtin_convertvector(clamped(narrowed(first >> BITS, second >> BITS)), bytes);
}

static uint8_t byte_of(int v)
{
	v >>= BITS;
	return v < 0 ? 0 : v > 255 ? 255 : v;
}

CLONES void colours_rgb(const uint8_t *y, const uint8_t *cb, const uint8_t *cr, size_t n, uint8_t *dst)
{
	const samples one = { 1, 1, 1, 1, 1, 1, 1, 1 };
	const samples red = { ONE, CR_RED, ONE, CR_RED, ONE, CR_RED, ONE, CR_RED };
	const samples green = { ONE, CB_GREEN, ONE, CB_GREEN, ONE, CB_GREEN, ONE, CB_GREEN };
	const samples rest = { CR_GREEN, HALF, CR_GREEN, HALF, CR_GREEN, HALF, CR_GREEN, HALF };
	const samples blue = { ONE, CB_BLUE, ONE, CB_BLUE, ONE, CB_BLUE, ONE, CB_BLUE };
	size_t i = 0;

	for (; i + ROWS <= n; i += ROWS, dst += 3 * ROWS) {
		bytes in[3];
		memcpy(&in[0], y + i, ROWS);
		memcpy(&in[1], cb + i, ROWS);
		memcpy(&in[2], cr + i, ROWS);
		samples l = __builtin_convertvector(in[0], samples);
		samples b = __builtin_convertvector(in[1], samples) - 128, r = __builtin_convertvector(in[2], samples) - 128;
		bytes out[4] = {
			bytes_of(weighted(FIRST_BY_TURNS(l, r), red) + HALF, weighted(SECOND_BY_TURNS(l, r), red) + HALF),
			bytes_of(weighted(FIRST_BY_TURNS(l, b), green) + weighted(FIRST_BY_TURNS(r, one), rest),
				weighted(SECOND_BY_TURNS(l, b), green) + weighted(SECOND_BY_TURNS(r, one), rest)),
			bytes_of(weighted(FIRST_BY_TURNS(l, b), blue) + HALF, weighted(SECOND_BY_TURNS(l, b), blue) + HALF),
		};
		twice planes[2];
		memcpy(planes, out, sizeof planes);
		twice pixels[2] = {
			__builtin_shufflevector(planes[0], planes[1], 0, 8, 16, 1, 9, 17, 2, 10, 18, 3, 11, 19, 4, 12, 20, 5),
			__builtin_shufflevector(planes[0], planes[1], 13, 21, 6, 14, 22, 7, 15, 23, 24, 24, 24, 24, 24, 24, 24, 24),
		};
		memcpy(dst, pixels, 3 * ROWS);
	}
	for (; i < n; i++, dst += 3) {
		int l = y[i] * ONE + HALF, b = cb[i] - 128, r = cr[i] - 128;
		dst[0] = byte_of(l + r * CR_RED);
		dst[1] = byte_of(l + b * CB_GREEN + r * CR_GREEN);
		dst[2] = byte_of(l + b * CB_BLUE);
	}
}
