/* What the constants that inference makes may take, and what is left of it. */
#ifndef FOVEA_RUNTIME_BUDGET_H
#define FOVEA_RUNTIME_BUDGET_H

#include "runtime/error.h"

#include <stddef.h>

/* Bytes; left <= limit. What is freed is added to `left` by whoever frees it. */
struct fovea_budget {
    size_t limit, left;
};

/*
 * Take `bytes` for `what` ("a constant as f32") off the budget, before they
 * are allocated. FOVEA_ERR_LIMIT, and nothing taken, if they are not left.
 */
enum fovea_status fovea_budget_spend(struct fovea_budget *budget, size_t bytes, const char *what,
                                     struct fovea_error *err);

#endif
