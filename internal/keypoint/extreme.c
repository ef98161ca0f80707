#include "extreme.h"

#include <stddef.h>
#include <string.h>

#include "clones.h"

// Pixels that are compared together, as vectors of 16 bits.
enum { CHUNK = 16 };
typedef int16_t shorts __attribute__((vector_size(CHUNK * sizeof(int16_t)), aligned(2), may_alias));

#define AT(p) (*(const shorts *)(p))

// Marks the pixels that exceed their four neighbours in the plane and the two in scale, and says whether there are any. at is
// the first one's place in the planes.
static inline __attribute__((always_inline)) int mark(const int16_t *above, const int16_t *here, const int16_t *below,
	const int16_t *const *planes, ptrdiff_t at, int16_t least, int16_t *marks)
{
	shorts v = AT(here), l = AT(here - 1), r = AT(here + 1), u = AT(above), d = AT(below);
	shorts finer = AT(planes[1] + at) - AT(planes[0] + at), coarser = AT(planes[3] + at) - AT(planes[2] + at);
	shorts found = (v >= least & v > l & v > r & v > u & v > d & v > finer & v > coarser)
		| (v <= (int16_t)-least & v < l & v < r & v < u & v < d & v < finer & v < coarser);
	uint64_t any[CHUNK / 4];

	memcpy(any, &found, sizeof any);
	memcpy(marks, &found, sizeof found);
	return (any[0] | any[1] | any[2] | any[3]) != 0;
}

// The difference of two planes at a place from a pixel.
#define DIFF(s, place) (planes[(s) + 1][at + (place)] - planes[s][at + (place)])
#define THREE(is, s, place) (v is DIFF(s, (place) - 1) && v is DIFF(s, place) && v is DIFF(s, (place) + 1))
#define NINE(is, s) (THREE(is, s, -width) && THREE(is, s, 0) && THREE(is, s, width))
#define CORNERS(is) (v is DIFF(1, -width - 1) && v is DIFF(1, -width + 1) && v is DIFF(1, width - 1) && v is DIFF(1, width + 1))

static int is_extreme(const int16_t *const *planes, ptrdiff_t at, ptrdiff_t width)
{
	int v = DIFF(1, 0);

	return v > 0 ? CORNERS(>) && NINE(>, 0) && NINE(>, 2) : CORNERS(<) && NINE(<, 0) && NINE(<, 2);
}

CLONES int kp_extremes(const int16_t *const *planes, int width, int height, int border, int least, int16_t *rows, int32_t *at)
{
	const size_t stride = (size_t)width + CHUNK;
	int16_t marks[CHUNK];
	int n = 0;

	for (int y = border - 1; y < height - border + 1; y++) { // row y's differences, then the row before is looked at
		const int16_t *less = planes[1] + (size_t)y * width, *more = planes[2] + (size_t)y * width;
		int16_t *row = rows + y % 3 * stride;

		for (int x = 0; x < width; x++)
			row[x] = more[x] - less[x];
		if (y < border + 1)
			continue;
		const int16_t *above = rows + (y - 2) % 3 * stride, *here = rows + (y - 1) % 3 * stride;
		for (int x = border; x < width - border; x += CHUNK) {
			if (!mark(above + x, here + x, row + x, planes, (ptrdiff_t)(y - 1) * width + x, (int16_t)least, marks))
				continue;
			for (int i = 0; i < CHUNK && x + i < width - border; i++) {
				int32_t place = (y - 1) * width + x + i;

				if (marks[i] && is_extreme(planes, place, width))
					at[n++] = place;
			}
		}
	}
	return n;
}
