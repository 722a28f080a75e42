/* What resize.c (the operators' checks) and resize_run.c (their arithmetic) share. */
#ifndef FOVEA_OPS_RESIZE_H
#define FOVEA_OPS_RESIZE_H

#include "ops/resize_axis.h"
#include "runtime/op.h"

struct fovea_resize {
    struct fovea_resize_rule rule;
    float extrapolation;
    struct fovea_resize_axis axes[FOVEA_MAX_RANK];
    struct fovea_resize_table tables[FOVEA_MAX_RANK]; /* of the axes in `order` */
    int order[FOVEA_MAX_RANK];                        /* axes that change, in the order of passes */
    int n_passes;
    size_t buffer; /* bytes of one of the two buffers between passes */
};

enum fovea_status fovea_resize_prepare(struct fovea_node *node, struct fovea_engine *engine,
                                       struct fovea_error *err);
enum fovea_status fovea_resize_run(const struct fovea_node *node, const struct fovea_run *run,
                                   struct fovea_error *err);
void fovea_resize_release(struct fovea_node *node);

#endif
