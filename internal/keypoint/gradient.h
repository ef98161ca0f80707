#include <stdint.h>

// The histogram of directions around a point, and the grid of its description: KP_GRID x KP_GRID cells of KP_BINS directions,
// of KP_SAMPLES x KP_SAMPLES samples.
enum { KP_DIRECTIONS = 36, KP_GRID = 4, KP_BINS = 8, KP_SAMPLES = 12 };

// KP_MOST_WINDOW is the most that the window of kp_directions may reach, in pixels.
enum { KP_MOST_WINDOW = 20 };

// kp_directions writes to hist the sums of the gradients around x, y by their directions, weighed by a Gaussian of sigma pixels.
void kp_directions(const int16_t *pix, int width, int height, float x, float y, float sigma, float *hist);

// kp_describe writes the bits of the description of the point x, y: the rows and columns of samples lie as the vectors across and
// down say, in pixels, along which the gradients are taken too. They are weighed by window.
void kp_describe(const int16_t *pix, int width, int height, float x, float y, const float *across, const float *down,
	const float *window, uint64_t *bits);
