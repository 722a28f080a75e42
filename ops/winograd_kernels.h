/*
 * The transforms of F(4x4, 3x3), 16 channels at a time.
 *
 * The points of interpolation are 0, 5/8, -5/8, 3/2, -3/2 and infinity. The
 * error of Winograd's algorithm is that of the transforms, and hangs on the
 * points (Barabasz, Anderson, Soodhalter and Gregg, "Error Analysis and
 * Improving the Accuracy of Winograd Convolution for Deep Neural Networks",
 * 2020): pairs of opposite sign, around 1, with small exact values are best.
 * Of some twenty such sets, tried on random data of 128 channels against a
 * convolution in double precision, this has the least relative error, 1.0e-6;
 * the usual 0, 1, -1, 2, -2 has 2.3e-6, a direct convolution in f32 2.2e-7.
 *
 * With a = 5/8 and b = 3/2:
 *
 *         | a^2b^2  0      -a^2-b^2  0        1  0 |
 *         | 0      -a b^2  -b^2      a        1  0 |
 *   B^T = | 0       a b^2  -b^2     -a        1  0 |
 *         | 0      -a^2 b  -a^2      b        1  0 |
 *         | 0       a^2 b  -a^2     -b        1  0 |
 *         | 0       a^2b^2  0       -a^2-b^2  0  1 |
 *
 *         | 1/(a^2b^2)  0     0     |
 *         | p           p a   p a^2 |          | 1  1    1    1    1   0 |
 *     G = | p          -p a   p a^2 |   A^T =  | 0  a   -a    b   -b   0 |
 *         | q           q b   q b^2 |          | 0  a^2  a^2  b^2  b^2 0 |
 *         | q          -q b   q b^2 |          | 0  a^3 -a^3  b^3 -b^3 1 |
 *         | 0           0     1     |
 *
 *   p = 1/(2 a^2 (a^2 - b^2)),  q = 1/(2 b^2 (b^2 - a^2))
 *
 * Sums run over multiply-adds where the CPU has them (-ffp-contract=fast).
 * All pointers are to f32; counts of channels are multiples of 16.
 */
#ifndef FOVEA_OPS_WINOGRAD_KERNELS_H
#define FOVEA_OPS_WINOGRAD_KERNELS_H

#include <stdbool.h>
#include <stdint.h>

enum {
    FOVEA_WINOGRAD_LANES = 16,     /* channels in a vector; outputs of a panel of packed weights */
    FOVEA_WINOGRAD_DEPTH = 64,     /* channels between two rows of transformed inputs */
    FOVEA_WINOGRAD_MOST_ROWS = 28, /* of a product */
};

/* V = B^T d B of a 6x6 patch of `channels`; element i, j of V goes to v + (6i + j) step. */
void fovea_winograd_input(const float *x, int64_t pixel_stride, int64_t row_stride,
                          int64_t channels, float *v, int64_t step);

/*
 * Row `row` of U = G g G^T of a panel [channels][3][3][16]: element j of
 * channel c goes to u + j step + 16 c. What follows the panel is fetched into
 * the second cache on the way, a sixth of as much.
 */
void fovea_winograd_weights(const float *panel, int64_t channels, int row, float *u, int64_t step);

/*
 * m [rows][16] += v [rows][64] u [depth][16], of the first `depth` columns of v
 * (at most 64); with `fresh` m is what the product comes to. rows >= 1.
 */
void fovea_winograd_product(const float *v, const float *u, int64_t depth, int64_t rows, bool fresh,
                            float *m);

/*
 * Y = A^T M A + bias of a panel, [4][4] with pixels `stride` apart; element i, j
 * of M is at m + (6i + j) step.
 */
void fovea_winograd_output(const float *m, int64_t step, const float *bias, float *y,
                           int64_t stride);

#endif
