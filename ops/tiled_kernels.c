/*
 * The tiles of tiled convolutions: see tiled_kernels.h. This file is compiled
 * with -ffp-contract=fast: a * b + c is one instruction wherever it runs.
 */
#include "ops/tiled_kernels.h"

#include "runtime/portability.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

enum { ROWS = FOVEA_TILED_ROWS, COLUMNS = FOVEA_TILED_COLUMNS, LANES = 16, VECTORS = 4 };

/*
 * Casts would make other code of these, for nothing: what is multiplied are lanes and constants.
 * NOLINTBEGIN(bugprone-implicit-widening-of-multiplication-result)
 */
typedef fovea_f32x16 vec;
typedef fovea_i32x16 mask;

FOVEA_INLINE void load(const float *from, vec *v) {
    memcpy(v, from, sizeof(*v));
}

FOVEA_INLINE void store(float *to, const vec *v) {
    memcpy(to, v, sizeof(*v));
}

/* `n` is a constant wherever this ends up: sums are in registers. */
FOVEA_INLINE void multiply(const struct fovea_tile *t, int n, vec sums[ROWS][VECTORS]) {
    const float *rows[ROWS], *w = t->weights, *next = t->next;
    for (int i = 0; i < n; i++) {
        rows[i] = t->rows[i] + t->offset;
        for (int j = 0; j < VECTORS; j++) {
            load(t->from + i * t->from_step + j * LANES, &sums[i][j]);
        }
    }
    for (int64_t k = 0; k < t->depth; k++, w += COLUMNS, next += LANES) {
        vec b[VECTORS];
        for (int j = 0; j < VECTORS; j++) {
            load(w + j * LANES, &b[j]);
        }
        FOVEA_PREFETCH_NEAR(next);
        for (int i = 0; i < n; i++) {
            float a = rows[i][k];
            for (int j = 0; j < VECTORS; j++) {
                sums[i][j] += a * b[j];
            }
        }
    }
}

FOVEA_INLINE void write(float *to, int64_t step, int n, vec sums[ROWS][VECTORS]) {
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < VECTORS; j++) {
            store(to + i * step + j * LANES, &sums[i][j]);
        }
    }
}

FOVEA_INLINE void sum(const struct fovea_tile *t, int n) {
    vec sums[ROWS][VECTORS];
    multiply(t, n, sums);
    write(t->to, t->to_step, n, sums);
}

FOVEA_INLINE void add_rows(const float *from, int64_t step, int n, vec sums[ROWS][VECTORS]) {
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < VECTORS; j++) {
            vec b;
            load(from + i * step + j * LANES, &b);
            sums[i][j] += b;
        }
    }
}

/* Where it is less, `least`; a NaN stays. */
FOVEA_INLINE void bound(float least, int n, vec sums[ROWS][VECTORS]) {
    mask bits = (mask)(least - (vec){0});
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < VECTORS; j++) {
            mask less = sums[i][j] < least - (vec){0};
            sums[i][j] = (vec)((bits & less) | ((mask)sums[i][j] & ~less));
        }
    }
}

FOVEA_INLINE void finish(const struct fovea_tile *t, int n, const float *add, float least) {
    vec sums[ROWS][VECTORS];
    float *to = t->to;
    int64_t step = t->to_step;
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < VECTORS; j++) {
            FOVEA_PREFETCH_WRITE(to + i * step + j * LANES);
        }
    }
    multiply(t, n, sums);
    if (add) {
        add_rows(add, step, n, sums);
    }
    if (least > -INFINITY) {
        bound(least, n, sums);
    }
    write(to, step, n, sums);
}

/* One function for each number of rows. */
#define DEFINE(n)                                                                                  \
    FOVEA_TARGET_V4 static void sum_##n(const struct fovea_tile *t) {                              \
        sum(t, n);                                                                                 \
    }                                                                                              \
    FOVEA_TARGET_V4 static void finish_##n(const struct fovea_tile *t, const float *add,           \
                                           float least) {                                          \
        finish(t, n, add, least);                                                                  \
    }
DEFINE(1)
DEFINE(2)
DEFINE(3)
DEFINE(4)
DEFINE(5)
DEFINE(6)

void fovea_tiled_sum(const struct fovea_tile *tile, int n_rows) {
    static void (*const table[ROWS])(const struct fovea_tile *) = {sum_1, sum_2, sum_3,
                                                                   sum_4, sum_5, sum_6};
    table[n_rows - 1](tile);
}

void fovea_tiled_finish(const struct fovea_tile *tile, int n_rows, const float *add, float least) {
    static void (*const table[ROWS])(const struct fovea_tile *, const float *, float) = {
        finish_1, finish_2, finish_3, finish_4, finish_5, finish_6};
    table[n_rows - 1](tile, add, least);
}
/* NOLINTEND(bugprone-implicit-widening-of-multiplication-result) */
