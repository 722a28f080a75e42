/* Indices that data brings at run time: checked as a whole before any is used. */
#ifndef FOVEA_OPS_INDICES_H
#define FOVEA_OPS_INDICES_H

#include "runtime/op.h"

/* Input `index` holds i32 or i64. */
enum fovea_status fovea_expect_indices(const struct fovea_node *node, int index,
                                       struct fovea_error *err);

/*
 * Every element of `indices`, taken as rows of `n` (1 for a single axis), is in
 * [-bounds[k], bounds[k]) for its place k in the row. The message names the
 * index and the bound.
 */
enum fovea_status fovea_check_indices(const struct fovea_tensor *indices, const int64_t *bounds,
                                      int n, struct fovea_error *err);

/* Element `at`, checked before, counted from the front of a dimension of `bound`. */
int64_t fovea_get_index(const struct fovea_tensor *indices, int64_t at, int64_t bound);

#endif
