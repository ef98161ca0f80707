#include "extreme.h"

#include <stddef.h>

#include "clones.h"

// The three neighbours around p, and the nine.
#define THREE(is, p) ((v is (p)[-1]) & (v is (p)[0]) & (v is (p)[1]))
#define NINE(is, p) (THREE(is, (p) - width) & THREE(is, p) & THREE(is, (p) + width))
#define ALL(is) (NINE(is, below + x) & NINE(is, above + x) & THREE(is, here + x - width) & THREE(is, here + x + width) & \
	(v is here[x - 1]) & (v is here[x + 1]))

// Pixels that are looked at together: most are faint, and few of them have a neighbour that is not.
enum { CHUNK = 32 };

// Marks the extremes among a few pixels, and says whether there are any. Plain comparisons with all neighbours, which
// compilers do for many pixels at once.
static inline __attribute__((always_inline)) int mark(const float *restrict below, const float *restrict here, const float *restrict above,
	ptrdiff_t width, int n, float least, int32_t *restrict marks)
{
	int32_t any = 0;

	for (int x = 0; x < n; x++)
		any |= (here[x] >= least) | (here[x] <= -least);
	if (!any)
		return 0;
	any = 0;
	for (int x = 0; x < n; x++) {
		float v = here[x];

		any |= marks[x] = ((v >= least) & ALL(>)) | ((v <= -least) & ALL(<));
	}
	return any;
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
			int any = here_are == CHUNK ? mark(below + first, here + first, above + first, width, CHUNK, least, marks)
				: mark(below + first, here + first, above + first, width, here_are, least, marks);

			for (int i = 0; any && i < here_are; i++)
				if (marks[i])
					at[n++] = (int32_t)first + i;
		}
	return n;
}
