/* Images through a session: see image_batch.h. */
#include "loaders/image_batch.h"

#include "runtime/limits.h"
#include "runtime/model.h"
#include "runtime/session.h"
#include "runtime/tensor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- is it a classifier? ---------------------------------------------------- */

enum fovea_status fovea_image_batch_check(const struct fovea_model *model,
                                          struct fovea_error *err) {
    const struct fovea_io *io = fovea_model_get_input(model, 0);
    if (fovea_model_n_inputs(model) != 1) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "the model has %zu inputs; an image classifier has one",
                          fovea_model_n_inputs(model));
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

/* A side that the model fixes is not up to anybody: a flag may only confirm it. */
static enum fovea_status fit_side(const char *what, int64_t fixed, bool by_flag, int *side,
                                  struct fovea_error *err) {
    if (fixed < 0 || fixed == *side) {
        return FOVEA_OK;
    }
    if (by_flag || fixed > FOVEA_LIMIT_INPUT_SIDE || fixed < 1) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "the model's input has a fixed %s of %lld, not %d (sides: 1..%d)", what,
                          (long long)fixed, *side, FOVEA_LIMIT_INPUT_SIDE);
    }
    *side = (int)fixed;
    return FOVEA_OK;
}

enum fovea_status fovea_image_batch_fit(const struct fovea_model *model,
                                        struct fovea_recipe *recipe, char *note, size_t note_bytes,
                                        struct fovea_error *err) {
    const int64_t *dims = fovea_model_get_input(model, 0)->dims;
    bool by_flag = recipe->source[FOVEA_RECIPE_SIZE] == FOVEA_FROM_FLAG;
    int height = recipe->height, width = recipe->width;
    enum fovea_status status = fit_side("height", dims[2], by_flag, &recipe->height, err);
    if (!status) {
        status = fit_side("width", dims[3], by_flag, &recipe->width, err);
    }
    if (status && model->built && height != width) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "a ViT of a checkpoint is made for square inputs, not for %dx%d", height,
                          width);
    }
    if (!status && (height != recipe->height || width != recipe->width)) {
        snprintf(note, note_bytes, "the recipe's size %dx%d gives way to the model's %dx%d", height,
                 width, recipe->height, recipe->width);
        recipe->source[FOVEA_RECIPE_SIZE] = FOVEA_FROM_METADATA;
    }
    return status;
}

/* ---- memory ------------------------------------------------------------------- */

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

enum fovea_status fovea_image_batch_init(struct fovea_image_batch *b,
                                         const struct fovea_model *model,
                                         const struct fovea_recipe *recipe, int64_t batch,
                                         struct fovea_error *err) {
    const int64_t dims[] = {batch, 3, recipe->height, recipe->width};
    struct fovea_tensor pixels = {0};
    *b = (struct fovea_image_batch){.batch = batch};
    fovea_tensor_set_shape(&b->input, fovea_model_get_input(model, 0)->dtype, 4, dims);
    fovea_tensor_set_shape(&pixels, FOVEA_F32, 4, dims);
    b->image_floats = 3 * (size_t)recipe->height * (size_t)recipe->width;
    enum fovea_status status = fovea_tensor_check_shape(&pixels, err);
    if (!status && b->input.dtype != FOVEA_F32) {
        status = make_room(&b->input, err);
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

enum fovea_status fovea_image_batch_attach(struct fovea_image_batch *b,
                                           const struct fovea_session *session,
                                           struct fovea_error *err) {
    size_t n = fovea_session_get_graph(session)->n_outputs;
    enum fovea_status status = FOVEA_OK;
    b->outputs = calloc(n ? n : 1, sizeof(*b->outputs));
    if (!b->outputs) {
        return fovea_fail_memory(err, sizeof(*b->outputs), "outputs");
    }
    b->output = b->n_outputs = n;
    for (size_t i = 0; !status && i < n; i++) {
        fovea_session_output_shape(session, i, &b->outputs[i]);
        if (b->output == n && has_logits(&b->outputs[i], b->batch)) {
            b->output = i;
        }
        status = make_room(&b->outputs[i], err);
    }
    if (!status && b->output == n) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "no output has the shape of logits, [%lld,classes]; the first of %zu is "
                          "%s",
                          (long long)b->batch, n,
                          n ? fovea_shape_text(&b->outputs[0]).text : "none");
    }
    if (!status) {
        b->classes = fovea_tensor_count(&b->outputs[b->output]) / b->batch;
    }
    return status;
}

void fovea_image_batch_finish(struct fovea_image_batch *b) {
    for (size_t i = 0; b->outputs && i < b->n_outputs; i++) {
        free(b->outputs[i].data);
    }
    free(b->outputs);
    if (b->input.dtype != FOVEA_F32) {
        free(b->input.data);
    }
    *b = (struct fovea_image_batch){0};
}

/* ---- running ------------------------------------------------------------------ */

enum fovea_status fovea_image_batch_run(struct fovea_image_batch *b, struct fovea_session *session,
                                        const float *pixels, float *logits,
                                        const struct fovea_run_options *options,
                                        struct fovea_error *err) {
    struct fovea_tensor *x = &b->input;
    const struct fovea_tensor *y = &b->outputs[b->output];
    if (x->dtype == FOVEA_F32) {
        x->data = (void *)pixels;
    } else {
        fovea_convert(FOVEA_F32, pixels, x->dtype, x->data, fovea_tensor_count(x));
    }
    enum fovea_status status = fovea_session_run(session, x, b->outputs, options, err);
    if (!status) {
        fovea_convert(y->dtype, y->data, FOVEA_F32, logits, fovea_tensor_count(y));
    }
    return status;
}
