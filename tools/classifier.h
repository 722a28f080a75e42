/*
 * A model that takes a batch of images and gives logits, with its recipe.
 */
#ifndef FOVEA_TOOLS_CLASSIFIER_H
#define FOVEA_TOOLS_CLASSIFIER_H

#include "loaders/image_batch.h"
#include "loaders/labels.h"
#include "loaders/recipe.h"
#include "tools/model_options.h"
#include "tools/preprocess_options.h"

/* What to open and how. */
struct classifier_options {
    const char *path;
    struct model_options model;
    struct fovea_preprocess_options preprocess;
    const char *labels; /* a file of labels, or NULL */
    int default_batch;  /* where neither the model nor --batch says */
    int open_batch;     /* if not 0: whatever --batch says, unless the model fixes it */
};

struct classifier {
    const char *path; /* lent */
    struct fovea_model *model;
    bool shares_model; /* it belongs to another classifier */
    struct fovea_session *session;
    struct fovea_recipe recipe; /* the one used; complete */
    char note[640];             /* about the recipe, for the user; or "" */
    char patches[160];          /* about patches that do not fit the size; or "" */
    struct fovea_labels labels;
    int64_t batch, classes;
    int threads;                   /* of the session, as asked for; 0: the default */
    size_t image_floats;           /* 3 * height * width */
    float *pixels;                 /* [batch, 3, height, width], to be filled by the caller */
    float *logits;                 /* [batch, classes], made by classifier_run */
    struct fovea_image_batch rows; /* the same in the model's types, and its other outputs */
};

/*
 * Load the model, settle recipe and shapes, and plan.
 *
 * FOVEA_ERR_INVALID if the model is no classifier of RGB images, or what was
 * asked contradicts it. `out` need not be finished after a failure.
 */
enum fovea_status classifier_init(struct classifier *out, const struct classifier_options *options,
                                  struct fovea_error *err);

/*
 * Another session of the same model, with batch and threads of its own, for
 * another thread. It has no labels; `owner` outlives it.
 */
enum fovea_status classifier_share(struct classifier *out, const struct classifier *owner,
                                   const struct classifier_options *options,
                                   struct fovea_error *err);

/*
 * Another batch or number of threads: session and buffers are made anew. After
 * a failure there is no session, until this succeeds.
 */
enum fovea_status classifier_replan(struct classifier *classifier,
                                    const struct classifier_options *options,
                                    struct fovea_error *err);

/* From pixels to logits, the whole batch. Rows that were not filled are not to be looked at. */
enum fovea_status classifier_run(struct classifier *classifier, struct fovea_error *err);

/* The recipe and what there is to say about it and the labels, to stderr. */
void classifier_print_recipe(const struct classifier *classifier);

void classifier_finish(struct classifier *classifier);

#endif
