#include <stdint.h>

// kp_extremes writes to at the places (row * width + column) in the plane here, border pixels and more from its edge, of at
// least this size that are above all their 26 neighbours in here, below and above, or whose negative is. It returns how
// many they are, at most half of the pixels.
int kp_extremes(const float *below, const float *here, const float *above, int width, int height, int border, float least,
	int32_t *at);
