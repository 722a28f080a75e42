/* In which order deferred nodes are evaluated (deferred.h). */
#ifndef FOVEA_RUNTIME_DEFERRED_ORDER_H
#define FOVEA_RUNTIME_DEFERRED_ORDER_H

#include "runtime/deferred.h"

/* Whether `value` (may be NULL) is a constant whose contents are still to be computed. */
bool fovea_value_is_missing(const struct fovea_value *value);

/* All that is wanted and what it depends on, into workspace->order: operands first. */
enum fovea_status fovea_deferred_order(struct fovea_workspace *workspace,
                                       const struct fovea_wanted *wanted, size_t n_wanted,
                                       struct fovea_error *err);

#endif
