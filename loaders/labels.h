/*
 * Names of classes, and where they are found.
 */
#ifndef FOVEA_LOADERS_LABELS_H
#define FOVEA_LOADERS_LABELS_H

#include "runtime/error.h"

struct fovea_labels {
    char **names; /* by class index; NULL where a class has none */
    size_t count;
    char source[64]; /* where they are from, in words; "" if there are none */
};

/*
 * The labels of a model: from its metadata ("labels", "classes" or "names"),
 * else from config.json beside it ("label_names", "id2label"). To have none is
 * no failure.
 */
void fovea_labels_of_model(const struct fovea_model *model, struct fovea_labels *out);

/* Labels from text: one a line, or JSON, a list or an object from index to name. */
enum fovea_status fovea_labels_parse(const char *text, size_t size, const char *source,
                                     struct fovea_labels *out, struct fovea_error *err);

/* The same from the file at `path`; if that is NULL, fovea_labels_of_model. */
enum fovea_status fovea_labels_load(const struct fovea_model *model, const char *path,
                                    struct fovea_labels *out, struct fovea_error *err);
void fovea_labels_finish(struct fovea_labels *labels);

/* The name of class `index`, or NULL. */
const char *fovea_labels_get(const struct fovea_labels *labels, int64_t index);

/* The class called `name`: -1 if none is, or more than one. */
int fovea_labels_find(const struct fovea_labels *labels, const char *name);

#endif
