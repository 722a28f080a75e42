/* The transforms and products of F(4x4, 3x3): see winograd_kernels.h. */
#include "ops/winograd_kernels.h"

#include "runtime/portability.h"

#include <string.h>

enum { LANES = FOVEA_WINOGRAD_LANES, DEPTH = FOVEA_WINOGRAD_DEPTH };

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

/*
 * Casts would make other code of these, for nothing: what is multiplied are lanes and constants.
 * NOLINTBEGIN(bugprone-implicit-widening-of-multiplication-result)
 */
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

/* G */
static const float g_rows[6][3] = {
    {1 / PROD2, 0, 0},
    {SCALE_A, A1 *SCALE_A, A2 *SCALE_A},
    {SCALE_A, -A1 *SCALE_A, A2 *SCALE_A},
    {SCALE_B, B1 *SCALE_B, B2 *SCALE_B},
    {SCALE_B, -B1 *SCALE_B, B2 *SCALE_B},
    {0, 0, 1},
};

FOVEA_KERNEL void fovea_winograd_weights(const float *panel, int64_t channels, int row, float *u,
                                         int64_t step) {
    const float *g = g_rows[row];
    const float *next = panel + (channels * 9 + channels * 9 / 6 * row) * LANES;
    for (int64_t c = 0; c < channels; c++, panel += 9 * LANES, u += LANES, next += 2 * LANES) {
        vec half[3], tap[3], out[6];
        FOVEA_PREFETCH_NEAR(next);
        FOVEA_PREFETCH_NEAR(next + LANES);
        for (int j = 0; j < 3; j++) {
            for (int k = 0; k < 3; k++) {
                load(panel + (3 * k + j) * LANES, &tap[k]);
            }
            half[j] = g[0] * tap[0] + g[1] * tap[1] + g[2] * tap[2];
        }
        times_g(half, out);
        for (int j = 0; j < 6; j++) {
            store(u + j * step, &out[j]);
        }
    }
}

FOVEA_KERNEL void fovea_winograd_output(const float *m, int64_t step, const float *bias, float *y,
                                        int64_t stride) {
    vec half[4][6], in[6], out[4], b;
    load(bias, &b);
    for (int j = 0; j < 6; j++) {
        for (int i = 0; i < 6; i++) {
            load(m + (6 * i + j) * step, &in[i]);
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
            store(y + (4 * i + j) * stride, &out[j]);
        }
    }
}

/* ---- products ---------------------------------------------------------------- */

/*
 * `n` rows, a constant wherever this ends up, whose sums are in registers. Rows
 * are a constant distance apart, so that one register addresses them all. In
 * two halves, for gcc unrolls loops of up to 16.
 */
FOVEA_INLINE void multiply(int n, const float *v, const float *u, int64_t depth, bool fresh,
                           float *m) {
    enum { HALF = 14 };
    vec sums[2][HALF];
    for (int h = 0; h < 2; h++) {
        for (int i = 0; i < HALF; i++) {
            if (h * HALF + i < n) {
                sums[h][i] = (vec){0};
            }
        }
    }
    for (int h = 0; h < 2 && !fresh; h++) {
        for (int i = 0; i < HALF; i++) {
            if (h * HALF + i < n) {
                load(m + (h * HALF + i) * LANES, &sums[h][i]);
            }
        }
    }
    for (int64_t k = 0; k < depth; k++) {
        vec b;
        load(u + k * LANES, &b);
        for (int h = 0; h < 2; h++) {
            for (int i = 0; i < HALF; i++) {
                if (h * HALF + i < n) {
                    sums[h][i] += v[(h * HALF + i) * DEPTH + k] * b;
                }
            }
        }
    }
    for (int h = 0; h < 2; h++) {
        for (int i = 0; i < HALF; i++) {
            if (h * HALF + i < n) {
                store(m + (h * HALF + i) * LANES, &sums[h][i]);
            }
        }
    }
}

typedef void (*multiply_fn)(const float *v, const float *u, int64_t depth, bool fresh, float *m);

#define DEFINE(level, target, n)                                                                   \
    target static void multiply_##level##_##n(const float *v, const float *u, int64_t depth,       \
                                              bool fresh, float *m) {                              \
        multiply(n, v, u, depth, fresh, m);                                                        \
    }
#define DEFINE_V4(n) DEFINE(v4, FOVEA_TARGET_V4, n)
#define DEFINE_V3(n) DEFINE(v3, FOVEA_TARGET_V3, n)
#define DEFINE_ANY(n) DEFINE(any, , n)

/* As many as there are registers for: 28 of 32, 12 of 16 in halves, 12 of 16 in quarters. */
#define UP_TO_3(X) X(1) X(2) X(3)
#define UP_TO_6(X) UP_TO_3(X) X(4) X(5) X(6)
#define UP_TO_14(X) UP_TO_6(X) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14)
#define FROM_15(X) X(15) X(16) X(17) X(18) X(19) X(20) X(21)
#define FROM_22(X) X(22) X(23) X(24) X(25) X(26) X(27) X(28)
#define UP_TO_28(X) UP_TO_14(X) FROM_15(X) FROM_22(X)
UP_TO_28(DEFINE_V4)
UP_TO_6(DEFINE_V3)
UP_TO_3(DEFINE_ANY)

#define ROW_V4(n) multiply_v4_##n,
#define ROW_V3(n) multiply_v3_##n,
#define ROW_ANY(n) multiply_any_##n,
static const multiply_fn table_v4[] = {UP_TO_28(ROW_V4)};
static const multiply_fn table_v3[] = {UP_TO_6(ROW_V3)};
static const multiply_fn table_any[] = {UP_TO_3(ROW_ANY)};

static int64_t table_of(const multiply_fn **out) {
    if (fovea_cpu_has_v4()) {
        *out = table_v4;
        return sizeof(table_v4) / sizeof(*table_v4);
    }
    if (fovea_cpu_has_v3()) {
        *out = table_v3;
        return sizeof(table_v3) / sizeof(*table_v3);
    }
    *out = table_any;
    return sizeof(table_any) / sizeof(*table_any);
}

void fovea_winograd_product(const float *v, const float *u, int64_t depth, int64_t rows, bool fresh,
                            float *m) {
    const multiply_fn *table;
    int64_t most = table_of(&table), n;
    for (; rows > 0; rows -= n, v += n * DEPTH, m += n * LANES) {
        bool halves = rows > most && rows <= 2 * most; /* rather than many and then few */
        n = rows <= most ? rows : halves ? rows / 2 : most;
        table[n - 1](v, u, depth, fresh, m);
    }
}
/* NOLINTEND(bugprone-implicit-widening-of-multiplication-result) */
