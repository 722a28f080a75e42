/*
 * See eval_sweep.h: the work. What is printed of it is in sweep_report.c.
 *
 * Threads decode images ahead; then all of them resize one image's variants,
 * and compute them as one batch.
 */
#include "tools/eval_sweep.h"

#include "loaders/logits.h"
#include "loaders/preprocess.h"
#include "runtime/parallel.h"
#include "tools/eval_pipeline.h"
#include "tools/progress.h"
#include "tools/say.h"
#include "tools/stop_signals.h"
#include "tools/sweep_axes.h"
#include "tools/sweep_report.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_BATCH = 16 };

/* ---- one image ----------------------------------------------------------------- */

/* An image under all recipes: the variants of the next batch, and what came of those before. */
struct batch {
    const struct sweep *sweep;
    const struct fovea_image *decoded;
    size_t first; /* variant of row 0 */
    float *pixels;
    size_t image_floats;
    struct fovea_error *errors; /* [rows] */
    int *places;                /* [variants] of the label in the answer, from 0; -1: not there */
};

static void prepare_row(void *context, int64_t row) {
    struct batch *b = context;
    const struct fovea_recipe *recipe = &b->sweep->variants[b->first + (size_t)row].recipe;
    struct fovea_error *err = &b->errors[row];
    struct fovea_image cropped;
    err->status = fovea_preprocess_image(recipe, b->decoded, &cropped, err);
    if (!err->status) {
        fovea_preprocess_normalize(recipe, &cropped, b->pixels + (size_t)row * b->image_floats);
        fovea_image_finish(&cropped);
    }
}

/* Which of the best classes is a label; -1 for none. Of logits that are numbers. */
static int place_of(const struct eval_list *list, size_t index, const float *logits,
                    int64_t classes) {
    struct fovea_result best[EVAL_TOP];
    struct eval_record record = list->records[index];
    record.n_top = fovea_logits_top(logits, list->among, classes, EVAL_TOP, best);
    for (size_t k = 0; k < record.n_top; k++) {
        record.top[k] = (struct eval_answer){best[k].class_index, best[k].logit};
    }
    return eval_record_hit(&record);
}

/* One batch. *fault: what is wrong with the image, or its answer: no failure of the sweep. */
static enum fovea_status run_batch(struct eval *eval, struct batch *b, size_t rows, size_t index,
                                   enum fovea_status *fault, struct fovea_error *err) {
    struct classifier *model = &eval->model;
    fovea_parallel_items((int64_t)rows, prepare_row, b);
    for (size_t r = 0; r < rows; r++) {
        if (b->errors[r].status) {
            *err = b->errors[r];
            *fault = err->status;
            return FOVEA_OK;
        }
    }
    enum fovea_status status = classifier_run(model, err);
    for (size_t r = 0; !status && r < rows; r++) {
        const float *logits = model->logits + r * (size_t)model->classes;
        if (fovea_logits_are_broken(logits, model->classes)) {
            *fault = fovea_fail(err, FOVEA_ERR_INVALID, EVAL_BROKEN_LOGITS);
            return FOVEA_OK;
        }
        b->places[b->first + r] = place_of(&eval->list, index, logits, model->classes);
    }
    return status;
}

static void note_failure(struct eval_record *record, enum eval_state state, const char *words) {
    record->state = state;
    say("%s: %s", record->path, words);
}

/* All variants of one decoded image. */
static enum fovea_status do_image(struct sweep *sweep, struct eval *eval, struct batch *b,
                                  size_t index, struct fovea_error *err) {
    struct eval_record *record = &eval->list.records[index];
    enum fovea_status status = FOVEA_OK, fault = FOVEA_OK;
    size_t batch = (size_t)eval->model.batch;
    for (b->first = 0; !status && !fault && b->first < sweep->n_variants; b->first += batch) {
        size_t left = sweep->n_variants - b->first;
        status = run_batch(eval, b, left < batch ? left : batch, index, &fault, err);
    }
    if (status || fault) {
        note_failure(record, EVAL_FAILED, err->message);
        return status;
    }
    record->state = EVAL_OK;
    for (size_t v = 0; v < sweep->n_variants; v++) {
        struct sweep_variant *variant = &sweep->variants[v];
        variant->top1 += b->places[v] == 0;
        variant->top5 += b->places[v] >= 0;
        variant->right[index] = b->places[v] == 0;
    }
    return FOVEA_OK;
}

/* ---- all of them ----------------------------------------------------------------- */

/* An image, decoded: struct pipeline_product. */
static enum fovea_status decode(const void *context, const uint8_t *bytes, size_t size, void *out,
                                struct fovea_jpeg_report *report, struct fovea_error *err) {
    const struct eval *eval = context;
    struct fovea_jpeg_options options;
    fovea_preprocess_jpeg_options(&eval->model.recipe, eval->jpeg, &options);
    return fovea_jpeg_decode(bytes, size, &options, out, report, err);
}

static void finish_decoded(void *image) {
    fovea_image_finish(image);
}

/* The list's images in their order. */
struct share {
    size_t next, count;
};

static size_t next_image(void *context) {
    struct share *share = context;
    return share->next < share->count ? share->next++ : EVAL_NO_IMAGE;
}

static enum fovea_status do_images(struct sweep *sweep, struct eval *eval, struct batch *b,
                                   struct pipeline *pipeline, struct fovea_error *err) {
    const volatile sig_atomic_t *stop = stop_signals_caught();
    struct prepared_image image;
    struct progress progress;
    enum fovea_status status = FOVEA_OK;
    size_t failures = 0;
    progress_init(&progress, "images", eval->list.count);
    for (size_t done = 1; !status && pipeline_peek(pipeline, stop) != EVAL_NO_IMAGE; done++) {
        struct fovea_image decoded = {0};
        pipeline_take(pipeline, &decoded, &image);
        b->decoded = &decoded;
        if (image.state == EVAL_OK) {
            status = do_image(sweep, eval, b, image.index, err);
        } else {
            note_failure(&eval->list.records[image.index], image.state, image.message);
        }
        fovea_image_finish(&decoded);
        failures += eval->list.records[image.index].state != EVAL_OK;
        status = status ? status : eval_check_failures(eval, failures, err);
        progress_set(&progress, done);
    }
    progress_finish(&progress);
    return status ? status : pipeline_status(pipeline, err);
}

static enum fovea_status do_all(struct sweep *sweep, struct eval *eval, struct fovea_error *err) {
    struct share share = {.count = eval->list.count};
    struct pipeline *pipeline = NULL;
    const struct pipeline_source source = {
        .list = &eval->list,
        .next = next_image,
        .context = &share,
        .product = {.bytes = sizeof(struct fovea_image),
                    .make = decode,
                    .finish = finish_decoded,
                    .context = eval},
        .timeout_s = eval->timeout_s,
    };
    struct batch b = {.sweep = sweep,
                      .pixels = eval->model.pixels,
                      .image_floats = eval->model.image_floats,
                      .errors = calloc((size_t)eval->model.batch, sizeof(*b.errors)),
                      .places = calloc(sweep->n_variants, sizeof(*b.places))};
    enum fovea_status status =
        b.errors && b.places
            ? pipeline_create(&source, eval->workers, 2 * (size_t)eval->workers, &pipeline, err)
            : fovea_fail_memory(err, sizeof(*b.errors), "a batch");
    struct stop_signals signals;
    stop_signals_watch(&signals);
    if (!status) {
        status = do_images(sweep, eval, &b, pipeline, err);
    }
    eval->stop_signal = *stop_signals_caught();
    stop_signals_unwatch(&signals);
    eval->abandoned = !pipeline_destroy(pipeline);
    free(b.errors);
    free(b.places);
    return status;
}

/* The variants of an image are what is computed together. */
static enum fovea_status open_model(struct evaluation *e, struct fovea_error *err) {
    struct classifier_options first = e->options;
    first.default_batch = MAX_BATCH;
    e->eval.options = &e->options;
    e->eval.jpeg = &e->options.preprocess.jpeg;
    eval_command_set_workers(e);
    enum fovea_status status = eval_list_load(&e->eval.list, &e->list, err);
    if (!status) {
        status = classifier_init(&e->eval.model, &first, err);
    }
    if (!status) {
        status = eval_list_label(&e->eval.list, &e->list, &e->eval.model, err);
    }
    return status ? status : eval_describe(&e->eval, err);
}

static enum fovea_status run(struct evaluation *e, struct sweep *sweep, struct fovea_error *err) {
    struct eval *eval = &e->eval;
    enum fovea_status status = open_model(e, err);
    if (!status) {
        status = sweep_init(sweep, e->sweep, &eval->model.recipe, eval->list.count, err);
    }
    if (status) {
        return status;
    }
    classifier_print_recipe(&eval->model);
    say("%s; %zu recipes", eval->list.words.text, sweep->n_variants);
    status = do_all(sweep, eval, err);
    if (!status && json_target_wants_text(&e->json)) {
        sweep_print(sweep, eval);
    }
    if (!status && e->json.on) {
        status = json_target_write(&e->json, sweep_json(sweep, eval), err);
    }
    return status;
}

int eval_sweep_run(struct evaluation *e, const struct operands *operands) {
    struct fovea_error err;
    struct sweep sweep = {0};
    struct eval_counts counts;
    e->options.path = operands->words[0];
    e->list.path = operands->words[1];
    enum fovea_status status = run(e, &sweep, &err);
    int code;
    if (status) {
        code = say_failure("eval", &err);
    } else {
        eval_count(&e->eval, &counts);
        code = eval_command_exit_code(&e->eval, &counts);
    }
    sweep_finish(&sweep);
    eval_finish(&e->eval);
    return code;
}
