/*
 * See resize_kernels.h. Sums stay in registers: a vector of FOVEA_LANES of
 * them, one for each row (across) or column (down), goes through all weights
 * before the next. Across, bytes are first turned on their side, so that rows
 * are lanes:
 *
 *     in[row][pixel, channel] --turn--> turned[pixel, channel][row]
 *         --sum--> 16 columns of 16 rows --turn--> out[row][channel][16 pixels]
 *
 * Sums are those of resize_passes.c, 32-bit integers in any order, so all
 * levels of the instruction set make the same bytes.
 */
#include "loaders/resize_kernels.h"
#include "runtime/portability.h"

#include <math.h>
#include <string.h>

enum { ROUND = 1 << (FOVEA_RESIZE_BITS - 1) };

/*
 * Casts would make other code of these, for nothing: what is multiplied are lanes and constants.
 * NOLINTBEGIN(bugprone-implicit-widening-of-multiplication-result)
 */
typedef fovea_u8x16 lanes[FOVEA_LANES];

/* Four rounds of a perfect shuffle: [i][j] becomes [j][i]. */
FOVEA_INLINE void turn(fovea_u8x16 *v) {
    for (int round = 0; round < 4; round++) {
        lanes from;
        memcpy(from, v, sizeof(from));
        for (int i = 0; i < FOVEA_LANES / 2; i++) {
            v[2 * i] = FOVEA_INTERLEAVE_LOW(from[i], from[i + FOVEA_LANES / 2]);
            v[2 * i + 1] = FOVEA_INTERLEAVE_HIGH(from[i], from[i + FOVEA_LANES / 2]);
        }
    }
}

/* sum += weight * bytes, lane by lane. GCC 12 widens well in loops, not by convertvector. */
FOVEA_INLINE void add_weighted(fovea_i32x16 *sum, const uint8_t *bytes, int32_t weight) {
    int32_t wide[FOVEA_LANES];
    fovea_i32x16 v;
    for (int i = 0; i < FOVEA_LANES; i++) {
        wide[i] = bytes[i];
    }
    memcpy(&v, wide, sizeof(v));
    *sum += v * weight;
}

/* From fixed point to 0..255. */
FOVEA_INLINE void clip(fovea_i32x16 *sum) {
    fovea_i32x16 v = *sum >> FOVEA_RESIZE_BITS;
    v &= ~(v >> 31);
    fovea_i32x16 over = v > 255;
    *sum = (v & ~over) | (over & 255);
}

FOVEA_INLINE void narrow(const fovea_i32x16 *wide, fovea_u8x16 *out) {
    int32_t from[FOVEA_LANES];
    uint8_t to[FOVEA_LANES];
    memcpy(from, wide, sizeof(from));
    for (int i = 0; i < FOVEA_LANES; i++) {
        to[i] = (uint8_t)from[i];
    }
    memcpy(out, to, sizeof(to));
}

FOVEA_INLINE void turn_rows(const uint8_t *in, size_t stride, size_t n, uint8_t *turned) {
    for (size_t i = 0; i < n; i += FOVEA_LANES) {
        lanes v;
        for (size_t r = 0; r < FOVEA_LANES; r++) {
            memcpy(&v[r], in + r * stride + i, sizeof(v[r]));
        }
        turn(v);
        memcpy(turned + i * FOVEA_LANES, v, sizeof(v));
    }
}

/* Column x of the output, each channel. */
FOVEA_INLINE void sum_column(const struct fovea_taps *taps, const uint8_t *turned, int x,
                             fovea_u8x16 *red, fovea_u8x16 *green, fovea_u8x16 *blue) {
    const int32_t *weights = taps->weights + (size_t)x * (size_t)taps->n_weights;
    const uint8_t *in = turned + (size_t)(3 * (taps->first[x] - taps->in_first)) * FOVEA_LANES;
    fovea_i32x16 r = {0}, g = {0}, b = {0};
    r += ROUND;
    g += ROUND;
    b += ROUND;
    for (int t = 0; t < taps->count[x]; t++, in += 3 * FOVEA_LANES) {
        add_weighted(&r, in, weights[t]);
        add_weighted(&g, in + FOVEA_LANES, weights[t]);
        add_weighted(&b, in + 2 * FOVEA_LANES, weights[t]);
    }
    clip(&r);
    clip(&g);
    clip(&b);
    narrow(&r, red);
    narrow(&g, green);
    narrow(&b, blue);
}

FOVEA_KERNEL
void fovea_resize_across(const struct fovea_taps *taps, const uint8_t *in, size_t stride,
                         uint8_t *turned, uint8_t *out, size_t plane_stride) {
    turn_rows(in, stride, 3 * (size_t)taps->in_count, turned);
    for (int x = 0; x < taps->n_out; x += FOVEA_LANES) {
        lanes columns[3];
        for (int j = 0; j < FOVEA_LANES; j++) {
            /* Past the end the last column is repeated, for whole lanes. */
            int at = x + j < taps->n_out ? x + j : taps->n_out - 1;
            sum_column(taps, turned, at, &columns[0][j], &columns[1][j], &columns[2][j]);
        }
        for (size_t c = 0; c < 3; c++) {
            turn(columns[c]);
            for (size_t r = 0; r < FOVEA_LANES; r++) {
                memcpy(out + (3 * r + c) * plane_stride + (size_t)x, &columns[c][r],
                       sizeof(columns[c][r]));
            }
        }
    }
}

/* ---- normalisation ---------------------------------------------------------- */

/* x / y by its reciprocal and two corrections: right but for rare operands. */
FOVEA_INLINE float divide(float x, float y, float reciprocal) {
    float quotient = x * reciprocal;
    float error = fmaf(-y, quotient, x);
    return fmaf(error, reciprocal, quotient);
}

FOVEA_INLINE float formula(float byte, const struct fovea_divisors *d) {
    return divide(divide(byte, 255.0F, 1.0F / 255.0F) - d->mean, d->std, d->inverse_std);
}

FOVEA_KERNEL
void fovea_channel_init(struct fovea_channel *channel, const float values[256], double mean,
                        double std) {
    struct fovea_divisors d = {.mean = (float)mean, .std = (float)std};
    d.inverse_std = 1.0F / d.std;
    int n_wrong = 0;
    for (int v = 0; v < 256; v++) {
        channel->values[v] = values[v];
        n_wrong += formula((float)v, &d) != values[v];
    }
    channel->divisors = d;
    channel->by_formula = n_wrong == 0 && fovea_cpu_has_v3();
}

/* Two vectors at a time share what it takes to find row and weight. */
FOVEA_INLINE void sum_rows(const uint8_t *const *rows, const int32_t *weights, int count, size_t x,
                           int32_t *out) {
    fovea_i32x16 low = {0}, high = {0};
    low += ROUND;
    high += ROUND;
    for (int t = 0; t < count; t++) {
        add_weighted(&low, rows[t] + x, weights[t]);
        add_weighted(&high, rows[t] + x + FOVEA_LANES, weights[t]);
    }
    clip(&low);
    clip(&high);
    memcpy(out, &low, sizeof(low));
    memcpy(out + FOVEA_LANES, &high, sizeof(high));
}

FOVEA_KERNEL
void fovea_resize_down(const uint8_t *const *rows, const int32_t *weights, int count, size_t n,
                       const struct fovea_channel *channel, int32_t *line, float *out) {
    for (size_t x = 0; x < n; x += 2 * FOVEA_LANES) {
        sum_rows(rows, weights, count, x, line + x);
    }
    if (channel->by_formula) {
        const struct fovea_divisors d = channel->divisors;
        for (size_t x = 0; x < n; x++) {
            out[x] = formula((float)line[x], &d);
        }
    } else {
        for (size_t x = 0; x < n; x++) {
            out[x] = channel->values[line[x]];
        }
    }
}
/* NOLINTEND(bugprone-implicit-widening-of-multiplication-result) */
