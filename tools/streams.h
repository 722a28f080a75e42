/*
 * Throughput: several sessions of one model at work at the same time, each in a
 * thread of its own with its share of the threads. One image after the other on
 * all threads answers soonest; several at once waste less waiting for each other.
 */
#ifndef FOVEA_TOOLS_STREAMS_H
#define FOVEA_TOOLS_STREAMS_H

#include "tools/classifier.h"

enum { MAX_STREAMS = 1024 };

/* How the work is divided. */
struct streams_setting {
    int streams;
    int threads; /* of all streams together; each has at least one */
    int batch;   /* images per run; 0: as the options say */
};

struct streams {
    struct classifier *first; /* lent; owns the model */
    struct classifier *more;  /* [count - 1] */
    int count;
};

/* Threads of stream `index`. */
int streams_share(const struct streams_setting *setting, int index);

/*
 * Bring `first` and as many others as it takes into that setting. `options` are
 * those that `first` was made with; a memory limit in them, or that of the
 * library, is for all streams together, FOVEA_ERR_LIMIT if they would go over it.
 * After a failure there are no streams.
 */
enum fovea_status streams_init(struct streams *out, struct classifier *first,
                               const struct classifier_options *options,
                               const struct streams_setting *setting, struct fovea_error *err);
void streams_finish(struct streams *streams);

struct classifier *streams_get(struct streams *streams, int index);

/* What one stream does with its classifier; runs in its thread. */
typedef void (*stream_fn)(void *context, struct classifier *classifier, int index);

/* Do `fn` for all streams at once, and wait. FOVEA_ERR_MEMORY if threads cannot be started: then
 * those that were are let finish. */
enum fovea_status streams_run(struct streams *streams, stream_fn fn, void *context,
                              struct fovea_error *err);

#endif
