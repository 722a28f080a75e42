/* See classifier.h. */
#include "tools/classifier.h"

#include "runtime/model.h"

#include "runtime/tensor.h"
#include "tools/model_session.h"
#include "tools/patch_grid.h"
#include "tools/say.h"

#include <stdlib.h>
#include <string.h>

static enum fovea_status settle_recipe(struct classifier *c,
                                       const struct classifier_options *options,
                                       struct fovea_error *err) {
    enum fovea_status status = fovea_preprocess_options_settle(
        &options->preprocess, c->model, &c->recipe, c->note, sizeof(c->note), err);
    if (!status) {
        status = fovea_image_batch_fit(c->model, &c->recipe, c->note, sizeof(c->note), err);
    }
    if (!status) {
        patch_grid_note(c->model, c->recipe.height, c->recipe.width, c->patches,
                        sizeof(c->patches));
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
    int64_t planned = fovea_model_planned_dim(c->model, 0, 0);
    int64_t open = asked > 0 ? asked : planned > 0 ? planned : options->default_batch;
    c->batch = fixed >= 0 ? fixed : open;
    if (c->batch < 1) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "the model's input has a batch of %lld",
                          (long long)c->batch);
    }
    return FOVEA_OK;
}

/* Zeroed, so that rows nobody fills are ordinary numbers. */
static enum fovea_status make_floats(int64_t count, float **out, struct fovea_error *err) {
    size_t bytes = (size_t)count * sizeof(float);
    *out = fovea_aligned_alloc(bytes);
    if (!*out) {
        return fovea_fail_memory(err, bytes, "a batch");
    }
    memset(*out, 0, bytes);
    return FOVEA_OK;
}

static enum fovea_status make_input(struct classifier *c, struct fovea_error *err) {
    enum fovea_status status =
        fovea_image_batch_init(&c->rows, c->model, &c->recipe, c->batch, err);
    if (!status) {
        status = make_floats(fovea_tensor_count(&c->rows.input), &c->pixels, err);
    }
    c->image_floats = c->rows.image_floats;
    if (!status && c->rows.input.dtype == FOVEA_F32) {
        c->rows.input.data = c->pixels;
    }
    return status;
}

static enum fovea_status make_outputs(struct classifier *c, struct fovea_error *err) {
    enum fovea_status status = fovea_image_batch_attach(&c->rows, c->session, err);
    c->classes = c->rows.classes;
    return status ? status : make_floats(c->batch * c->classes, &c->logits, err);
}

static enum fovea_status open_model(struct classifier *c, const struct classifier_options *options,
                                    struct fovea_error *err) {
    enum fovea_status status =
        model_options_load(&options->model, options->path,
                           fovea_preprocess_options_side(&options->preprocess), &c->model, err);
    if (!status) {
        status = fovea_image_batch_check(c->model, err);
    }
    if (!status) {
        status = settle_recipe(c, options, err);
    }
    return status ? status : fovea_labels_load(c->model, options->labels, &c->labels, err);
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
        status = model_session_create(&options->model, c->model, &c->rows.input, &c->session, err);
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
    fovea_image_batch_finish(&c->rows);
    free(c->pixels);
    free(c->logits);
    c->session = NULL;
    c->pixels = c->logits = NULL;
}

enum fovea_status classifier_replan(struct classifier *c, const struct classifier_options *options,
                                    struct fovea_error *err) {
    release_plan(c);
    return plan(c, options, err);
}

enum fovea_status classifier_run(struct classifier *c, struct fovea_error *err) {
    return fovea_image_batch_run(&c->rows, c->session, c->pixels, c->logits, NULL, err);
}

void classifier_print_recipe(const struct classifier *c) {
    fovea_preprocess_recipe_print(&c->recipe, stderr);
    if (c->note[0]) {
        say("note: %s", c->note);
    }
    if (c->patches[0]) {
        say("note: %s", c->patches);
    }
    if (c->labels.count > 0 && c->labels.count != (size_t)c->classes) {
        say("warning: %s has names for %zu classes; the model has %lld", c->labels.source,
            c->labels.count, (long long)c->classes);
    }
}

void classifier_finish(struct classifier *c) {
    release_plan(c);
    if (!c->shares_model) {
        fovea_model_destroy(c->model);
    }
    fovea_labels_finish(&c->labels);
    *c = (struct classifier){0};
}
