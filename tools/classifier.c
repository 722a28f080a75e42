/* See classifier.h. */
#include "tools/classifier.h"

#include "runtime/model.h"

#include "runtime/tensor.h"
#include "tools/model_recipe.h"
#include "tools/model_session.h"
#include "tools/patch_grid.h"
#include "tools/say.h"

#include <stdlib.h>
#include <string.h>

static enum fovea_status check_model(const struct classifier *c, struct fovea_error *err) {
    const struct fovea_io *io = fovea_model_get_input(c->model, 0);
    if (fovea_model_n_inputs(c->model) != 1) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "the model has %zu inputs; an image classifier has one",
                          fovea_model_n_inputs(c->model));
    }
    if (io->rank != 4 || (io->dims[1] != 3 && io->dims[1] != -1)) {
        return fovea_fail(err, FOVEA_ERR_UNSUPPORTED,
                          "input '%s' is of rank %d with %lld channels; images go in as [N,3,H,W]",
                          fovea_quote(io->name).text, io->rank,
                          (long long)(io->rank > 1 ? io->dims[1] : 0));
    }
    if (io->dtype != FOVEA_F32 && !fovea_dtype_is_half(io->dtype)) {
        return fovea_fail(err, FOVEA_ERR_UNSUPPORTED,
                          "input '%s' is of type %s; images go in as f32, f16 or bf16",
                          fovea_quote(io->name).text, fovea_dtype_name(io->dtype));
    }
    return FOVEA_OK;
}

/* A side that the model fixes is not up to anybody: --size may only confirm it. */
static enum fovea_status fit_side(const char *what, int64_t fixed, bool by_flag, int *side,
                                  struct fovea_error *err) {
    if (fixed < 0 || fixed == *side) {
        return FOVEA_OK;
    }
    if (by_flag || fixed > FOVEA_RECIPE_SIZE_MAX || fixed < 1) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "the model's input has a fixed %s of %lld, not %d (sides: 1..%d)", what,
                          (long long)fixed, *side, FOVEA_RECIPE_SIZE_MAX);
    }
    *side = (int)fixed;
    return FOVEA_OK;
}

static enum fovea_status settle_recipe(struct classifier *c,
                                       const struct classifier_options *options,
                                       struct fovea_error *err) {
    enum fovea_status status = model_recipe_settle(c->model, c->model->path, &options->preprocess,
                                                   &c->recipe, c->note, sizeof(c->note), err);
    if (status) {
        return status;
    }
    struct fovea_recipe *r = &c->recipe;
    const int64_t *dims = fovea_model_get_input(c->model, 0)->dims;
    bool by_flag = r->source[FOVEA_RECIPE_SIZE] == FOVEA_FROM_FLAG;
    int height = r->height, width = r->width;
    status = fit_side("height", dims[2], by_flag, &r->height, err);
    if (!status) {
        status = fit_side("width", dims[3], by_flag, &r->width, err);
    }
    if (!status && (height != r->height || width != r->width)) {
        snprintf(c->note, sizeof(c->note), "the recipe's size %dx%d gives way to the model's %dx%d",
                 height, width, r->height, r->width);
        r->source[FOVEA_RECIPE_SIZE] = FOVEA_FROM_METADATA;
    }
    if (!status) {
        patch_grid_note(c->model, r->height, r->width, c->patches, sizeof(c->patches));
    }
    return status;
}

static enum fovea_status settle_batch(struct classifier *c,
                                      const struct classifier_options *options,
                                      struct fovea_error *err) {
    int64_t fixed = fovea_model_get_input(c->model, 0)->dims[0];
    int asked = fixed < 0 && options->open_batch ? options->open_batch : options->model.batch;
    if (fixed >= 0 && asked > 0 && asked != fixed) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "the model's input has a fixed batch of %lld; --batch %d cannot be",
                          (long long)fixed, asked);
    }
    int64_t planned = model_planned_dim(c->model, 0, 0);
    int64_t open = asked > 0 ? asked : planned > 0 ? planned : options->default_batch;
    c->batch = fixed >= 0 ? fixed : open;
    if (c->batch < 1) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "the model's input has a batch of %lld",
                          (long long)c->batch);
    }
    return FOVEA_OK;
}

/* Room for `tensor`; zeroed, so that rows nobody fills are ordinary numbers. */
static enum fovea_status make_room(struct fovea_tensor *tensor, struct fovea_error *err) {
    size_t bytes = fovea_tensor_bytes(tensor);
    tensor->data = fovea_aligned_alloc(bytes);
    if (!tensor->data) {
        return fovea_fail_memory(err, bytes, "a batch");
    }
    memset(tensor->data, 0, bytes);
    return FOVEA_OK;
}

static enum fovea_status make_input(struct classifier *c, struct fovea_error *err) {
    const struct fovea_recipe *r = &c->recipe;
    const int64_t dims[] = {c->batch, 3, r->height, r->width};
    struct fovea_tensor pixels = {0};
    c->inputs = calloc(1, sizeof(*c->inputs));
    if (!c->inputs) {
        return fovea_fail_memory(err, sizeof(*c->inputs), "an input");
    }
    fovea_tensor_set_shape(c->inputs, fovea_model_get_input(c->model, 0)->dtype, 4, dims);
    fovea_tensor_set_shape(&pixels, FOVEA_F32, 4, dims);
    c->image_floats = 3 * (size_t)r->height * (size_t)r->width;
    enum fovea_status status = fovea_tensor_check_shape(&pixels, err);
    if (!status) {
        status = make_room(&pixels, err);
    }
    c->pixels = pixels.data;
    if (!status && c->inputs->dtype != FOVEA_F32) {
        status = make_room(c->inputs, err);
    }
    if (!status && c->inputs->dtype == FOVEA_F32) {
        c->inputs->data = c->pixels;
    }
    return status;
}

/* Logits are a float [N, classes], perhaps with 1s around the classes. */
static bool has_logits(const struct fovea_tensor *y, int64_t batch) {
    int wide = 0;
    for (int d = 1; d < y->rank; d++) {
        wide += y->dims[d] != 1;
    }
    return y->rank >= 2 && y->dims[0] == batch && wide <= 1 && fovea_dtype_is_float(y->dtype) &&
           fovea_tensor_count(y) > 0;
}

static enum fovea_status make_outputs(struct classifier *c, struct fovea_error *err) {
    c->n_outputs = fovea_model_n_outputs(c->model);
    c->outputs = calloc(c->n_outputs ? c->n_outputs : 1, sizeof(*c->outputs));
    enum fovea_status status =
        c->outputs ? FOVEA_OK : fovea_fail_memory(err, sizeof(*c->outputs), "outputs");
    c->output = c->n_outputs;
    for (size_t i = 0; !status && i < c->n_outputs; i++) {
        fovea_session_output_shape(c->session, i, &c->outputs[i]);
        if (c->output == c->n_outputs && has_logits(&c->outputs[i], c->batch)) {
            c->output = i;
        }
        status = make_room(&c->outputs[i], err);
    }
    if (status) {
        return status;
    }
    if (c->output == c->n_outputs) {
        return fovea_fail(
            err, FOVEA_ERR_INVALID,
            "no output has the shape of logits, [%lld,classes]; the first of %zu is %s",
            (long long)c->batch, c->n_outputs,
            c->n_outputs ? fovea_shape_text(&c->outputs[0]).text : "none");
    }
    const struct fovea_tensor *y = &c->outputs[c->output];
    c->classes = fovea_tensor_count(y) / c->batch;
    struct fovea_tensor logits = {.rank = 2, .dims = {c->batch, c->classes}, .dtype = FOVEA_F32};
    status = make_room(&logits, err);
    c->logits = logits.data;
    return status;
}

static enum fovea_status open_model(struct classifier *c, const struct classifier_options *options,
                                    struct fovea_error *err) {
    enum fovea_status status =
        model_options_load(&options->model, options->path,
                           fovea_preprocess_options_side(&options->preprocess), &c->model, err);
    if (!status) {
        status = check_model(c, err);
    }
    if (!status) {
        status = settle_recipe(c, options, err);
    }
    return status ? status
                  : labels_load(c->model, c->model->path, options->labels, &c->labels, err);
}

/* Batch, buffers and session; what there is of them so far is the caller's to release. */
static enum fovea_status plan(struct classifier *c, const struct classifier_options *options,
                              struct fovea_error *err) {
    enum fovea_status status = settle_batch(c, options, err);
    c->threads = options->model.threads;
    if (!status) {
        status = make_input(c, err);
    }
    if (!status) {
        status = model_session_create(&options->model, c->model, c->inputs, &c->session, err);
    }
    return status ? status : make_outputs(c, err);
}

enum fovea_status classifier_init(struct classifier *out, const struct classifier_options *options,
                                  struct fovea_error *err) {
    struct classifier c = {.path = options->path};
    enum fovea_status status = open_model(&c, options, err);
    if (!status) {
        status = plan(&c, options, err);
    }
    if (status) {
        classifier_finish(&c);
        return status;
    }
    *out = c;
    return FOVEA_OK;
}

enum fovea_status classifier_share(struct classifier *out, const struct classifier *owner,
                                   const struct classifier_options *options,
                                   struct fovea_error *err) {
    struct classifier c = {.path = owner->path, .model = owner->model, .recipe = owner->recipe};
    c.shares_model = true;
    enum fovea_status status = plan(&c, options, err);
    if (status) {
        classifier_finish(&c);
        return status;
    }
    *out = c;
    return FOVEA_OK;
}

/* Session and buffers. */
static void release_plan(struct classifier *c) {
    fovea_session_destroy(c->session);
    for (size_t i = 0; c->outputs && i < c->n_outputs; i++) {
        free(c->outputs[i].data);
    }
    free(c->outputs);
    if (c->inputs && c->inputs->data != c->pixels) {
        free(c->inputs->data);
    }
    free(c->inputs);
    free(c->pixels);
    free(c->logits);
    c->session = NULL;
    c->outputs = c->inputs = NULL;
    c->pixels = c->logits = NULL;
}

enum fovea_status classifier_replan(struct classifier *c, const struct classifier_options *options,
                                    struct fovea_error *err) {
    release_plan(c);
    return plan(c, options, err);
}

enum fovea_status classifier_run(struct classifier *c, struct fovea_error *err) {
    struct fovea_tensor *x = c->inputs;
    const struct fovea_tensor *y = &c->outputs[c->output];
    if (x->dtype != FOVEA_F32) {
        fovea_convert(FOVEA_F32, c->pixels, x->dtype, x->data, fovea_tensor_count(x));
    }
    enum fovea_status status = fovea_session_run(c->session, x, c->outputs, err);
    if (!status) {
        fovea_convert(y->dtype, y->data, FOVEA_F32, c->logits, fovea_tensor_count(y));
    }
    return status;
}

void classifier_print_recipe(const struct classifier *c) {
    fovea_preprocess_recipe_print(&c->recipe, stderr);
    if (c->note[0]) {
        say("note: %s", c->note);
    }
    if (c->patches[0]) {
        say("note: %s", c->patches);
    }
}

void classifier_finish(struct classifier *c) {
    release_plan(c);
    if (!c->shares_model) {
        fovea_model_destroy(c->model);
    }
    labels_finish(&c->labels);
    *c = (struct classifier){0};
}
