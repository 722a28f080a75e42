/* Counting what constants take: see budget.h. */
#include "runtime/budget.h"

enum fovea_status fovea_budget_spend(struct fovea_budget *budget, size_t bytes, const char *what,
                                     struct fovea_error *err) {
    if (bytes > budget->left) {
        return fovea_fail(err, FOVEA_ERR_LIMIT,
                          "%s takes %zu bytes; %zu are left of the memory limit of %zu", what,
                          bytes, budget->left, budget->limit);
    }
    budget->left -= bytes;
    return FOVEA_OK;
}
