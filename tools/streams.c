/* See streams.h. */
#include "tools/streams.h"

#include "runtime/plan.h"
#include "runtime/session.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

int streams_share(const struct streams_setting *setting, int index) {
    long long n = setting->streams, all = setting->threads;
    int share = (int)(all * (index + 1) / n - all * index / n);
    return share > 0 ? share : 1;
}

/* Whether `c` is what stream 0 is to be, so that it need not be made again. */
static bool fits(const struct classifier *c, const struct streams_setting *setting) {
    return c->session && c->threads == streams_share(setting, 0) &&
           (setting->batch == 0 || setting->batch == c->batch);
}

/*
 * One more stream. Of those there are, the memory that they work in is taken, but none of it may
 * have been touched: it is not in what is resident, which a session's memory is added to.
 */
static enum fovea_status add_stream(struct streams *s, const struct streams_setting *setting,
                                    const struct classifier_options *options, size_t limit,
                                    struct fovea_error *err) {
    size_t each = fovea_plan_bytes(fovea_session_get_plan(s->first->session));
    size_t aside = each * (size_t)s->count;
    struct classifier_options own = *options;
    own.model.threads = streams_share(setting, s->count);
    own.model.max_memory = limit - aside;
    enum fovea_status status = aside < limit
                                   ? classifier_share(&s->more[s->count - 1], s->first, &own, err)
                                   : fovea_fail(err, FOVEA_ERR_LIMIT, "there is no memory for it");
    if (status == FOVEA_ERR_LIMIT) {
        fovea_error_prefix(err, "stream %d of %d, with %zu bytes of %zu set aside for the others",
                           s->count + 1, setting->streams, aside, limit);
    }
    s->count += !status;
    return status;
}

enum fovea_status streams_init(struct streams *out, struct classifier *first,
                               const struct classifier_options *options,
                               const struct streams_setting *setting, struct fovea_error *err) {
    struct streams s = {.first = first, .count = 1};
    struct classifier_options own = *options;
    own.model.batch = setting->batch > 0 ? setting->batch : options->model.batch;
    own.model.threads = streams_share(setting, 0);
    enum fovea_status status = FOVEA_OK;
    if (!fits(first, setting)) {
        status = classifier_replan(first, &own, err);
    }
    if (status) {
        return status;
    }
    size_t limit = own.model.max_memory;
    limit = limit ? limit : fovea_resident_bytes() + fovea_default_memory_limit();
    s.more = calloc((size_t)setting->streams, sizeof(*s.more));
    if (!s.more) {
        return fovea_fail_memory(err, (size_t)setting->streams * sizeof(*s.more), "streams");
    }
    while (!status && s.count < setting->streams) {
        status = add_stream(&s, setting, &own, limit, err);
    }
    if (status) {
        streams_finish(&s);
        return status;
    }
    *out = s;
    return FOVEA_OK;
}

void streams_finish(struct streams *streams) {
    for (int i = 1; i < streams->count; i++) {
        classifier_finish(&streams->more[i - 1]);
    }
    free(streams->more);
    *streams = (struct streams){0};
}

struct classifier *streams_get(struct streams *streams, int index) {
    return index == 0 ? streams->first : &streams->more[index - 1];
}

/* ---- running ----------------------------------------------------------------- */

struct job {
    struct streams *streams;
    stream_fn fn;
    void *context;
    int index;
    pthread_t thread;
};

static void *work(void *context) {
    struct job *job = context;
    job->fn(job->context, streams_get(job->streams, job->index), job->index);
    return NULL;
}

enum fovea_status streams_run(struct streams *streams, stream_fn fn, void *context,
                              struct fovea_error *err) {
    struct job *jobs = calloc((size_t)streams->count, sizeof(*jobs));
    int started = 1, error = 0;
    if (!jobs) {
        return fovea_fail_memory(err, (size_t)streams->count * sizeof(*jobs), "threads");
    }
    for (int i = 0; i < streams->count; i++) {
        jobs[i] = (struct job){.streams = streams, .fn = fn, .context = context, .index = i};
    }
    while (!error && started < streams->count) {
        error = pthread_create(&jobs[started].thread, NULL, work, &jobs[started]);
        started += !error;
    }
    if (!error) {
        work(&jobs[0]);
    }
    for (int i = 1; i < started; i++) {
        pthread_join(jobs[i].thread, NULL);
    }
    free(jobs);
    return error ? fovea_fail(err, FOVEA_ERR_MEMORY, "cannot start a thread: %s", strerror(error))
                 : FOVEA_OK;
}
