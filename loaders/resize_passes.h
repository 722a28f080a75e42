/*
 * The two passes of a resize over packed RGB rows.
 */
#ifndef FOVEA_LOADERS_RESIZE_PASSES_H
#define FOVEA_LOADERS_RESIZE_PASSES_H

#include "loaders/resize_taps.h"

/*
 * Resize each of `n_rows` rows of RGB pixels, `in_stride` bytes apart, to
 * taps->n_out pixels, rows of 3 * taps->n_out bytes. `in` points at pixel
 * taps->in_first of the first row.
 */
enum fovea_status fovea_resize_rows(const struct fovea_taps *taps, const uint8_t *in,
                                    size_t in_stride, int n_rows, uint8_t *out,
                                    struct fovea_error *err);

/*
 * Make taps->n_out rows of `row_size` bytes out of rows of the same size,
 * `in_stride` bytes apart. `in` points at row taps->in_first.
 */
void fovea_resize_columns(const struct fovea_taps *taps, const uint8_t *in, size_t in_stride,
                          size_t row_size, uint8_t *out);

#endif
