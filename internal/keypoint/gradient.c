#include "gradient.h"

#include <math.h>
#include <string.h>

#include "clones.h"

enum { NUMBERS = KP_GRID * KP_GRID * KP_BINS, ALL = KP_SAMPLES * KP_SAMPLES };

// The angle of a vector in full turns, from 0 to 1, to a ten-thousandth of a radian (the polynomial of Abramowitz and Stegun,
// "Handbook of Mathematical Functions", 4.4.49, shortened). Without branches, so that compilers do it for many at once.
static inline __attribute__((always_inline)) float turns(float y, float x)
{
	float ax = fabsf(x), ay = fabsf(y), least = ax < ay ? ax : ay, most = ax < ay ? ay : ax;
	float a = least / (most < 1e-45f ? 1e-45f : most), s = a * a;
	float t = (((-0.0464964749f * s + 0.15931422f) * s - 0.327622764f) * s * a + a) / 6.2831853f;

	t = ay > ax ? 0.25f - t : t;
	t = x < 0 ? 0.5f - t : t;
	t = y < 0 ? 1 - t : t;
	return t < 1 - 1e-6f ? t : 1 - 1e-6f;
}

// Pixels whose gradients are computed at a time.
enum { CHUNK = 32 };

CLONES void kp_directions(const float *pix, int width, int left, int right, int top, int bottom, const float *across, const float *down,
	float *hist)
{
	float size[CHUNK];
	int bin[CHUNK];

	for (int y = top; y <= bottom; y++)
		for (int x = left; x <= right; x += CHUNK) {
			const float *here = pix + (size_t)y * width + x, *weights = across + (x - left);
			int n = right - x + 1 < CHUNK ? right - x + 1 : CHUNK;

			for (int i = 0; i < n; i++) {
				float gx = here[i + 1] - here[i - 1], gy = here[i + width] - here[i - width];
				size[i] = sqrtf(gx * gx + gy * gy) * down[y - top] * weights[i];
				bin[i] = (int)(turns(gy, gx) * KP_DIRECTIONS);
			}
			for (int i = 0; i < n; i++)
				hist[bin[i]] += size[i];
		}
}

// The 64th of 128 numbers that are not negative, found bit by bit: as integers they are in the same order.
static inline __attribute__((always_inline)) float median(const float *all)
{
	int32_t numbers[NUMBERS], found = 0;
	float result;

	memcpy(numbers, all, sizeof numbers);
	for (int bit = 30; bit >= 0; bit--) {
		int32_t higher = found | 1 << bit, below = 0;

		for (int i = 0; i < NUMBERS; i++)
			below += numbers[i] < higher;
		if (below < NUMBERS / 2)
			found = higher;
	}
	memcpy(&result, &found, sizeof result);
	return result;
}

CLONES void kp_describe(const float *pix, int width, int height, float x, float y, float unit, float sine, float cosine,
	const float *window, uint64_t *bits)
{
	float gx[ALL], gy[ALL], size[ALL], bin[ALL];

	for (int j = 0, s = 0; j < KP_SAMPLES; j++)
		for (int i = 0; i < KP_SAMPLES; i++, s++) {
			float u = i - (KP_SAMPLES - 1) / 2.0f, v = j - (KP_SAMPLES - 1) / 2.0f;
			int px = (int)(x + (u * cosine - v * sine) * unit + 0.5f), py = (int)(y + (u * sine + v * cosine) * unit + 0.5f);
			int inside = px >= 1 && py >= 1 && px < width - 1 && py < height - 1;
			const float *here = pix + (inside ? (size_t)py * width + px : (size_t)width + 1);

			gx[s] = inside ? here[1] - here[-1] : 0;
			gy[s] = inside ? here[width] - here[-width] : 0;
		}
	for (int s = 0; s < ALL; s++) {
		size[s] = sqrtf(gx[s] * gx[s] + gy[s] * gy[s]) * window[s];
		bin[s] = turns(gy[s] * cosine - gx[s] * sine, gx[s] * cosine + gy[s] * sine) * KP_BINS;
	}

	// Each sample is spread over the cells and directions next to it; one more cell on each side is dropped.
	float hist[KP_GRID + 2][KP_GRID + 2][KP_BINS] = { 0 };
	for (int j = 0, s = 0; j < KP_SAMPLES; j++)
		for (int i = 0; i < KP_SAMPLES; i++, s++) {
			float column = (i - (KP_SAMPLES - 1) / 2.0f) * (KP_GRID + 1) / KP_SAMPLES + KP_GRID / 2.0f + 0.5f;
			float row = (j - (KP_SAMPLES - 1) / 2.0f) * (KP_GRID + 1) / KP_SAMPLES + KP_GRID / 2.0f + 0.5f;
			int c = (int)column, r = (int)row, b = (int)bin[s], next = (b + 1) % KP_BINS;
			float fc = column - c, fr = row - r, fb = bin[s] - b;
			float upper = (1 - fr) * size[s], lower = fr * size[s];

			hist[r][c][b] += upper * (1 - fc) * (1 - fb);
			hist[r][c][next] += upper * (1 - fc) * fb;
			hist[r][c + 1][b] += upper * fc * (1 - fb);
			hist[r][c + 1][next] += upper * fc * fb;
			hist[r + 1][c][b] += lower * (1 - fc) * (1 - fb);
			hist[r + 1][c][next] += lower * (1 - fc) * fb;
			hist[r + 1][c + 1][b] += lower * fc * (1 - fb);
			hist[r + 1][c + 1][next] += lower * fc * fb;
		}
	float all[NUMBERS];
	for (int r = 0; r < KP_GRID; r++)
		memcpy(all + r * KP_GRID * KP_BINS, hist[r + 1][1], KP_GRID * KP_BINS * sizeof(float));
	float middle = median(all);
	for (int k = 0; k < NUMBERS / 64; k++) {
		bits[k] = 0;
		for (int i = 0; i < 64; i++)
			bits[k] |= (uint64_t)(all[k * 64 + i] > middle) << i;
	}
}
