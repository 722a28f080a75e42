/* The transforms of F(4x4, 3x3): see winograd_kernels.h. */
#include "ops/winograd_kernels.h"

#include "runtime/portability.h"

#include <string.h>

#define LANES FOVEA_WINOGRAD_LANES

/* Powers of the points, exact in f32, and the scales of G's middle rows. */
#define A1 0.625f
#define A2 0.390625f
#define A3 0.244140625f
#define B1 1.5f
#define B2 2.25f
#define B3 3.375f
#define PROD2 (A2 * B2)
#define SUM2 (A2 + B2)
#define SCALE_A (1 / (2 * A2 * (A2 - B2)))
#define SCALE_B (1 / (2 * B2 * (B2 - A2)))

typedef fovea_f32x16 vec;

FOVEA_INLINE void load(const float *from, vec *v) {
    memcpy(v, from, sizeof(*v));
}

FOVEA_INLINE void store(float *to, const vec *v) {
    memcpy(to, v, sizeof(*v));
}

/* v = B^T d */
FOVEA_INLINE void times_b(const vec d[6], vec v[6]) {
    vec even = d[4] - B2 * d[2], odd = A1 * (d[3] - B2 * d[1]);
    v[0] = PROD2 * d[0] + (d[4] - SUM2 * d[2]);
    v[1] = even + odd;
    v[2] = even - odd;
    even = d[4] - A2 * d[2];
    odd = B1 * (d[3] - A2 * d[1]);
    v[3] = even + odd;
    v[4] = even - odd;
    v[5] = PROD2 * d[1] + (d[5] - SUM2 * d[3]);
}

/* u = G g */
FOVEA_INLINE void times_g(const vec g[3], vec u[6]) {
    vec even = SCALE_A * (g[0] + A2 * g[2]), odd = (A1 * SCALE_A) * g[1];
    u[0] = (1 / PROD2) * g[0];
    u[1] = even + odd;
    u[2] = even - odd;
    even = SCALE_B * (g[0] + B2 * g[2]);
    odd = (B1 * SCALE_B) * g[1];
    u[3] = even + odd;
    u[4] = even - odd;
    u[5] = g[2];
}

/* y = A^T m */
FOVEA_INLINE void times_a(const vec m[6], vec y[4]) {
    vec even_a = m[1] + m[2], odd_a = m[1] - m[2];
    vec even_b = m[3] + m[4], odd_b = m[3] - m[4];
    y[0] = m[0] + even_a + even_b;
    y[1] = A1 * odd_a + B1 * odd_b;
    y[2] = A2 * even_a + B2 * even_b;
    y[3] = A3 * odd_a + B3 * odd_b + m[5];
}

FOVEA_KERNEL void fovea_winograd_input(const float *x, int64_t pixel_stride, int64_t row_stride,
                                       int64_t channels, float *v, int64_t step) {
    for (int64_t c = 0; c < channels; c += LANES) {
        vec half[6][6], in[6], out[6];
        for (int j = 0; j < 6; j++) {
            for (int i = 0; i < 6; i++) {
                load(x + i * row_stride + j * pixel_stride + c, &in[i]);
            }
            times_b(in, out);
            for (int i = 0; i < 6; i++) {
                half[i][j] = out[i];
            }
        }
        for (int i = 0; i < 6; i++) {
            times_b(half[i], out);
            for (int j = 0; j < 6; j++) {
                store(v + (6 * i + j) * step + c, &out[j]);
            }
        }
    }
}

FOVEA_KERNEL void fovea_winograd_weights(const float *panel, int64_t channels, float *u,
                                         int64_t row, int64_t step) {
    for (int64_t c = 0; c < channels; c++, panel += 9 * LANES, u += row) {
        vec half[6][3], in[3], out[6];
        for (int j = 0; j < 3; j++) {
            for (int i = 0; i < 3; i++) {
                load(panel + (3 * i + j) * LANES, &in[i]);
            }
            times_g(in, out);
            for (int i = 0; i < 6; i++) {
                half[i][j] = out[i];
            }
        }
        for (int i = 0; i < 6; i++) {
            times_g(half[i], out);
            for (int j = 0; j < 6; j++) {
                store(u + (6 * i + j) * step, &out[j]);
            }
        }
    }
}

FOVEA_KERNEL void fovea_winograd_output(const float *m, int64_t step, int64_t outputs,
                                        const float *bias, float *y) {
    for (int64_t k = 0; k < outputs; k += LANES) {
        vec half[4][6], in[6], out[4], b;
        load(bias + k, &b);
        for (int j = 0; j < 6; j++) {
            for (int i = 0; i < 6; i++) {
                load(m + (6 * i + j) * step + k, &in[i]);
            }
            times_a(in, out);
            for (int i = 0; i < 4; i++) {
                half[i][j] = out[i];
            }
        }
        for (int i = 0; i < 4; i++) {
            times_a(half[i], out);
            for (int j = 0; j < 4; j++) {
                out[j] += b;
                store(y + (4 * i + j) * outputs + k, &out[j]);
            }
        }
    }
}
