#include "blur.h"

#include "clones.h"

static int clamp(int i, int n) { return i < 0 ? 0 : i >= n ? n - 1 : i; }

// Pixels that are summed at a time, whose sums stay in registers.
enum { VECTORS = 4, CHUNK = LANES * VECTORS };

// out[x] = half[0] * before[0][x] + half[k] * (before[k][x] + after[k][x]) for each k up to radius.
static inline __attribute__((always_inline)) void weigh(float *restrict out, const float *const *before, const float *const *after,
	const float *half, int radius, int n)
{
	if (n < CHUNK) {
		for (int x = 0; x < n; x++)
			out[x] = half[0] * before[0][x];
		for (int k = 1; k <= radius; k++)
			for (int x = 0; x < n; x++)
				out[x] += half[k] * (before[k][x] + after[k][x]);
		return;
	}
	for (int i = 0; i < n; i += CHUNK) {
		int x = i + CHUNK <= n ? i : n - CHUNK; // the last ones overlap
		lanes sums[VECTORS];

		for (int v = 0; v < VECTORS; v++)
			sums[v] = half[0] * *(const lanes *)(before[0] + x + v * LANES);
		for (int k = 1; k <= radius; k++)
#pragma GCC unroll 4
			for (int v = 0; v < VECTORS; v++)
				sums[v] += half[k] * (*(const lanes *)(before[k] + x + v * LANES) + *(const lanes *)(after[k] + x + v * LANES));
		for (int v = 0; v < VECTORS; v++)
			*(lanes *)(out + x + v * LANES) = sums[v];
	}
}

CLONES void kp_blur(const float *in, float *out, float *diff, float *line, int width, int height, const float *half, int radius)
{
	float *row = line + radius; // a row of the plane blurred down, with its ends repeated on both sides
	const float *above[KP_MOST_RADIUS + 1], *below[KP_MOST_RADIUS + 1], *left[KP_MOST_RADIUS + 1], *right[KP_MOST_RADIUS + 1];

	for (int k = 0; k <= radius; k++) {
		left[k] = row - k;
		right[k] = row + k;
	}
	for (int y = 0; y < height; y++, out += width) {
		for (int k = 0; k <= radius; k++) {
			above[k] = in + (size_t)clamp(y - k, height) * width;
			below[k] = in + (size_t)clamp(y + k, height) * width;
		}
		weigh(row, above, below, half, radius, width);
		for (int k = 1; k <= radius; k++) {
			row[-k] = row[0];
			row[width - 1 + k] = row[width - 1];
		}
		weigh(out, left, right, half, radius, width);
		if (diff)
			for (int x = 0; x < width; x++)
				diff[(size_t)y * width + x] = out[x] - in[(size_t)y * width + x];
	}
}
