#include "extreme.h"

#include <stddef.h>

#include "clones.h"

// The three neighbours around p, and the nine.
#define THREE(is, p) ((v is (p)[-1]) & (v is (p)[0]) & (v is (p)[1]))
#define NINE(is, p) (THREE(is, (p) - width) & THREE(is, p) & THREE(is, (p) + width))
#define ALL(is) (NINE(is, below + x) & NINE(is, above + x) & THREE(is, here + x - width) & THREE(is, here + x + width) & \
	(v is here[x - 1]) & (v is here[x + 1]))

// Marks the extremes of one row. Plain comparisons with all neighbours, which compilers do for many pixels at once.
CLONES static void mark(const float *restrict below, const float *restrict here, const float *restrict above, ptrdiff_t width,
	int from, int to, float least, int32_t *restrict row)
{
	for (int x = from; x < to; x++) {
		float v = here[x];

		row[x] = ((v >= least) & ALL(>)) | ((v <= -least) & ALL(<));
	}
}

int kp_extremes(const float *below, const float *here, const float *above, int width, int height, int border, float least,
	int32_t *row, int32_t *at)
{
	int n = 0;

	for (int y = border; y < height - border; y++) {
		size_t first = (size_t)y * width;

		mark(below + first, here + first, above + first, width, border, width - border, least, row);
		for (int x = border; x < width - border; x++)
			if (row[x])
				at[n++] = (int32_t)first + x;
	}
	return n;
}
