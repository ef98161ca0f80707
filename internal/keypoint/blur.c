#include "blur.h"

#include "clones.h"

static int clamp(int i, int n) { return i < 0 ? 0 : i >= n ? n - 1 : i; }

static inline __attribute__((always_inline)) void add_rows(float *restrict out, const float *restrict a, const float *restrict b, float weight, int n)
{
	for (int x = 0; x < n; x++)
		out[x] += weight * (a[x] + b[x]);
}

static inline __attribute__((always_inline)) void scale_row(float *restrict out, const float *restrict in, float weight, int n)
{
	for (int x = 0; x < n; x++)
		out[x] = weight * in[x];
}

CLONES void kp_blur(const float *in, float *out, float *line, int width, int height, const float *half, int radius)
{
	float *row = line + radius; // a row of the plane blurred down, with its ends repeated on both sides
	for (int y = 0; y < height; y++) {
		scale_row(row, in + (size_t)y * width, half[0], width);
		for (int k = 1; k <= radius; k++)
			add_rows(row, in + (size_t)clamp(y - k, height) * width, in + (size_t)clamp(y + k, height) * width, half[k], width);
		for (int k = 1; k <= radius; k++) {
			row[-k] = row[0];
			row[width - 1 + k] = row[width - 1];
		}
		float *to = out + (size_t)y * width;
		scale_row(to, row, half[0], width);
		for (int k = 1; k <= radius; k++)
			add_rows(to, row - k, row + k, half[k], width);
	}
}

CLONES void kp_subtract(float *restrict out, const float *restrict a, const float *restrict b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = a[i] - b[i];
}
