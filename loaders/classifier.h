/*
 * Classifiers (fovea.h): a recipe, labels, and sessions of one model for
 * batches of several sizes, of which a run takes the largest that it can fill.
 * Made in classifier.c, used in classify.c.
 */
#ifndef FOVEA_LOADERS_CLASSIFIER_H
#define FOVEA_LOADERS_CLASSIFIER_H

#include "loaders/image_batch.h"
#include "loaders/jpeg.h"
#include "loaders/labels.h"

/* Sizes are powers of two, and the batch asked for. */
enum { FOVEA_CLASSIFIER_BATCH = 1024, FOVEA_CLASSIFIER_LANES = 12 };

/* A session for one size of batch. */
struct fovea_classifier_lane {
    struct fovea_session *session;
    struct fovea_image_batch rows;
};

struct fovea_classifier {
    const struct fovea_model *model;
    struct fovea_recipe recipe;
    struct fovea_jpeg_options jpeg;
    struct fovea_labels labels;
    struct fovea_classifier_lane lanes[FOVEA_CLASSIFIER_LANES]; /* the largest first */
    size_t n_lanes;
    bool fixed;    /* the model has one size of batch, which may be filled in part */
    float *pixels; /* of one image; [batch, 3, h, w] if the size is fixed */
    float *logits; /* of one image; [batch, classes] if the size is fixed */
    char *recipe_text;
    char note[2048];
};

#endif
