#include "blur.h"

#include "clones.h"

static int clamp(int i, int n) { return i < 0 ? 0 : i >= n ? n - 1 : i; }

// Rows that are summed: out[x] = half[0] * before[0][x] + half[k] * (before[k][x] + after[k][x]) for each k up to radius.
struct rows {
	const int16_t *before[KP_MOST_RADIUS + 1], *after[KP_MOST_RADIUS + 1];
};

typedef void weigher(int16_t *restrict out, const struct rows *rows, const int16_t *half, int radius, int n);

// The product in 1/32768, rounded, as one instruction of x86 and ARM has it.
static inline int16_t times(int16_t a, int16_t b) { return (int16_t)((((a * b) >> 14) + 1) >> 1); }

static void weigh(int16_t *restrict out, const struct rows *rows, const int16_t *half, int radius, int n)
{
	for (int x = 0; x < n; x++)
		out[x] = times(half[0], rows->before[0][x]);
	for (int k = 1; k <= radius; k++)
		for (int x = 0; x < n; x++)
			out[x] += times(half[k], (int16_t)(rows->before[k][x] + rows->after[k][x]));
}

static inline __attribute__((always_inline)) void blur(weigher *sum, const int16_t *in, int16_t *out, int16_t *line, int width, int height,
	const int16_t *half, int radius, int step)
{
	int16_t *row = line + radius * step; // a row of the plane blurred down, with its ends repeated on both sides
	struct rows down, across;

	for (int k = 0; k <= radius; k++) {
		across.before[k] = row - k * step;
		across.after[k] = row + k * step;
	}
	for (int y = 0; y < height; y++, out += width) {
		for (int k = 0; k <= radius; k++) {
			down.before[k] = in + (size_t)clamp(y - k * step, height) * width;
			down.after[k] = in + (size_t)clamp(y + k * step, height) * width;
		}
		sum(row, &down, half, radius, width);
		for (int k = 1; k <= radius * step; k++) {
			row[-k] = row[0];
			row[width - 1 + k] = row[width - 1];
		}
		sum(out, &across, half, radius, width);
	}
}

#if defined(__x86_64__)
#include <immintrin.h>

// Pixels that are summed at a time, whose sums stay in registers: in as many vectors as a row has room for.
enum { LANES_16 = 16, VECTORS = 4 };

__attribute__((target("avx2"), always_inline)) static inline void weigh_vectors(int vectors, int16_t *restrict out, const struct rows *rows,
	const int16_t *half, int radius, int n)
{
	const int chunk = vectors * LANES_16;

	for (int i = 0; i < n; i += chunk) {
		int x = i + chunk <= n ? i : n - chunk; // the last ones overlap
		__m256i sums[VECTORS], weight = _mm256_set1_epi16(half[0]);

#pragma GCC unroll 4
		for (int v = 0; v < vectors; v++)
			sums[v] = _mm256_mulhrs_epi16(weight, _mm256_loadu_si256((const __m256i *)(rows->before[0] + x + v * LANES_16)));
		for (int k = 1; k <= radius; k++) {
			const int16_t *before = rows->before[k] + x, *after = rows->after[k] + x;

			weight = _mm256_set1_epi16(half[k]);
#pragma GCC unroll 4
			for (int v = 0; v < vectors; v++) {
				__m256i both = _mm256_add_epi16(_mm256_loadu_si256((const __m256i *)(before + v * LANES_16)),
					_mm256_loadu_si256((const __m256i *)(after + v * LANES_16)));

				sums[v] = _mm256_add_epi16(sums[v], _mm256_mulhrs_epi16(weight, both));
			}
		}
#pragma GCC unroll 4
		for (int v = 0; v < vectors; v++)
			_mm256_storeu_si256((__m256i *)(out + x + v * LANES_16), sums[v]);
	}
}

__attribute__((target("avx2"))) static void weigh_wide(int16_t *restrict out, const struct rows *rows, const int16_t *half, int radius, int n)
{
	if (n >= VECTORS * LANES_16)
		weigh_vectors(VECTORS, out, rows, half, radius, n);
	else if (n >= LANES_16)
		weigh_vectors(1, out, rows, half, radius, n);
	else
		weigh(out, rows, half, radius, n);
}
#endif

void kp_blur(const int16_t *in, int16_t *out, int16_t *line, int width, int height, const int16_t *half, int radius,
	int step)
{
#if defined(__x86_64__)
	if (__builtin_cpu_supports("avx2")) {
		blur(weigh_wide, in, out, line, width, height, half, radius, step);
		return;
	}
#endif
	blur(weigh, in, out, line, width, height, half, radius, step);
}

CLONES void kp_load(const uint8_t *in, int16_t *out, int n, int middle, int per_level)
{
	for (int i = 0; i < n; i++)
		out[i] = (int16_t)((in[i] - middle) * per_level);
}

CLONES void kp_halve(const int16_t *in, int16_t *out, int width, int height)
{
	for (int y = 0; y < height / 2; y++, out += width / 2)
		for (int x = 0; x < width / 2; x++)
			out[x] = in[(size_t)2 * y * width + 2 * x];
}
