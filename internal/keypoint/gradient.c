#include "gradient.h"

#include <math.h>
#include <string.h>

#include "clones.h"

enum { NUMBERS = KP_GRID * KP_GRID * KP_BINS, ALL = KP_SAMPLES * KP_SAMPLES };

typedef int32_t marks __attribute__((vector_size(LANES * sizeof(int32_t)), aligned(4), may_alias));

#define CHOSEN(which, yes, no) ((lanes)(((marks)(yes) & (which)) | ((marks)(no) & ~(which))))

// The lengths of vectors, to a ten-millionth, times weights: by Newton's method for 1 / sqrt(v), as compilers call the library for
// each root, which may set errno. The last ones may be more than n.
static inline __attribute__((always_inline)) void lengths(const float *gx, const float *gy, const float *weights, int n, float *out)
{
	for (int i = 0; i < n; i += LANES) {
		lanes x = *(const lanes *)(gx + i), y = *(const lanes *)(gy + i), v = x * x + y * y;
		lanes r = (lanes)(0x5f375a86 - ((marks)v >> 1));

		for (int k = 0; k < 3; k++)
			r *= 1.5f - 0.5f * v * r * r;
		*(lanes *)(out + i) = v * r * *(const lanes *)(weights + i);
	}
}

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

// The values of a Gaussian at from, from + step and so on: each is the one before times a factor, which falls by the same factor each time.
static inline __attribute__((always_inline)) void gaussian(float *values, int n, float from, float step, float sigma)
{
	float k = -0.5f / (sigma * sigma), v = expf(k * from * from), times = expf(k * step * (2 * from + step)), less = expf(2 * k * step * step);

	for (int i = 0; i < n; i++, v *= times, times *= less)
		values[i] = v;
}

// Every STEP-th row is looked at, as the plane is blurred by more than that.
enum { STEP = 2, SIDE = 2 * KP_MOST_WINDOW + 1, WINDOW = SIDE * (SIDE / STEP + 1) + LANES };

// Histograms that are added to in turn: an addition need not wait for the one before it, which often is to the same number.
enum { APART = 4 };

CLONES void kp_directions(const int16_t *pix, int width, int height, float x, float y, float sigma, float *hist)
{
	float gx[WINDOW], gy[WINDOW], weight[WINDOW], bin[WINDOW], across[SIDE], down[SIDE], sums[APART][KP_DIRECTIONS] = { 0 };
	int32_t bins[WINDOW];
	int radius = (int)(2.25f * sigma + 0.5f), cx = (int)(x + 0.5f), cy = (int)(y + 0.5f), n = 0;
	int left = cx > radius + 1 ? cx - radius : 1, right = cx + radius < width - 2 ? cx + radius : width - 2;
	int top = cy > radius + 1 ? cy - radius : 1, bottom = cy + radius < height - 2 ? cy + radius : height - 2;

	gaussian(across, right - left + 1, left - x, 1, sigma);
	gaussian(down, (bottom - top) / STEP + 1, top - y, STEP, sigma);
	for (int row = top; row <= bottom; row += STEP) {
		const int16_t *here = pix + (size_t)row * width + left;

		for (int i = 0; i <= right - left; i++) {
			gx[n + i] = here[i + 1] - here[i - 1];
			gy[n + i] = here[i + width] - here[i - width];
			weight[n + i] = across[i] * down[(row - top) / STEP];
		}
		n += right - left + 1;
	}
	for (int i = n; i < n + LANES; i++)
		gx[i] = gy[i] = weight[i] = 0;
	angles(gx, gy, n, KP_DIRECTIONS, bin);
	lengths(gx, gy, weight, n, weight);
	for (int i = 0; i < n; i += LANES)
		*(marks *)(bins + i) = __builtin_convertvector(*(const lanes *)(bin + i), marks);
	for (int i = 0; i < n; i++)
		sums[i % APART][bins[i]] += weight[i];
	for (int i = 0; i < KP_DIRECTIONS; i++)
		hist[i] = sums[0][i] + sums[1][i] + sums[2][i] + sums[3][i];
}

// The 64th of 128 numbers that are not negative, to a 65,000th, found two bits at a time: as integers they are in the same order.
static inline __attribute__((always_inline)) float median(const float *all)
{
	int32_t numbers[NUMBERS], found = 0;
	float result;

	memcpy(numbers, all, sizeof numbers);
	for (int bit = 29; bit >= 7; bit -= 2) {
		int32_t one = found | 1 << bit, two = found | 2 << bit, three = found | 3 << bit, below = 0;

		for (int i = 0; i < NUMBERS; i++) // three counts of up to 128, in eight bits and more each
			below += (numbers[i] < one) + ((numbers[i] < two) << 10) + ((numbers[i] < three) << 20);
		if (below >> 20 < NUMBERS / 2)
			found = three;
		else if ((below >> 10 & 1023) < NUMBERS / 2)
			found = two;
		else if ((below & 1023) < NUMBERS / 2)
			found = one;
	}
	memcpy(&result, &found, sizeof result);
	return result;
}

CLONES void kp_describe(const int16_t *pix, int width, int height, float x, float y, const float *across, const float *down,
	const float *window, uint64_t *bits)
{
	float gx[ALL], gy[ALL], along[ALL], beside[ALL], bin[ALL], size[ALL];
	int32_t place[ALL], rise[ALL], fall[ALL]; // places are 0 outside of the plane and along its edge

	for (int j = 0; j < KP_SAMPLES; j++)
		for (int i = 0; i < KP_SAMPLES; i++) {
			float u = i - (KP_SAMPLES - 1) / 2.0f, v = j - (KP_SAMPLES - 1) / 2.0f;
			int px = (int)(x + u * across[0] + v * down[0] + 0.5f), py = (int)(y + u * across[1] + v * down[1] + 0.5f);

			place[j * KP_SAMPLES + i] = px >= 1 & py >= 1 & px < width - 1 & py < height - 1 ? py * width + px : 0;
		}
	for (int s = 0; s < ALL; s++) {
		const int16_t *here = pix + (place[s] ? place[s] : width + 1);

		rise[s] = here[1] - here[-1];
		fall[s] = here[width] - here[-width];
	}
	for (int s = 0; s < ALL; s++) {
		int32_t in = -(place[s] != 0);

		gx[s] = rise[s] & in;
		gy[s] = fall[s] & in;
	}
	for (int s = 0; s < ALL; s++) {
		along[s] = gx[s] * across[0] + gy[s] * across[1];
		beside[s] = gx[s] * down[0] + gy[s] * down[1];
	}
	angles(along, beside, ALL, KP_BINS, bin);
	lengths(along, beside, window, ALL, size);

	// Each sample is spread over the cells and directions next to it: first over the directions, which are the lanes of a vector,
	// and the two columns, then the sums of a row of samples over the two rows. One more cell on each side is dropped.
	const lanes number = { 0, 1, 2, 3, 4, 5, 6, 7 };
	lanes hist[KP_GRID + 2][KP_GRID + 2] = { 0 };
	for (int j = 0, s = 0; j < KP_SAMPLES; j++) {
		lanes columns[KP_GRID + 2] = { 0 };

#pragma GCC unroll 16
		for (int i = 0; i < KP_SAMPLES; i++, s++) {
			float column = (i - (KP_SAMPLES - 1) / 2.0f) * (KP_GRID + 1) / KP_SAMPLES + KP_GRID / 2.0f + 0.5f;
			int c = (int)column;
			lanes off = number - bin[s];

			off = CHOSEN(off < -KP_BINS / 2, off + KP_BINS, off); // from -4 to 7: the sample lies from 0 to 8
			off = CHOSEN(off < 0, -off, off);
			off = CHOSEN(off > KP_BINS / 2, KP_BINS - off, off);
			off = CHOSEN(off < 1, 1 - off, 0 * off) * size[s];
			columns[c] += off * (1 - (column - c));
			columns[c + 1] += off * (column - c);
		}
		float row = (j - (KP_SAMPLES - 1) / 2.0f) * (KP_GRID + 1) / KP_SAMPLES + KP_GRID / 2.0f + 0.5f;
		int r = (int)row;
		for (int c = 0; c < KP_GRID + 2; c++) {
			hist[r][c] += columns[c] * (1 - (row - r));
			hist[r + 1][c] += columns[c] * (row - r);
		}
	}
	float all[NUMBERS];
	for (int r = 0; r < KP_GRID; r++)
		memcpy(all + r * KP_GRID * KP_BINS, &hist[r + 1][1], KP_GRID * KP_BINS * sizeof(float));
	float middle = median(all);
	uint8_t above[NUMBERS];
	for (int i = 0; i < NUMBERS; i++)
		above[i] = all[i] > middle;
	for (int k = 0; k < NUMBERS / 64; k++) {
		bits[k] = 0;
		for (int i = 0; i < 64; i += 8) {
			uint64_t eight;

			memcpy(&eight, above + k * 64 + i, sizeof eight);
			bits[k] |= (eight * 0x0102040810204080) >> 56 << i; // the lowest bits of the bytes, side by side
		}
	}
}
