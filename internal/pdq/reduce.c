#include "reduce.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#if defined(__x86_64__) && defined(__GLIBC__)
#define CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define CLONES
#endif

CLONES static void add_line(float *restrict row, const uint8_t *restrict line, float weight, int n)
{
	for (int x = 0; x < n; x++)
		row[x] += weight * line[x];
}

void pdq_reduce(const uint8_t *luma, int width, const pdq_axis *across, const float *across_weights,
	const pdq_axis *down, const float *down_weights, float *row, float *samples)
{
	for (int y = 0; y < PDQ_GRID; y++) {
		for (int x = 0; x < width; x++)
			row[x] = 0;
		for (int k = 0; k < down->count[y]; k++)
			add_line(row, luma + (size_t)(down->first[y] + k) * width, down_weights[y * down->most + k], width);
		for (int x = 0; x < PDQ_GRID; x++) {
			const float *weights = across_weights + x * across->most, *from = row + across->first[x];
			float sum = 0;
			for (int k = 0; k < across->count[x]; k++)
				sum += weights[k] * from[k];
			*samples++ = sum;
		}
	}
}

// The difference in per cent of the range, truncated to an integer.
static inline __attribute__((always_inline)) int difference(float a, float b)
{
	return (int)(fabsf(a - b) * 100 / 255);
}

CLONES int pdq_differences(const float *samples)
{
	int sum = 0;

	for (int i = 0; i < PDQ_GRID * (PDQ_GRID - 1); i++)
		sum += difference(samples[i], samples[i + PDQ_GRID]);
	for (int y = 0; y < PDQ_GRID; y++, samples += PDQ_GRID)
		for (int x = 0; x + 1 < PDQ_GRID; x++)
			sum += difference(samples[x], samples[x + 1]);
	return sum;
}

CLONES static void add_rows(float *restrict row, const float *restrict samples, const float *restrict cosines)
{
	for (int y = 0; y < PDQ_GRID; y++)
		for (int x = 0; x < PDQ_GRID; x++)
			row[x] += cosines[y] * samples[y * PDQ_GRID + x];
}

void pdq_transform(const float *samples, const float *cosines, int frequencies, float *spectrum)
{
	for (int i = 0; i < frequencies; i++) {
		float row[PDQ_GRID] = { 0 };

		add_rows(row, samples, cosines + i * PDQ_GRID);
		for (int j = 0; j < frequencies; j++) {
			float sum = 0;
			for (int x = 0; x < PDQ_GRID; x++)
				sum += cosines[j * PDQ_GRID + x] * row[x];
			*spectrum++ = sum;
		}
	}
}

// Found bit by bit, as compares of all numbers are vectors' work and a sort is not.
CLONES float pdq_median(const float *spectrum)
{
	uint32_t keys[PDQ_COEFFICIENTS], found = 0;
	float median;

	memcpy(keys, spectrum, sizeof keys);
	for (int i = 0; i < PDQ_COEFFICIENTS; i++) // in the order of the numbers
		keys[i] ^= keys[i] >> 31 ? UINT32_MAX : 1u << 31;
	for (int bit = 31; bit >= 0; bit--) {
		uint32_t higher = found | 1u << bit;
		int below = 0;

		for (int i = 0; i < PDQ_COEFFICIENTS; i++)
			below += keys[i] < higher;
		if (below < PDQ_COEFFICIENTS / 2)
			found = higher;
	}
	found ^= found >> 31 ? 1u << 31 : UINT32_MAX;
	memcpy(&median, &found, sizeof median);
	return median;
}
