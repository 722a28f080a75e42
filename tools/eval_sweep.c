/* See eval_sweep.h: the work. What is printed of it is in sweep_report.c. */
#include "tools/eval_sweep.h"

#include "loaders/logits.h"
#include "loaders/preprocess.h"
#include "runtime/parallel.h"
#include "tools/exit_codes.h"
#include "tools/progress.h"
#include "tools/say.h"
#include "tools/sweep_axes.h"
#include "tools/sweep_report.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_BATCH = 16 };

/* ---- one image ----------------------------------------------------------------- */

/* The variants of a decoded image that make the next batch. */
struct batch {
    const struct sweep *sweep;
    const struct fovea_image *decoded;
    size_t first; /* variant of row 0 */
    float *pixels;
    size_t image_floats;
    struct fovea_error *errors; /* [rows] */
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

/* Note for a variant whether its logits are right about the image. */
static void judge(struct sweep_variant *variant, const struct eval_list *list, size_t index,
                  const float *logits, int64_t classes) {
    struct fovea_result best[EVAL_TOP];
    struct eval_record record = list->records[index];
    record.n_top = fovea_logits_top(logits, list->among, classes, EVAL_TOP, best);
    for (size_t k = 0; k < record.n_top; k++) {
        record.top[k] = (struct eval_answer){best[k].class_index, best[k].logit};
    }
    int place = fovea_logits_are_broken(logits, classes) ? -1 : eval_record_hit(&record);
    variant->top1 += place == 0;
    variant->top5 += place >= 0;
    variant->right[index] = place == 0;
}

static enum fovea_status run_batch(struct sweep *sweep, struct eval *eval, struct batch *b,
                                   size_t rows, size_t index, struct fovea_error *err) {
    struct classifier *model = &eval->model;
    fovea_parallel_items((int64_t)rows, prepare_row, b);
    for (size_t r = 0; r < rows; r++) {
        if (b->errors[r].status) {
            *err = b->errors[r];
            return err->status;
        }
    }
    enum fovea_status status = classifier_run(model, err);
    for (size_t r = 0; !status && r < rows; r++) {
        judge(&sweep->variants[b->first + r], &eval->list, index,
              model->logits + r * (size_t)model->classes, model->classes);
    }
    return status;
}

/* Read and decode image `index`. *state, if it is not EVAL_OK, says how that failed. */
static enum fovea_status decode(const struct eval *eval, size_t index, struct fovea_image *out,
                                enum eval_state *state, struct fovea_error *err) {
    struct fovea_jpeg_options options;
    uint8_t *bytes = NULL;
    size_t size = 0;
    *state = EVAL_FAILED;
    enum fovea_status status = eval_list_read(&eval->list, index, &bytes, &size, state, err);
    if (!status) {
        fovea_preprocess_jpeg_options(&eval->model.recipe, eval->jpeg, &options);
        status = fovea_jpeg_decode(bytes, size, &options, out, NULL, err);
        free(bytes);
    }
    return status;
}

/* All variants of one image. What is wrong with the image is no failure of the sweep. */
static enum fovea_status do_image(struct sweep *sweep, struct eval *eval, struct batch *b,
                                  size_t index, struct fovea_error *err) {
    struct fovea_image decoded;
    struct eval_record *record = &eval->list.records[index];
    if (decode(eval, index, &decoded, &record->state, err)) {
        progress_clear_line();
        say("%s: %s", record->path, err->message);
        return FOVEA_OK;
    }
    enum fovea_status status = FOVEA_OK;
    size_t batch = (size_t)eval->model.batch;
    b->decoded = &decoded;
    for (b->first = 0; !status && b->first < sweep->n_variants; b->first += batch) {
        size_t left = sweep->n_variants - b->first;
        status = run_batch(sweep, eval, b, left < batch ? left : batch, index, err);
    }
    record->state = EVAL_OK;
    fovea_image_finish(&decoded);
    return status;
}

/* ---- all of them ----------------------------------------------------------------- */

static enum fovea_status do_images(struct sweep *sweep, struct eval *eval,
                                   struct fovea_error *err) {
    struct progress progress;
    struct batch b = {.sweep = sweep, .pixels = eval->model.pixels};
    b.image_floats = eval->model.image_floats;
    b.errors = calloc((size_t)eval->model.batch, sizeof(*b.errors));
    if (!b.errors) {
        return fovea_fail_memory(err, sizeof(*b.errors), "errors");
    }
    enum fovea_status status = FOVEA_OK;
    progress_init(&progress, "images", eval->list.count);
    for (size_t i = 0; !status && i < eval->list.count; i++) {
        status = do_image(sweep, eval, &b, i, err);
        progress_set(&progress, i + 1);
    }
    progress_finish(&progress);
    free(b.errors);
    return status;
}

/* The variants of an image are what is computed together. */
static enum fovea_status open_model(struct evaluation *e, struct fovea_error *err) {
    struct classifier_options first = e->options;
    first.default_batch = MAX_BATCH;
    e->eval.options = &e->options;
    e->eval.jpeg = &e->options.preprocess.jpeg;
    enum fovea_status status = eval_list_load(&e->eval.list, &e->list, err);
    if (!status) {
        status = classifier_init(&e->eval.model, &first, err);
    }
    return status ? status : eval_list_label(&e->eval.list, &e->list, &e->eval.model, err);
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
    status = do_images(sweep, eval, err);
    if (!status && json_target_wants_text(&e->json)) {
        sweep_print(sweep, &eval->list);
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
    int code = EXIT_DONE;
    if (status) {
        code = say_failure("eval", &err);
    } else {
        eval_count(&e->eval, &counts);
        code = counts.failed + counts.missing > 0 ? EXIT_SOME_FAILED : EXIT_DONE;
    }
    sweep_finish(&sweep);
    eval_finish(&e->eval);
    return code;
}
