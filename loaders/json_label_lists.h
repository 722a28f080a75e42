/*
 * A JSON list of lists of class indices, as ReaL's real.json is.
 */
#ifndef FOVEA_LOADERS_JSON_LABEL_LISTS_H
#define FOVEA_LOADERS_JSON_LABEL_LISTS_H

#include "runtime/error.h"

/* List i has labels[first[i]] up to, but without, labels[first[i + 1]]. */
struct fovea_label_lists {
    int *labels;
    size_t *first; /* n_lists + 1 */
    size_t n_lists;
};

/*
 * Parse; every label is in 0..limit-1. FOVEA_ERR_FORMAT with the line for what
 * is not JSON, and for JSON that is anything else; FOVEA_ERR_LIMIT as in json.h.
 */
enum fovea_status fovea_label_lists_load(const char *path, int limit, struct fovea_label_lists *out,
                                         struct fovea_error *err);
void fovea_label_lists_finish(struct fovea_label_lists *lists);

#endif
