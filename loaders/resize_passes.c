/*
 * Resize passes, laid out so that the inner loops run over neighbouring bytes
 * with one weight, which compilers turn into vector code.
 *
 * Vertical: output row = sum over input rows, so the bytes of a row are the
 * lanes. Horizontal: LANES rows at a time are turned on their side,
 *
 *     turned[pixel][channel][row]
 *
 * so that the rows are the lanes, and the result is turned back.
 *
 * Sums are the same 32-bit integers in any order, so the AVX2 copies of the
 * kernels give the same bytes as the plain ones.
 */
#include "loaders/resize_passes.h"

#include <stdlib.h>
#include <string.h>

enum {
    LANES = 16,        /* rows of a horizontal block */
    PIXEL = 3 * LANES, /* bytes of a pixel column in it */
    ROUND = 1 << (FOVEA_RESIZE_BITS - 1),
    SPAN = 512, /* bytes of a row summed at a time: the sums stay in L1 */
};

#define KERNEL static inline __attribute__((always_inline)) void

static inline uint8_t clip8(int32_t sum) {
    int32_t value = sum >> FOVEA_RESIZE_BITS;
    value = value < 0 ? 0 : value;
    return (uint8_t)(value > 255 ? 255 : value);
}

/* ---- kernels -------------------------------------------------------------- */

/* One output pixel of LANES rows: `in` and `out` are [.][3][LANES]. */
KERNEL blend_pixel(const uint8_t *in, const int32_t *weights, int count, uint8_t *out) {
    int32_t sums[PIXEL];
    for (int i = 0; i < PIXEL; i++) {
        sums[i] = ROUND;
    }
    for (int t = 0; t < count; t++, in += PIXEL) {
        const int32_t w = weights[t];
        for (int i = 0; i < PIXEL; i++) {
            sums[i] += w * in[i];
        }
    }
    for (int i = 0; i < PIXEL; i++) {
        out[i] = clip8(sums[i]);
    }
}

KERNEL blend_block(const struct fovea_taps *taps, const uint8_t *turned, uint8_t *out) {
    for (int x = 0; x < taps->n_out; x++) {
        const uint8_t *in = turned + (size_t)(taps->first[x] - taps->in_first) * PIXEL;
        blend_pixel(in, taps->weights + (size_t)x * (size_t)taps->n_weights, taps->count[x],
                    out + (size_t)x * PIXEL);
    }
}

/* Up to SPAN bytes of one output row. */
KERNEL blend_span(const uint8_t *in, size_t stride, const int32_t *weights, int count, size_t n,
                  uint8_t *out) {
    int32_t sums[SPAN];
    for (size_t i = 0; i < n; i++) {
        sums[i] = ROUND;
    }
    int t = 0;
    for (; t + 2 <= count; t += 2, in += 2 * stride) {
        const int32_t w0 = weights[t], w1 = weights[t + 1];
        const uint8_t *next = in + stride;
        for (size_t i = 0; i < n; i++) {
            sums[i] += w0 * in[i] + w1 * next[i];
        }
    }
    if (t < count) {
        const int32_t w = weights[t];
        for (size_t i = 0; i < n; i++) {
            sums[i] += w * in[i];
        }
    }
    for (size_t i = 0; i < n; i++) {
        out[i] = clip8(sums[i]);
    }
}

KERNEL blend_row(const uint8_t *in, size_t stride, const int32_t *weights, int count, size_t size,
                 uint8_t *out) {
    for (size_t at = 0; at < size; at += SPAN) {
        size_t n = size - at < SPAN ? size - at : SPAN;
        blend_span(in + at, stride, weights, count, n, out + at);
    }
}

typedef void (*block_fn)(const struct fovea_taps *taps, const uint8_t *turned, uint8_t *out);
typedef void (*row_fn)(const uint8_t *in, size_t stride, const int32_t *weights, int count,
                       size_t size, uint8_t *out);

static void block_plain(const struct fovea_taps *taps, const uint8_t *turned, uint8_t *out) {
    blend_block(taps, turned, out);
}

static void row_plain(const uint8_t *in, size_t stride, const int32_t *weights, int count,
                      size_t size, uint8_t *out) {
    blend_row(in, stride, weights, count, size, out);
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static void block_avx2(const struct fovea_taps *taps,
                                                       const uint8_t *turned, uint8_t *out) {
    blend_block(taps, turned, out);
}

__attribute__((target("avx2"))) static void row_avx2(const uint8_t *in, size_t stride,
                                                     const int32_t *weights, int count, size_t size,
                                                     uint8_t *out) {
    blend_row(in, stride, weights, count, size, out);
}
#endif

static block_fn choose_block(void) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2")) {
        return block_avx2;
    }
#endif
    return block_plain;
}

static row_fn choose_row(void) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2")) {
        return row_avx2;
    }
#endif
    return row_plain;
}

/* ---- passes --------------------------------------------------------------- */

/* turned[i][r] = rows[r][i] for the first n bytes of LANES rows. */
static void turn(const uint8_t *const rows[LANES], size_t n, uint8_t *turned) {
    for (size_t i = 0; i < n; i++) {
        for (int r = 0; r < LANES; r++) {
            turned[i * LANES + (size_t)r] = rows[r][i];
        }
    }
}

static void turn_back(const uint8_t *turned, size_t n, int n_rows, uint8_t *out, size_t stride) {
    for (int r = 0; r < n_rows; r++) {
        for (size_t i = 0; i < n; i++) {
            out[(size_t)r * stride + i] = turned[i * LANES + (size_t)r];
        }
    }
}

enum fovea_status fovea_resize_rows(const struct fovea_taps *taps, const uint8_t *in,
                                    size_t in_stride, int n_rows, uint8_t *out,
                                    struct fovea_error *err) {
    size_t in_bytes = (size_t)taps->in_count * 3, out_bytes = (size_t)taps->n_out * 3;
    size_t room = (in_bytes + out_bytes) * LANES;
    uint8_t *turned = malloc(room ? room : 1);
    if (!turned) {
        return fovea_fail_memory(err, room, "a resize");
    }
    uint8_t *made = turned + in_bytes * LANES;
    block_fn blend = choose_block();

    for (int y = 0; y < n_rows; y += LANES) {
        int n = n_rows - y < LANES ? n_rows - y : LANES;
        const uint8_t *rows[LANES];
        for (int r = 0; r < LANES; r++) {
            /* A last block that is not full repeats its last row. */
            rows[r] = in + (size_t)(y + (r < n ? r : n - 1)) * in_stride;
        }
        turn(rows, in_bytes, turned);
        blend(taps, turned, made);
        turn_back(made, out_bytes, n, out + (size_t)y * out_bytes, out_bytes);
    }
    free(turned);
    return FOVEA_OK;
}

void fovea_resize_columns(const struct fovea_taps *taps, const uint8_t *in, size_t in_stride,
                          size_t row_size, uint8_t *out) {
    row_fn blend = choose_row();
    for (int y = 0; y < taps->n_out; y++) {
        const uint8_t *rows = in + (size_t)(taps->first[y] - taps->in_first) * in_stride;
        blend(rows, in_stride, taps->weights + (size_t)y * (size_t)taps->n_weights, taps->count[y],
              row_size, out + (size_t)y * row_size);
    }
}
