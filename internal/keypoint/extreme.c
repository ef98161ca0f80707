#include "extreme.h"

#include <stddef.h>

#include "clones.h"

// The three neighbours around p, and the nine.
#define THREE(is, p) (v is (p)[-1] && v is (p)[0] && v is (p)[1])
#define NINE(is, p) (THREE(is, (p) - width) && THREE(is, p) && THREE(is, (p) + width))
#define BESIDE(is) ((v is here[x - 1]) & (v is here[x + 1]) & (v is here[x - width]) & (v is here[x + width]))
#define CORNERS(is) (v is here[-width - 1] && v is here[-width + 1] && v is here[width - 1] && v is here[width + 1])

// Pixels that are compared together.
enum { CHUNK = 16 };

// Marks the pixels that exceed their four neighbours in the plane, and says whether there are any. Plain comparisons, which
// compilers do for many pixels at once; one pixel in fifty is left.
static inline __attribute__((always_inline)) int32_t mark(const float *restrict here, ptrdiff_t width, int n, float least, int32_t *restrict marks)
{
	int32_t any = 0;

	for (int x = 0; x < n; x++) {
		float v = here[x];

		any |= marks[x] = ((v >= least) & BESIDE(>)) | ((v <= -least) & BESIDE(<));
	}
	return any;
}

static int is_extreme(const float *below, const float *here, const float *above, ptrdiff_t width)
{
	float v = *here;

	return v > 0 ? CORNERS(>) && NINE(>, below) && NINE(>, above) : CORNERS(<) && NINE(<, below) && NINE(<, above);
}

CLONES int kp_extremes(const float *below, const float *here, const float *above, int width, int height, int border, float least,
	int32_t *at)
{
	int32_t marks[CHUNK];
	int n = 0;

	for (int y = border; y < height - border; y++)
		for (int x = border; x < width - border; x += CHUNK) {
			size_t first = (size_t)y * width + x;
			// Compilers know how many a whole chunk is.
			int here_are = width - border - x < CHUNK ? width - border - x : CHUNK;

			if (!(here_are == CHUNK ? mark(here + first, width, CHUNK, least, marks) : mark(here + first, width, here_are, least, marks)))
				continue;
			for (int i = 0; i < here_are; i++)
				if (marks[i] && is_extreme(below + first + i, here + first + i, above + first + i, width))
					at[n++] = (int32_t)first + i;
		}
	return n;
}
