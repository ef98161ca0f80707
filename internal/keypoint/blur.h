#include <stdint.h>
#include <stdlib.h>

enum { KP_MOST_RADIUS = 16 };

// kp_blur writes to out the width x height plane in, convolved along both axes with a symmetric kernel of 2 radius + 1
// weights in 1/32768, step pixels apart, of which half holds the middle one and those to its right. Beyond the edge the edge's
// value counts. Pixels are from -16384 to 16383; each is within 5 of the exact sum. line is room for width + 2 radius step
// numbers. radius is at most KP_MOST_RADIUS.
void kp_blur(const int16_t *in, int16_t *out, int16_t *line, int width, int height, const int16_t *half, int radius, int step);

// kp_load writes the pixels of n bytes, per_level for each level above the middle one.
void kp_load(const uint8_t *in, int16_t *out, int n, int middle, int per_level);

// kp_halve writes every other pixel of every other row of the width x height plane in.
void kp_halve(const int16_t *in, int16_t *out, int width, int height);
