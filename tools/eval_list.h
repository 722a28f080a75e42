/*
 * The list of an evaluation: which images, what each of them shows to the
 * model, and their bytes. All that the rest of it knows of datasets.
 */
#ifndef FOVEA_TOOLS_EVAL_LIST_H
#define FOVEA_TOOLS_EVAL_LIST_H

#include "evaluation/record.h"
#include "loaders/dataset.h"
#include "tools/classifier.h"

struct eval_list {
    struct fovea_dataset dataset;
    struct eval_record *records; /* [count]: path and labels, nothing done */
    size_t count;
    char words[160]; /* where the labels are from */
};

enum fovea_status eval_list_load(struct eval_list *list, const char *path, struct fovea_error *err);

/*
 * Which class of the model each class folder shows. Class folders that all are
 * labels of the model, whatever their order, stand for those; else folder i
 * (in sorted order) stands for class i, and numeric names for themselves.
 * Makes the records. FOVEA_ERR_INVALID if a class is not the model's.
 */
enum fovea_status eval_list_label(struct eval_list *list, const struct classifier *model,
                                  struct fovea_error *err);

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
