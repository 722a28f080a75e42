/*
 * A classifier of libfovea, counted by its users.
 */
#include "engine.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct engine {
    atomic_int refs;
    struct fovea_model *model;
    /*
     * One a stream, and, if these are several, one on all threads for a request that is alone; they
     * share weights. What is const of a classifier is asked of the first.
     */
    struct fovea_classifier **streams, *whole;
    int n_streams; /* made */
    size_t output, classes, max_batch;
    int width, height;
};

static enum fovea_status fail(struct fovea_error *err, enum fovea_status status, const char *what,
                              const char *which) {
    err->status = status;
    snprintf(err->message, sizeof(err->message), "%s %s", what, which);
    return status;
}

/* The contents of a file of labels as a string; NULL after a failure. */
static char *read_text(const char *path) {
    enum { MOST = 16 << 20 };
    FILE *file = fopen(path, "rb");
    char *text = NULL;
    size_t size = 0;
    if (!file) {
        return NULL;
    }
    if (fseek(file, 0, SEEK_END) == 0) {
        long end = ftell(file);
        rewind(file);
        text = end >= 0 && end <= MOST ? malloc((size_t)end + 1) : NULL;
        size = text ? fread(text, 1, (size_t)end, file) : 0;
    }
    fclose(file);
    if (text) {
        text[size] = '\0';
    }
    return text;
}

static enum fovea_status parse_precision(const char *name, enum fovea_precision *out,
                                         struct fovea_error *err) {
    static const char *const names[] = {
        [FOVEA_PRECISION_F32] = "f32",
        [FOVEA_PRECISION_BF16] = "bf16",
        [FOVEA_PRECISION_AUTO] = "auto",
    };
    for (size_t i = 0; name && i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(name, names[i]) == 0) {
            *out = (enum fovea_precision)i;
            return FOVEA_OK;
        }
    }
    return name ? fail(err, FOVEA_ERR_INVALID, "no such precision:", name) : FOVEA_OK;
}

/* Streams share the threads: as many for each as go, and one more for the first few. */
static int share_of(int threads, int streams, int stream) {
    int own = threads / streams + (stream < threads % streams);
    return own > 0 ? own : 1;
}

/* The streams, and the classifier for what is alone, as `how` says but for their threads. */
static enum fovea_status make_streams(struct engine *engine, const struct service_options *options,
                                      struct fovea_classifier_options *how,
                                      struct fovea_session_options *session,
                                      struct fovea_error *err) {
    engine->streams = calloc((size_t)options->streams, sizeof(struct fovea_classifier *));
    if (!engine->streams) {
        return fail(err, FOVEA_ERR_MEMORY, "no memory for", "streams");
    }
    how->session = session;
    for (; engine->n_streams < options->streams; engine->n_streams++) {
        session->threads = share_of(options->threads, options->streams, engine->n_streams);
        if (fovea_classifier_create(engine->model, how, &engine->streams[engine->n_streams], err)) {
            return err->status;
        }
    }
    if (options->streams == 1) {
        return FOVEA_OK;
    }
    session->threads = options->threads;
    how->batch = 1;
    return fovea_classifier_create(engine->model, how, &engine->whole, err);
}

static enum fovea_status make_classifiers(struct engine *engine,
                                          const struct service_options *options,
                                          struct fovea_error *err) {
    struct fovea_session_options session;
    struct fovea_classifier_options how;
    char *labels = NULL;
    fovea_session_options_default(&session);
    fovea_classifier_options_default(&how);
    fovea_model_get_session_options(engine->model, &session);
    if (parse_precision(options->precision, &session.precision, err)) {
        return err->status;
    }
    if (options->labels) {
        labels = read_text(options->labels);
        if (!labels) {
            return fail(err, FOVEA_ERR_IO, "cannot read the labels in", options->labels);
        }
    }
    how.batch = options->max_batch;
    how.size = options->size;
    how.recipe = options->recipe;
    how.labels = labels;
    enum fovea_status status = make_streams(engine, options, &how, &session, err);
    free(labels);
    return status;
}

/* Which output has the logits: the only one, or the first with as many as there are classes. */
static size_t find_output(const struct engine *engine) {
    size_t n = fovea_model_n_outputs(engine->model);
    for (size_t i = 0; n > 1 && i < n; i++) {
        const struct fovea_io *io = fovea_model_get_output(engine->model, i);
        if (io->rank == 2 && io->dims[1] == (int64_t)engine->classes) {
            return i;
        }
    }
    return 0;
}

void engine_share_threads(struct service_options *options) {
    if (options->threads == 0) {
        options->threads = fovea_cpu_budget();
    }
    if (options->streams == 0) {
        int threads = options->threads;
        options->streams = threads < 2 ? 1 : threads < 8 ? 2 : threads / 4;
    }
}

enum fovea_status engine_load(const struct service_options *options, struct engine **out,
                              struct fovea_error *err) {
    struct engine *engine = calloc(1, sizeof(*engine));
    if (!engine) {
        return fail(err, FOVEA_ERR_MEMORY, "no memory for", "an engine");
    }
    atomic_init(&engine->refs, 1);
    if (fovea_model_load(options->model, NULL, &engine->model, err) ||
        make_classifiers(engine, options, err)) {
        engine_unref(engine);
        return err->status;
    }
    fovea_classifier_input_size(engine->streams[0], &engine->width, &engine->height);
    engine->classes = fovea_classifier_n_classes(engine->streams[0]);
    engine->max_batch = fovea_classifier_batch(engine->streams[0]);
    engine->output = find_output(engine);
    *out = engine;
    return FOVEA_OK;
}

struct engine *engine_ref(struct engine *engine) {
    atomic_fetch_add(&engine->refs, 1);
    return engine;
}

void engine_unref(struct engine *engine) {
    if (!engine || atomic_fetch_sub(&engine->refs, 1) > 1) {
        return;
    }
    for (int i = 0; i < engine->n_streams; i++) {
        fovea_classifier_destroy(engine->streams[i]);
    }
    free(engine->streams);
    fovea_classifier_destroy(engine->whole);
    fovea_model_destroy(engine->model);
    free(engine);
}

const char *engine_input_name(const struct engine *engine) {
    return fovea_model_get_input(engine->model, 0)->name;
}

const char *engine_output_name(const struct engine *engine) {
    return fovea_model_get_output(engine->model, engine->output)->name;
}

int engine_height(const struct engine *engine) {
    return engine->height;
}

int engine_width(const struct engine *engine) {
    return engine->width;
}

size_t engine_image_floats(const struct engine *engine) {
    return (size_t)3 * (size_t)engine->width * (size_t)engine->height;
}

size_t engine_classes(const struct engine *engine) {
    return engine->classes;
}

size_t engine_max_batch(const struct engine *engine) {
    return engine->max_batch;
}

bool engine_fixed_batch(const struct engine *engine) {
    return fovea_model_get_input(engine->model, 0)->dims[0] >= 0;
}

const char *engine_note(const struct engine *engine) {
    return fovea_classifier_get_note(engine->streams[0]);
}

enum fovea_status engine_prepare(const struct engine *engine, const void *jpeg, size_t size,
                                 float *out, struct fovea_error *err) {
    return fovea_classifier_preprocess_jpeg(engine->streams[0], jpeg, size, out, err);
}

enum fovea_status engine_run(struct engine *engine, int stream, const float *images, size_t n,
                             float *logits, const struct fovea_cancel *cancel,
                             struct fovea_error *err) {
    struct fovea_run_options options;
    fovea_run_options_default(&options);
    options.cancel = cancel;
    struct fovea_classifier *classifier =
        stream == ENGINE_WHOLE ? engine->whole : engine->streams[stream];
    return fovea_classifier_run(classifier, images, n, logits, &options, err);
}

enum fovea_status engine_top(const struct engine *engine, const float *logits, size_t k,
                             struct fovea_result *results, size_t *n, struct fovea_error *err) {
    return fovea_classifier_top(engine->streams[0], logits, k, results, n, err);
}
