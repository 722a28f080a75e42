/*
 * Strided copies: see copy.h.
 *
 * Dimensions that run on in both buffers are merged first, so that most copies
 * become a few long runs. Then a kernel works on the last two dimensions,
 * called its rows and columns, and the rest is an odometer.
 */
#include "ops/copy.h"

#include "runtime/parallel.h"

#include <string.h>

/* A tile: a few cache lines of f32 each way, so that long strides cost fewer page walks. */
#define TILE 64
#define TILE_ROWS 64
/* Least bytes worth a thread, and worth a turn of the odometer. */
#define THREAD_BYTES (64 << 10)
#define BLOCK_BYTES (4 << 10)
/* One long run is cut into pieces of this many elements for the threads. */
#define PIECE 4096

struct walk;
typedef void (*kernel_fn)(const struct walk *w, int64_t rows, const unsigned char *src,
                          unsigned char *dst);

struct walk {
    int rank; /* at least 2 */
    int64_t dims[FOVEA_BOX_RANK + 2];
    int64_t src[FOVEA_BOX_RANK + 2], dst[FOVEA_BOX_RANK + 2]; /* strides in bytes */
    const unsigned char *from;
    unsigned char *to;
    int64_t size;
    kernel_fn kernel;
    int64_t block;  /* rows to a kernel call */
    int64_t blocks; /* calls for all rows */
};

/* ---- kernels ------------------------------------------------------------ */

/* Columns are adjacent on both sides. */
static void copy_runs(const struct walk *w, int64_t rows, const unsigned char *src,
                      unsigned char *dst) {
    int r = w->rank - 2;
    size_t bytes = (size_t)(w->dims[r + 1] * w->size);
    for (int64_t i = 0; i < rows; i++) {
        memcpy(dst + i * w->dst[r], src + i * w->src[r], bytes);
    }
}

/* Any strides. `size` is a constant in each instance below. */
static inline void strided(const struct walk *w, int64_t rows, const unsigned char *src,
                           unsigned char *dst, size_t size) {
    int r = w->rank - 2, c = w->rank - 1;
    for (int64_t i = 0; i < rows; i++) {
        const unsigned char *from = src + i * w->src[r];
        unsigned char *to = dst + i * w->dst[r];
        for (int64_t j = 0; j < w->dims[c]; j++) {
            memcpy(to + j * w->dst[c], from + j * w->src[c], size);
        }
    }
}

/* A tile is the largest thing on any stack of ours: half of a core's first cache, of 8-byte
 * elements. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wstack-usage="
#endif

/*
 * Columns are adjacent in the destination, rows in the source: a transpose.
 * It goes through a small tile so that each cache line of either side is
 * touched once, even where strides are powers of two.
 */
static inline void tiled(const struct walk *w, int64_t rows, const unsigned char *src,
                         unsigned char *dst, size_t size) {
    unsigned char tile[TILE_ROWS * TILE * 8];
    int r = w->rank - 2, c = w->rank - 1;
    for (int64_t at = 0; at < w->dims[c]; at += TILE) {
        int64_t columns = w->dims[c] - at < TILE ? w->dims[c] - at : TILE;
        for (int64_t j = 0; j < columns; j++) {
            const unsigned char *from = src + (at + j) * w->src[c];
            for (int64_t i = 0; i < rows; i++) {
                memcpy(tile + ((size_t)i * TILE + (size_t)j) * size, from + (size_t)i * size, size);
            }
        }
        unsigned char *to = dst + (size_t)at * size;
        for (int64_t i = 0; i < rows; i++) {
            memcpy(to + i * w->dst[r], tile + (size_t)i * TILE * size, (size_t)columns * size);
        }
    }
}

#define KERNELS(size)                                                                              \
    static void strided_##size(const struct walk *w, int64_t rows, const unsigned char *src,       \
                               unsigned char *dst) {                                               \
        strided(w, rows, src, dst, size);                                                          \
    }                                                                                              \
    static void tiled_##size(const struct walk *w, int64_t rows, const unsigned char *src,         \
                             unsigned char *dst) {                                                 \
        tiled(w, rows, src, dst, size);                                                            \
    }
KERNELS(1)
KERNELS(2)
KERNELS(4)
KERNELS(8)
#undef KERNELS

static const kernel_fn strided_of[9] = {
    [1] = strided_1, [2] = strided_2, [4] = strided_4, [8] = strided_8};
static const kernel_fn tiled_of[9] = {[1] = tiled_1, [2] = tiled_2, [4] = tiled_4, [8] = tiled_8};

/* ---- preparation -------------------------------------------------------- */

static void push(struct walk *w, int64_t dim, int64_t src, int64_t dst) {
    int last = w->rank - 1;
    if (last >= 0 && w->src[last] == src * dim && w->dst[last] == dst * dim) {
        w->dims[last] *= dim;
        w->src[last] = src;
        w->dst[last] = dst;
        return;
    }
    w->dims[w->rank] = dim;
    w->src[w->rank] = src;
    w->dst[w->rank] = dst;
    w->rank++;
}

/* Merge what can be; false if the box is empty. */
static bool simplify(const struct fovea_box *box, int64_t size, struct walk *w) {
    for (int i = 0; i < box->rank; i++) {
        if (box->dims[i] == 0) {
            return false;
        }
        if (box->dims[i] > 1) {
            push(w, box->dims[i], box->src[i] * size, box->dst[i] * size);
        }
    }
    return true;
}

static void insert_front(struct walk *w, int64_t dim, int64_t src, int64_t dst) {
    memmove(w->dims + 1, w->dims, (size_t)w->rank * sizeof(*w->dims));
    memmove(w->src + 1, w->src, (size_t)w->rank * sizeof(*w->src));
    memmove(w->dst + 1, w->dst, (size_t)w->rank * sizeof(*w->dst));
    w->dims[0] = dim;
    w->src[0] = src;
    w->dst[0] = dst;
    w->rank++;
}

static void swap(int64_t *values, int i, int j) {
    int64_t kept = values[i];
    values[i] = values[j];
    values[j] = kept;
}

/* Bring the dimension whose elements are adjacent in the source to the rows, if there is one. */
static bool rows_adjacent_in_source(struct walk *w) {
    int r = w->rank - 2;
    for (int i = r; i >= 0; i--) {
        if (w->src[i] == w->size && w->dims[i] > 1) {
            swap(w->dims, i, r);
            swap(w->src, i, r);
            swap(w->dst, i, r);
            return true;
        }
    }
    return false;
}

static void choose_kernel(struct walk *w) {
    int r = w->rank - 2, c = w->rank - 1;
    if (w->dst[c] == w->size && w->src[c] == w->size) {
        w->kernel = copy_runs;
    } else if (w->dst[c] == w->size && rows_adjacent_in_source(w)) {
        w->kernel = tiled_of[w->size];
        w->block = TILE_ROWS;
    } else {
        w->kernel = strided_of[w->size];
    }
    if (!w->block) {
        w->block = BLOCK_BYTES / (w->dims[c] * w->size);
        w->block = w->block > 0 ? w->block : 1;
    }
    w->blocks = (w->dims[r] + w->block - 1) / w->block;
}

/* ---- the odometer ------------------------------------------------------- */

/* Blocks [begin, end) of outer position times blocks of rows. */
static void walk_range(void *context, int64_t begin, int64_t end, int thread) {
    const struct walk *w = context;
    (void)thread;
    for (int64_t item = begin; item < end; item++) {
        int64_t row = item % w->blocks * w->block, rest = item / w->blocks;
        int r = w->rank - 2;
        const unsigned char *src = w->from + row * w->src[r];
        unsigned char *dst = w->to + row * w->dst[r];
        for (int i = r - 1; i >= 0; i--) {
            int64_t at = rest % w->dims[i];
            rest /= w->dims[i];
            src += at * w->src[i];
            dst += at * w->dst[i];
        }
        int64_t left = w->dims[r] - row;
        w->kernel(w, left < w->block ? left : w->block, src, dst);
    }
}

static void walk_all(struct walk *w) {
    while (w->rank < 2) {
        insert_front(w, 1, 0, 0);
    }
    choose_kernel(w);
    int64_t items = w->blocks;
    for (int i = 0; i < w->rank - 2; i++) {
        items *= w->dims[i];
    }
    int64_t bytes = w->block * w->dims[w->rank - 1] * w->size;
    fovea_parallel_for(items, 1 + THREAD_BYTES / bytes, walk_range, w);
}

/* One long row would leave threads idle: cut it into rows of PIECE, and a rest. */
static void walk_long_row(struct walk *w) {
    int64_t pieces = w->dims[0] / PIECE, rest = w->dims[0] % PIECE;
    int64_t src = w->src[0] * PIECE, dst = w->dst[0] * PIECE;
    if (rest > 0) {
        struct walk tail = *w;
        tail.dims[0] = rest;
        tail.from += pieces * src;
        tail.to += pieces * dst;
        walk_all(&tail);
    }
    w->dims[0] = PIECE;
    insert_front(w, pieces, src, dst);
    walk_all(w);
}

/* The dims in the order of the destination, outermost first. */
static void sort_box(const struct fovea_box *box, struct fovea_box *out) {
    out->rank = 0;
    for (int i = 0; i < box->rank; i++) {
        int at = out->rank++;
        for (; at > 0 && box->dst[i] > out->dst[at - 1]; at--) {
            out->dims[at] = out->dims[at - 1];
            out->src[at] = out->src[at - 1];
            out->dst[at] = out->dst[at - 1];
        }
        out->dims[at] = box->dims[i];
        out->src[at] = box->src[i];
        out->dst[at] = box->dst[i];
    }
}

void fovea_copy_box(const struct fovea_box *box, size_t size, const void *src, void *dst) {
    struct walk w = {.from = src, .to = dst, .size = (int64_t)size};
    struct fovea_box sorted;
    sort_box(box, &sorted);
    if (!simplify(&sorted, w.size, &w)) {
        return;
    }
    if (w.rank == 1 && w.dims[0] >= (int64_t)2 * PIECE) {
        walk_long_row(&w);
    } else {
        walk_all(&w);
    }
}

void fovea_fill(void *dst, int64_t count, size_t size, const void *value) {
    struct fovea_box box = {.rank = 1, .dims = {count}, .src = {0}, .dst = {1}};
    fovea_copy_box(&box, size, value, dst);
}

void fovea_dense_strides(int rank, const int64_t *dims, int64_t *strides) {
    int64_t stride = 1;
    for (int i = rank - 1; i >= 0; i--) {
        strides[i] = stride;
        stride *= dims[i];
    }
}
