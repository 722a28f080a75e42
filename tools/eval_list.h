/*
 * The list of an evaluation: which images, what each of them shows to the
 * model, and their bytes. All that the rest of it knows of datasets.
 */
#ifndef FOVEA_TOOLS_EVAL_LIST_H
#define FOVEA_TOOLS_EVAL_LIST_H

#include "evaluation/record.h"
#include "loaders/dataset.h"
#include "tools/classifier.h"

/* What the command line says of images and labels. */
struct eval_list_options {
    const char *path;
    struct fovea_dataset_options files;
    const char *label_map; /* or NULL */
    bool subset;           /* only classes that the list has compete */
};

struct eval_list {
    struct fovea_dataset dataset;
    struct eval_record *records; /* [count]: path and labels, nothing done */
    size_t count;
    bool *among;        /* [classes of the model] that compete; NULL: all */
    const char **names; /* [classes of the model] as the list calls them, lent by the dataset;
                           NULL unless it has a name, not just a number, for each */
    bool unlike;        /* the model has labels, and the list's classes are not among them */
    struct fovea_dataset_words words; /* what it is, in one line */
};

enum fovea_status eval_list_load(struct eval_list *list, const struct eval_list_options *options,
                                 struct fovea_error *err);

/*
 * Which class of the model each class of the list is. With a label map, what
 * that says; else, classes that all are labels of the model, whatever their
 * order, stand for those; else numeric names are the class itself, and names,
 * if there are as many as the model has classes, stand for them in sorted
 * order. Makes the records. FOVEA_ERR_INVALID if a class is not the model's.
 */
enum fovea_status eval_list_label(struct eval_list *list, const struct eval_list_options *options,
                                  const struct classifier *model, struct fovea_error *err);

/* How many images have no label. */
size_t eval_list_unscored(const struct eval_list *list);

/*
 * The bytes of image `index`, for the caller to free. If there are none,
 * *state is EVAL_MISSING or EVAL_FAILED; it is left alone otherwise. Safe to
 * call from several threads.
 */
enum fovea_status eval_list_read(const struct eval_list *list, size_t index, uint8_t **bytes,
                                 size_t *size, enum eval_state *state, struct fovea_error *err);

/* A zeroed one is fine. */
void eval_list_finish(struct eval_list *list);

#endif
