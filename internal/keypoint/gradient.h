#include <stdint.h>

// The histogram of directions around a point, and the grid of its description: KP_GRID x KP_GRID cells of KP_BINS directions,
// of KP_SAMPLES x KP_SAMPLES samples.
enum { KP_DIRECTIONS = 36, KP_GRID = 4, KP_BINS = 8, KP_SAMPLES = 16 };

// kp_directions adds to hist the sizes of the gradients at the pixels left to right and top to bottom, which are no pixels of
// the edge, by their directions; across weighs columns, the first left, and down rows, the first top.
void kp_directions(const float *pix, int width, int left, int right, int top, int bottom, const float *across, const float *down,
	float *hist);

// kp_describe writes the bits of the description of the point x, y: samples lie unit pixels apart, turned by the angle whose
// sine and cosine are given, and are weighed by window.
void kp_describe(const float *pix, int width, int height, float x, float y, float unit, float sine, float cosine,
	const float *window, uint64_t *bits);
