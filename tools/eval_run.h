/*
 * An evaluation: every image of a dataset through a model, and what came of
 * each. Results depend on the list alone, not on threads, workers, streams or
 * batches, but for the rounding of sums that these put into another order.
 */
#ifndef FOVEA_TOOLS_EVAL_RUN_H
#define FOVEA_TOOLS_EVAL_RUN_H

#include "loaders/dataset.h"
#include "tools/classifier.h"
#include "tools/eval_pipeline.h"
#include "evaluation/scores.h"
#include "tools/streams.h"

enum { TOP_CLASSES = 5 };

struct image_result {
    enum image_state state;
    int label;
    struct prediction best[TOP_CLASSES]; /* best first, if state is IMAGE_OK */
    char *message;                       /* why it failed, or a warning; NULL for none */
};

struct eval {
    struct fovea_dataset dataset;
    struct classifier model;
    const struct fovea_jpeg_options *jpeg;
    int *labels; /* of each of the dataset's classes: the model's class */
    int workers;
    const struct classifier_options *options; /* lent; that `model` was made with */
    struct streams_setting setting;           /* how the work was divided in the end */
    bool choose;                              /* measure settings, and take the fastest */
    bool fixed_streams, fixed_batch;          /* what `setting` has of them is not to be changed */
    bool always_measure;                      /* even where there is little to gain */
    struct image_result *results;             /* one an image, in the dataset's order */
    float *logits;   /* [images, classes] if wanted, NaN where there are none */
    size_t n_best;   /* entries of best: at most TOP_CLASSES */
    double seconds;  /* from the first image to the last */
    int stop_signal; /* what stopped it early, or 0 */
};

/* Sums over the results. */
struct eval_counts {
    size_t listed, ok, failed, missing, not_done;
    size_t top1, top5;
    size_t warned; /* ok, but decoded with a warning */
};

/*
 * Which class of the model each class folder shows. Class folders that all are
 * labels of the model, whatever their order, stand for those; else folder i
 * (in sorted order) stands for class i, and numeric names for themselves.
 * `words` says which it was. FOVEA_ERR_INVALID if a class is not the model's.
 */
enum fovea_status eval_map_labels(struct eval *eval, char *words, size_t words_bytes,
                                  struct fovea_error *err);

/*
 * Run. SIGINT and SIGTERM end it after the batch at hand, with stop_signal
 * set; a second one kills. Failed images are named on stderr as they come.
 */
enum fovea_status eval_run(struct eval *eval, bool want_logits, struct fovea_error *err);

void eval_count(const struct eval *eval, struct eval_counts *out);

/* A zeroed one is fine. */
void eval_finish(struct eval *eval);

#endif
