#include "blur.h"

#if defined(__x86_64__) && defined(__GLIBC__)
#define CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define CLONES
#endif

static int clamp(int i, int n) { return i < 0 ? 0 : i >= n ? n - 1 : i; }

CLONES static void add_rows(float *restrict out, const float *restrict a, const float *restrict b, float weight, int n)
{
	for (int x = 0; x < n; x++)
		out[x] += weight * (a[x] + b[x]);
}

CLONES static void scale_row(float *restrict out, const float *restrict in, float weight, int n)
{
	for (int x = 0; x < n; x++)
		out[x] = weight * in[x];
}

void kp_blur(const float *in, float *out, float *between, int width, int height, const float *half, int radius)
{
	for (int y = 0; y < height; y++) {
		float *row = between + (size_t)y * width;
		scale_row(row, in + (size_t)y * width, half[0], width);
		for (int k = 1; k <= radius; k++)
			add_rows(row, in + (size_t)clamp(y - k, height) * width, in + (size_t)clamp(y + k, height) * width, half[k], width);
	}
	for (int y = 0; y < height; y++) {
		const float *from = between + (size_t)y * width;
		float *row = out + (size_t)y * width;
		int edge = radius < width / 2 ? radius : (width + 1) / 2;
		scale_row(row, from, half[0], width);
		for (int k = 1; k <= radius; k++) {
			for (int x = 0; x < edge; x++) {
				row[x] += half[k] * (from[clamp(x - k, width)] + from[clamp(x + k, width)]);
				int m = width - 1 - x;
				if (m != x)
					row[m] += half[k] * (from[clamp(m - k, width)] + from[clamp(m + k, width)]);
			}
			if (width > 2 * edge)
				add_rows(row + edge, from + edge - k, from + edge + k, half[k], width - 2 * edge);
		}
	}
}

CLONES void kp_subtract(float *restrict out, const float *restrict a, const float *restrict b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = a[i] - b[i];
}
