/*
 * A map between two orders of classes: which class of a model each class of a
 * dataset is.
 *
 *     FROM TO     a class of the dataset, by name or index, and one of the model's
 *     FROM,TO     the same; with a tab between, FROM may have spaces in it
 *     TO          line i (from 0) is about the dataset's class of index i
 *
 * TO is a label or an index; "-" says that the model does not know the class.
 */
#ifndef FOVEA_LOADERS_LABEL_MAP_H
#define FOVEA_LOADERS_LABEL_MAP_H

#include "runtime/error.h"

struct fovea_label_pair {
    char *from, *to;
};

struct fovea_label_map {
    struct fovea_label_pair *pairs; /* by the bytes of `from` */
    size_t count;
};

/* FOVEA_ERR_INVALID if a class is mapped twice, FOVEA_ERR_FORMAT if there is nothing. */
enum fovea_status fovea_label_map_load(const char *path, struct fovea_label_map *out,
                                       struct fovea_error *err);

/* What class `from` is mapped to, or NULL. */
const char *fovea_label_map_get(const struct fovea_label_map *map, const char *from);

void fovea_label_map_finish(struct fovea_label_map *map);

#endif
