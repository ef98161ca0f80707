#ifndef PDQ_REDUCE_H
#define PDQ_REDUCE_H

#include <stdint.h>

enum { PDQ_GRID = 64, PDQ_COEFFICIENTS = 256 };

// For each sample along an axis: its first pixel, the number of its pixels, and their weights (most for each sample).
typedef struct {
	int32_t first[PDQ_GRID], count[PDQ_GRID];
	int32_t most;
} pdq_axis;

// Samples a plane of rows of width bytes on the grid; row is memory for width numbers.
void pdq_reduce(const uint8_t *luma, int width, const pdq_axis *across, const float *across_weights,
	const pdq_axis *down, const float *down_weights, float *row, float *samples);

// Transforms the samples: frequencies rows of PDQ_GRID cosines, applied to the columns and then to the rows.
void pdq_transform(const float *samples, const float *cosines, int frequencies, float *spectrum);

// Sums the differences between neighbouring samples, across and down, each in whole per cent of the range.
int pdq_differences(const float *samples);

// The lower of the two middle coefficients.
float pdq_median(const float *spectrum);

#endif
