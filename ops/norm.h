/* Checks that the normalisations share. */
#ifndef FOVEA_OPS_NORM_H
#define FOVEA_OPS_NORM_H

#include "runtime/op.h"

/* Attribute "epsilon" is finite and not negative. */
enum fovea_status fovea_norm_check_epsilon(const struct fovea_node *node, float otherwise,
                                           float *epsilon, struct fovea_error *err);

/* Input `index` is a list of `count` elements of input 0's type; `what` names it. */
enum fovea_status fovea_norm_check_list(const struct fovea_node *node, int index, const char *what,
                                        int64_t count, struct fovea_error *err);

#endif
