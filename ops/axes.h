/*
 * Lists of axes and of integers that ONNX gives as an attribute in older
 * opsets and as an operand in newer ones; and the run of operators that only
 * see their input under another shape.
 */
#ifndef FOVEA_OPS_AXES_H
#define FOVEA_OPS_AXES_H

#include "runtime/op.h"

/* Whether the list is there at all: an attribute of that name, or input `index`. */
bool fovea_has_list(const struct fovea_node *node, const char *attr, int index);

/*
 * At most `most` integers of attribute `attr`, or else of constant input
 * `index`. *count is 0 where both are absent.
 */
enum fovea_status fovea_read_list(const struct fovea_node *node, const char *attr, int index,
                                  int64_t *values, size_t most, size_t *count,
                                  struct fovea_error *err);

/* Each of `values` in [-rank, rank), none twice, becomes an axis in [0, rank). */
enum fovea_status fovea_resolve_axes(const int64_t *values, size_t count, int rank, int *axes,
                                     struct fovea_error *err);

/* run of FOVEA_OP_VIEW operators: copies unless output 0 is where input 0 is. */
enum fovea_status fovea_run_view(const struct fovea_node *node, const struct fovea_run *run,
                                 struct fovea_error *err);

#endif
