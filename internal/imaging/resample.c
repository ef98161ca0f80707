#include "resample.h"

#include "samples.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// Weights have 14 fraction bits, samples between the two passes 6. Cubic and lanczos overshoot 0..255 by less than half, so
// that these samples fit into 16 bits and sums into 32.
#define WEIGHT_BITS 14
#define BETWEEN_BITS 6

// The inputs of each output along one axis: count weights from the input first on, then at least one weight of 0.
typedef struct {
	int *first, *count;
	int16_t *weights; // most per output
	int most;
} axis;

static void axis_free(axis *a)
{
	free(a->first);
	free(a->count);
	free(a->weights);
}

static double kernel_support(int kernel)
{
	switch (kernel) {
	case RESAMPLE_NEAREST:
		return 0;
	case RESAMPLE_LINEAR:
		return 1;
	case RESAMPLE_LANCZOS3:
		return 3;
	default:
		return 2;
	}
}

static double sinc(double x)
{
	return x == 0 ? 1 : sin(M_PI * x) / (M_PI * x);
}

// Pillow's kernels; cubic has a = -0.5 (Keys 1981, Catmull-Rom). Computes n values from the distance x on. There are no
// clones for other processors, because fused multiply-adds would change the bytes.
static void kernel_at(int kernel, double x, double step, int n, double *w)
{
	for (int k = 0; k < n; k++) {
		double d = fabs(x + k * step);

		if (kernel == RESAMPLE_LINEAR) {
			w[k] = d < 1 ? 1 - d : 0;
		} else if (kernel == RESAMPLE_LANCZOS3) {
			w[k] = d < 3 ? sinc(d) * sinc(d / 3) : 0;
		} else {
			double inner = (1.5 * d - 2.5) * d * d + 1, outer = ((-0.5 * d + 2.5) * d - 4) * d + 2;
			w[k] = d < 1 ? inner : d < 2 ? outer : 0;
		}
	}
}

// Rounds weights to integers.
static void kernel_round(const double *w, int n, double unit, int16_t *fixed)
{
	for (int k = 0; k < n; k++) {
		double v = w[k] * unit;
		fixed[k] = (int16_t) (v + (v < 0 ? -0.5 : 0.5));
	}
}

// Weights for outputs [from, from+n) of an axis of in samples, of which length from begin on are scaled to out. Shrinking
// stretches the kernel by the factor, so that every input counts (antialiasing).
static int axis_make(axis *a, int in, double begin, double length, int out, int from, int n, int kernel)
{
	double scale = length / out, stretch = scale > 1 ? scale : 1;
	double support = kernel_support(kernel) * stretch;

	a->most = (int) ceil(support) * 2 + 2;
	a->first = malloc(n * sizeof(int));
	a->count = malloc(n * sizeof(int));
	a->weights = calloc((size_t) n * a->most, sizeof(int16_t));
	double *w = malloc(a->most * sizeof(double));
	if (!a->first || !a->count || !a->weights || !w) {
		free(w);
		return -1;
	}

	for (int i = 0; i < n; i++) {
		double centre = begin + (from + i + 0.5) * scale, sum = 0;
		int first = (int) floor(centre), count = 1, rest = 1 << WEIGHT_BITS, nearest = 0;
		w[0] = 1;
		if (kernel != RESAMPLE_NEAREST) {
			first = (int) floor(centre - support + 0.5);
			int end = (int) floor(centre + support + 0.5);
			first = first < 0 ? 0 : first;
			count = (end > in ? in : end) - first;
			kernel_at(kernel, (first + 0.5 - centre) / stretch, 1 / stretch, count, w);
			nearest = (int) floor(centre) - first;
		}
		for (int k = 0; k < count; k++)
			sum += w[k];
		// The rounded weights must add up to exactly one, so that a flat area keeps its level.
		int16_t *fixed = a->weights + (size_t) i * a->most;
		kernel_round(w, count, (1 << WEIGHT_BITS) / sum, fixed);
		for (int k = 0; k < count; k++)
			rest -= fixed[k];
		fixed[nearest] += rest;
		a->first[i] = first < in ? first : in - 1;
		a->count[i] = count;
	}
	free(w);
	return 0;
}

// Transposes eight rows of eight samples, by three perfect shuffles of the rows.
static inline __attribute__((always_inline)) void transpose(samples *m)
{
	samples rows[ROWS], shuffled[ROWS];

	memcpy(rows, m, sizeof rows);
#pragma GCC unroll 3
	for (int turn = 0; turn < 3; turn++) {
#pragma GCC unroll 4
		for (int i = 0; i < ROWS / 2; i++) {
			shuffled[2 * i] = FIRST_BY_TURNS(rows[i], rows[i + 4]);
			shuffled[2 * i + 1] = SECOND_BY_TURNS(rows[i], rows[i + 4]);
		}
		memcpy(rows, shuffled, sizeof rows);
	}
	memcpy(m, rows, sizeof rows);
}

// Interleaves ROWS rows of n samples (a multiple of ROWS): columns[i] holds the i-th sample of each.
CLONES static void lay_side_by_side(const int16_t *rows, int n, samples *columns)
{
	for (int x = 0; x < n; x += ROWS) {
		for (int r = 0; r < ROWS; r++)
			memcpy(&columns[x + r], rows + (size_t) r * n + x, sizeof(samples));
		transpose(columns + x);
	}
}

#ifdef WIDER
// sum_rows for n >= 32 samples, 32 at a time; the last vector overlaps. On vectors twice as wide, the instructions that
// interleave and narrow work on each half, so that their results fit together.
WIDER static void sum_rows_wider(const uint8_t *src, size_t stride, const int16_t *weights, int count, int n, int16_t *out)
{
	const int shift = WEIGHT_BITS - BETWEEN_BITS;
	const __m256i zero = _mm256_setzero_si256(), round = _mm256_set1_epi32(1 << (shift - 1));

	for (int i = 0; i < n; i += 32) {
		int x = i + 32 <= n ? i : n - 32;
		const uint8_t *row = src + x;
		__m256i a = round, b = round, c = round, d = round;
		for (int k = 0; k < count; k += 2, row += 2 * stride) {
			int32_t two;
			memcpy(&two, weights + k, sizeof two);
			__m256i pair = _mm256_set1_epi32(two), upper = _mm256_loadu_si256((const __m256i *) row);
			__m256i lower = _mm256_loadu_si256((const __m256i *) (k + 1 < count ? row + stride : row));
			__m256i first = _mm256_unpacklo_epi8(upper, lower), second = _mm256_unpackhi_epi8(upper, lower);
			a = _mm256_add_epi32(a, _mm256_madd_epi16(_mm256_unpacklo_epi8(first, zero), pair));
			b = _mm256_add_epi32(b, _mm256_madd_epi16(_mm256_unpackhi_epi8(first, zero), pair));
			c = _mm256_add_epi32(c, _mm256_madd_epi16(_mm256_unpacklo_epi8(second, zero), pair));
			d = _mm256_add_epi32(d, _mm256_madd_epi16(_mm256_unpackhi_epi8(second, zero), pair));
		}
		__m256i left = _mm256_packs_epi32(_mm256_srai_epi32(a, shift), _mm256_srai_epi32(b, shift));
		__m256i right = _mm256_packs_epi32(_mm256_srai_epi32(c, shift), _mm256_srai_epi32(d, shift));
		_mm256_storeu_si256((__m256i *) (out + x), _mm256_permute2x128_si256(left, right, 0x20));
		_mm256_storeu_si256((__m256i *) (out + x + 16), _mm256_permute2x128_si256(left, right, 0x31));
	}
}
#endif

// One row of sums over rows: n samples, from 8 bits to BETWEEN_BITS fraction bits. It takes two rows at a time. If their
// number is odd, the last is paired with itself, with weight 0.
CLONES static void sum_rows(const uint8_t *src, size_t stride, const int16_t *weights, int count, int n, int16_t *out)
{
	const int shift = WEIGHT_BITS - BETWEEN_BITS, round = 1 << (shift - 1);
	const twice zero = { 0 }; // bytes interleaved with it are 16-bit numbers on a little-endian machine
	int x = 0;

#ifdef WIDER
	if (n >= 32 && __builtin_cpu_supports("avx2")) {
		sum_rows_wider(src, stride, weights, count, n, out);
		return;
	}
#endif
	for (; x + 2 * ROWS <= n; x += 2 * ROWS) {
		const uint8_t *row = src + x;
		sums a = (sums) { 0 } + round, b = a, c = a, d = a;
		for (int k = 0; k < count; k += 2, row += 2 * stride) {
			samples pair = pair_of(weights + k);
			twice upper, lower;
			memcpy(&upper, row, sizeof upper);
			memcpy(&lower, k + 1 < count ? row + stride : row, sizeof lower);
			twice first = FIRST_BYTES_BY_TURNS(upper, lower), second = SECOND_BYTES_BY_TURNS(upper, lower);
			a += weighted((samples) FIRST_BYTES_BY_TURNS(first, zero), pair);
			b += weighted((samples) SECOND_BYTES_BY_TURNS(first, zero), pair);
			c += weighted((samples) FIRST_BYTES_BY_TURNS(second, zero), pair);
			d += weighted((samples) SECOND_BYTES_BY_TURNS(second, zero), pair);
		}
		samples done[2] = { narrowed(a >> shift, b >> shift), narrowed(c >> shift, d >> shift) };
		memcpy(out + x, done, sizeof done);
	}
	for (; x < n; x++) {
		int sum = round;
		for (int k = 0; k < count; k++)
			sum += weights[k] * src[k * stride + x];
		out[x] = (int16_t) (sum >> shift);
	}
}

// One row of outputs for each of the rows in columns, whose first sample is the input offset. It takes two samples at a
// time. If their number is odd, the last is paired with the one after it, with weight 0.
CLONES static void sum_columns(const samples *columns, int offset, int bands, const axis *a, int n, samples *out)
{
	const int shift = WEIGHT_BITS + BETWEEN_BITS;

	for (int i = 0; i < n; i++) {
		const int16_t *weights = a->weights + (size_t) i * a->most;
		for (int band = 0; band < bands; band++) {
			const samples *column = columns + (size_t) (a->first[i] - offset) * bands + band;
			sums first = (sums) { 0 } + (1 << (shift - 1)), second = first;
			for (int k = 0; k < a->count[i]; k += 2, column += 2 * bands) {
				samples pair = pair_of(weights + k);
				first += weighted(FIRST_BY_TURNS(column[0], column[bands]), pair);
				second += weighted(SECOND_BY_TURNS(column[0], column[bands]), pair);
			}
			*out++ = clamped(narrowed(first >> shift, second >> shift));
		}
	}
}

// Writes interleaved outputs as rows of n bytes. Their number is n rounded up to a multiple of ROWS.
CLONES static void lay_in_rows(samples *columns, int n, int rows, uint8_t *dst)
{
	for (int x = 0; x < n; x += ROWS) {
		transpose(columns + x);
		for (int r = 0; r < rows; r++) {
			bytes row = __builtin_convertvector(columns[x + r], bytes);
			memcpy(dst + (size_t) r * n + x, &row, n - x < ROWS ? n - x : ROWS);
		}
	}
}

// Copies a part of a plane.
static void copy(const resample_source *src, const uint8_t *pixels, int left, int top, int width, int height, uint8_t *dst)
{
	size_t length = (size_t) width * src->bands;

	for (int y = top; y < top + height; y++, dst += length)
		memcpy(dst, pixels + y * src->stride + (size_t) left * src->bands, length);
}

// Weights and buffers for scaling planes.
typedef struct {
	axis across, down;
	int begin, n, stride; // the columns of the crop: the first, their samples, and these rounded up to a multiple of ROWS
	int16_t *rows;
	samples *columns, *out;
} scaler;

static int scaler_make(scaler *s, const resample_source *src, int width, int height, int kernel,
	int left, int top, int crop_width, int crop_height)
{
	int last = crop_width - 1;

	if (axis_make(&s->across, src->width, src->x, src->across, width, left, crop_width, kernel) ||
		axis_make(&s->down, src->height, src->y, src->down, height, top, crop_height, kernel))
		return -1;
	s->begin = s->across.first[0];
	s->n = (s->across.first[last] + s->across.count[last] - s->begin) * src->bands;
	s->stride = UP_TO_ROWS(s->n);
	s->rows = calloc((size_t) ROWS * s->stride, sizeof(int16_t));
	s->columns = aligned_alloc(64, (size_t) UP_TO_ROWS(s->stride + src->bands) * sizeof(samples)); // including the sample after the last
	s->out = aligned_alloc(64, (size_t) UP_TO_ROWS(crop_width * src->bands) * sizeof(samples));
	if (!s->rows || !s->columns || !s->out)
		return -1;
	memset(s->columns + s->stride, 0, src->bands * sizeof(samples));
	return 0;
}

static void scaler_free(scaler *s)
{
	axis_free(&s->across);
	axis_free(&s->down);
	free(s->rows);
	free(s->columns);
	free(s->out);
}

// The first pass runs along memory, over rows.
static void scale(scaler *s, const resample_source *src, const uint8_t *pixels, int crop_width, int crop_height, uint8_t *dst)
{
	for (int y = 0; y < crop_height; y += ROWS) {
		int here = crop_height - y < ROWS ? crop_height - y : ROWS;
		for (int r = 0; r < here; r++)
			sum_rows(pixels + s->down.first[y + r] * src->stride + (size_t) s->begin * src->bands, src->stride,
				s->down.weights + (size_t) (y + r) * s->down.most, s->down.count[y + r], s->n, s->rows + (size_t) r * s->stride);
		lay_side_by_side(s->rows, s->stride, s->columns);
		sum_columns(s->columns, s->begin, src->bands, &s->across, crop_width, s->out);
		lay_in_rows(s->out, crop_width * src->bands, here, dst);
		dst += (size_t) ROWS * crop_width * src->bands;
	}
}

int resample(const resample_source *src, int width, int height, int kernel,
	int left, int top, int crop_width, int crop_height, uint8_t *dst)
{
	scaler s = { 0 };
	size_t made = (size_t) crop_width * crop_height * src->bands;
	int as_it_is = width == src->across && height == src->down && !src->x && !src->y; // in which case every kernel copies
	int result = as_it_is ? 0 : scaler_make(&s, src, width, height, kernel, left, top, crop_width, crop_height);

	for (int plane = 0; plane < src->planes && !result; plane++, dst += made) {
		const uint8_t *pixels = src->pixels + plane * src->next;

		if (as_it_is)
			copy(src, pixels, left, top, crop_width, crop_height, dst);
		else
			scale(&s, src, pixels, crop_width, crop_height, dst);
	}
	scaler_free(&s);
	return result;
}

void resample_turn(const resample_source *src, int orientation, uint8_t *dst)
{
	// Byte offsets to the right and lower neighbour in the turned picture.
	ptrdiff_t x = src->bands, y = (ptrdiff_t) src->stride;
	const uint8_t *p = src->pixels;
	int width = src->width, height = src->height;

	if (orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8) {
		p += (src->width - 1) * x;
		x = -x;
	}
	if (orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7) {
		p += (src->height - 1) * y;
		y = -y;
	}
	if (orientation >= 5) {
		ptrdiff_t swap = x;
		x = y, y = swap;
		width = src->height, height = src->width;
	}
	for (int j = 0; j < height; j++, p += y) {
		const uint8_t *q = p;
		for (int i = 0; i < width; i++, q += x)
			for (int band = 0; band < src->bands; band++)
				*dst++ = q[band];
	}
}
