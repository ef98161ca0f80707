#include "gradient.h"

#include <math.h>
#include <string.h>

#include "clones.h"

enum { NUMBERS = KP_GRID * KP_GRID * KP_BINS, ALL = KP_SAMPLES * KP_SAMPLES };

typedef int32_t marks __attribute__((vector_size(LANES * sizeof(int32_t)), aligned(4), may_alias));

#define CHOSEN(which, yes, no) ((lanes)(((marks)(yes) & (which)) | ((marks)(no) & ~(which))))

// The angles of vectors in full turns, from 0 to 1, to a ten-thousandth of a radian (the polynomial of Abramowitz and Stegun,
// "Handbook of Mathematical Functions", 4.4.49, shortened), times a number. The last ones may be more than n.
static inline __attribute__((always_inline)) void angles(const float *gx, const float *gy, int n, float times, float *out)
{
	for (int i = 0; i < n; i += LANES) {
		lanes x = *(const lanes *)(gx + i), y = *(const lanes *)(gy + i);
		lanes ax = CHOSEN(x < 0, -x, x), ay = CHOSEN(y < 0, -y, y), most = CHOSEN(ax < ay, ay, ax);
		lanes a = CHOSEN(ax < ay, ax, ay) / CHOSEN(most == 0, 1 + most, most), s = a * a;
		lanes t = (((-0.0464964749f * s + 0.15931422f) * s - 0.327622764f) * s * a + a) / 6.2831853f;

		t = CHOSEN(ay > ax, 0.25f - t, t);
		t = CHOSEN(x < 0, 0.5f - t, t);
		t = CHOSEN(y < 0, 1 - t, t);
		*(lanes *)(out + i) = CHOSEN(t < 1 - 1e-6f, t, 0 * t + (1 - 1e-6f)) * times;
	}
}

// Pixels whose gradients are computed at a time.
enum { CHUNK = 32 };

CLONES void kp_directions(const float *pix, int width, int left, int right, int top, int bottom, const float *across, const float *down,
	float *hist)
{
	float gx[CHUNK] = { 0 }, gy[CHUNK] = { 0 }, bin[CHUNK];

	for (int y = top; y <= bottom; y++)
		for (int x = left; x <= right; x += CHUNK) {
			const float *here = pix + (size_t)y * width + x, *weights = across + (x - left);
			int n = right - x + 1 < CHUNK ? right - x + 1 : CHUNK;

			for (int i = 0; i < n; i++) {
				gx[i] = here[i + 1] - here[i - 1];
				gy[i] = here[i + width] - here[i - width];
			}
			angles(gx, gy, n, KP_DIRECTIONS, bin);
			for (int i = 0; i < n; i++)
				hist[(int)bin[i]] += sqrtf(gx[i] * gx[i] + gy[i] * gy[i]) * down[y - top] * weights[i];
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
	float gx[ALL], gy[ALL], along[ALL], beside[ALL], bin[ALL];

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
		along[s] = gx[s] * cosine + gy[s] * sine;
		beside[s] = gy[s] * cosine - gx[s] * sine;
	}
	angles(along, beside, ALL, KP_BINS, bin);

	// Each sample is spread over the cells and directions next to it; one more cell on each side is dropped.
	float hist[KP_GRID + 2][KP_GRID + 2][KP_BINS] = { 0 };
	for (int j = 0, s = 0; j < KP_SAMPLES; j++)
		for (int i = 0; i < KP_SAMPLES; i++, s++) {
			float column = (i - (KP_SAMPLES - 1) / 2.0f) * (KP_GRID + 1) / KP_SAMPLES + KP_GRID / 2.0f + 0.5f;
			float row = (j - (KP_SAMPLES - 1) / 2.0f) * (KP_GRID + 1) / KP_SAMPLES + KP_GRID / 2.0f + 0.5f;
			int c = (int)column, r = (int)row, b = (int)bin[s], next = (b + 1) % KP_BINS;
			float fc = column - c, fr = row - r, fb = bin[s] - b;
			float size = sqrtf(gx[s] * gx[s] + gy[s] * gy[s]) * window[s], upper = (1 - fr) * size, lower = fr * size;

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
