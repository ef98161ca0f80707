#include <stdlib.h>

enum { KP_MOST_RADIUS = 16 };

// kp_blur writes to out the width x height plane in, convolved along both axes with a symmetric kernel of 2 radius + 1
// weights, of which half holds the middle one and those to its right. Beyond the edge the edge's value counts. line is
// room for width + 2 radius numbers. diff, where it is not NULL, gets out less in. radius is at most KP_MOST_RADIUS.
void kp_blur(const float *in, float *out, float *diff, float *line, int width, int height, const float *half, int radius);
