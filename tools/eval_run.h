/*
 * An evaluation: every image of a list through a model, and what came of each.
 * Records depend on the list alone, not on threads, workers, streams or
 * batches: see eval_streams.h.
 */
#ifndef FOVEA_TOOLS_EVAL_RUN_H
#define FOVEA_TOOLS_EVAL_RUN_H

#include "tools/eval_list.h"
#include "tools/streams.h"

/* What is said of an image whose answer is none. */
#define EVAL_BROKEN_LOGITS "the model's output has NaN or infinite logits"

/* Image i is of share `index` if i % count is that. count 0 or 1: all are. */
struct eval_shard {
    size_t index, count;
};

struct eval_journal;
struct ranks;

struct eval {
    struct eval_list list;   /* its records are filled by the run, unless they are done already */
    struct eval_shard shard; /* which of them are this run's */
    struct eval_journal *journal; /* lent; where every image goes that is done; or NULL */
    size_t n_resumed;             /* of this run's images, done before */
    struct ranks *ranks;          /* lent; the processes that share the list, or NULL */
    uint8_t *elsewhere;           /* [images] whether another rank's journal has it; or NULL */
    struct eval_description description;
    struct classifier model;
    const struct fovea_jpeg_options *jpeg;
    int workers;
    double timeout_s;    /* an image that takes longer to read has failed; 0: none does */
    size_t max_failures; /* images that may have no answer; SIZE_MAX: any number */
    bool gave_up;        /* more had none */
    bool abandoned; /* a thread still waits for a file, and uses what is here when it goes on */
    const struct classifier_options *options; /* lent; that `model` was made with */
    bool exact;                               /* every image by itself, on one thread */
    struct streams_setting setting;           /* how the work was divided in the end */
    bool choose;                              /* measure settings, and take the fastest */
    bool fixed_streams, fixed_batch;          /* what `setting` has of them is not to be changed */
    bool always_measure;                      /* even where there is little to gain */
    float *logits;   /* [images, classes] if wanted, NaN where there are none */
    double seconds;  /* from the first image to the last; sessions were there before */
    double busy;     /* the share of its time that the model was at work, not waiting for images */
    int stop_signal; /* what stopped it early, or 0 */
};

/* Sums over the records. */
struct eval_counts {
    size_t listed, ok, failed, missing, not_done;
    size_t labelled;
    size_t scored; /* ok, and labelled */
    size_t top1, top5;
    size_t warned; /* ok, but decoded with a warning */
};

bool eval_shard_has(const struct eval_shard *shard, size_t index);

/* Fill the description, once list and model are there. */
enum fovea_status eval_describe(struct eval *eval, struct fovea_error *err);

/*
 * Run. SIGINT and SIGTERM end it after the batch at hand, with stop_signal
 * set; a second one kills. So do more failures than max_failures, as an error.
 * Failed images are named on stderr as they come.
 * Images that have a state already are passed over.
 */
enum fovea_status eval_run(struct eval *eval, bool want_logits, struct fovea_error *err);

/* FOVEA_ERR_LIMIT, and gave_up set, if `failures` images without an answer are too many. */
enum fovea_status eval_check_failures(struct eval *eval, size_t failures, struct fovea_error *err);

/* Over this run's images. */
void eval_count(const struct eval *eval, struct eval_counts *out);

/* Over those of `shard`; NULL: all. */
void eval_count_records(const struct eval_record *records, size_t n_records,
                        const struct eval_shard *shard, struct eval_counts *out);

/* A zeroed one is fine. What was abandoned stays. */
void eval_finish(struct eval *eval);

#endif
