/*
 * Names of classes, and where they are found.
 */
#ifndef FOVEA_TOOLS_LABELS_H
#define FOVEA_TOOLS_LABELS_H

#include "runtime/error.h"

struct labels {
    char **names; /* by class index; NULL where a class has none */
    size_t count;
    char source[64]; /* where they are from, in words; "" if there are none */
};

/*
 * The labels of a model: from `path` (one a line, or JSON: a list, or an
 * object from index to name) if not NULL, else from the model's metadata
 * ("labels", "classes" or "names"), else from config.json beside it
 * ("label_names", "id2label"). To have none is no failure, except for `path`.
 */
enum fovea_status labels_load(const struct fovea_model *model, const char *model_path,
                              const char *path, struct labels *out, struct fovea_error *err);
void labels_finish(struct labels *labels);

/* The name of class `index`, or NULL. */
const char *labels_get(const struct labels *labels, int64_t index);

/* The class called `name`: -1 if none is, or more than one. */
int labels_find(const struct labels *labels, const char *name);

/* The path of file `name` in the folder of `path`, to be freed; NULL if out of memory. */
char *path_beside(const char *path, const char *name);

#endif
