#include <stdint.h>

// kp_extremes looks for points that are above all their 26 neighbours in place and scale, or below. planes are four of one
// size, each more blurred than the one before, whose differences are the three scales: points are of the middle one. It
// writes to at the places (row * width + column) that are border pixels and more from the edge, and whose difference is at
// least this size, and returns how many they are: at most half of the pixels. rows is room for 3 * (width + 16) numbers.
int kp_extremes(const int16_t *const *planes, int width, int height, int border, int least, int16_t *rows, int32_t *at);
