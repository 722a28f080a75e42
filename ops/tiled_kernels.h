/*
 * Tiles of a matrix product whose rows lie anywhere: up to 6 rows times 64
 * columns, 24 vectors of sums in registers. Two units for multiply-adds of 16
 * lanes take 12 cycles for a step of it, and it loads 10 times in that: from
 * the second cache fast enough, if not from beyond.
 *
 * All pointers are to f32. Only where fovea_cpu_has_v4() (portability.h).
 */
#ifndef FOVEA_OPS_TILED_KERNELS_H
#define FOVEA_OPS_TILED_KERNELS_H

#include <stdint.h>

enum {
    FOVEA_TILED_ROWS = 6,     /* the most of a tile */
    FOVEA_TILED_COLUMNS = 64, /* of every tile, and of a panel of weights */
};

struct fovea_tile {
    const float *const *rows; /* where rows of the left matrix are */
    int64_t offset;           /* of the first column of them that is meant */
    int64_t depth;            /* columns; rows of `weights` */
    const float *weights;     /* [depth][64] */
    const float *next;        /* depth lines of cache to fetch on the way; any address */
    const float *from;        /* what sums start from, rows from_step apart */
    int64_t from_step;
    float *to; /* where they go, rows to_step apart */
    int64_t to_step;
};

/* to = from + rows * weights, of `n_rows` rows. */
void fovea_tiled_sum(const struct fovea_tile *tile, int n_rows);

/*
 * The same, and then max(to + add, least): for add NULL nothing is added. `add`
 * has rows to_step apart and may be `to`. A NaN stays one.
 */
void fovea_tiled_finish(const struct fovea_tile *tile, int n_rows, const float *add, float least);

#endif
