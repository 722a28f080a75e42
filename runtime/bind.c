/* A model's declared inputs and outputs against a session's: see bind.h. */
#include "runtime/bind.h"

#include "runtime/compiled.h"
#include "runtime/infer.h"

#include <stdlib.h>
#include <string.h>

static enum fovea_status check_input(const struct fovea_io *io, const struct fovea_tensor *given,
                                     struct fovea_error *err) {
    if (given->dtype != io->dtype) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "input '%s' is %s; the model takes %s",
                          fovea_quote(io->name).text, fovea_dtype_name(given->dtype),
                          fovea_dtype_name(io->dtype));
    }
    bool fits = given->rank == io->rank;
    for (int i = 0; fits && i < io->rank; i++) {
        fits = io->dims[i] < 0 || io->dims[i] == given->dims[i];
    }
    if (!fits) {
        struct fovea_tensor want = {.rank = io->rank};
        memcpy(want.dims, io->dims, sizeof(want.dims));
        return fovea_fail(
            err, FOVEA_ERR_INVALID, "input '%s' has shape %s; the model takes %s (-1: any)",
            fovea_quote(io->name).text, fovea_shape_text(given).text, fovea_shape_text(&want).text);
    }
    return fovea_tensor_check_shape(given, err);
}

/* A branch or loop that goes by an image is beyond any session; a shape may come as an input. */
static enum fovea_status fail_contents(const char *name, const struct fovea_node *node,
                                       struct fovea_error *err) {
    if (!node) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "input '%s' decides shapes; its contents must be given with the session",
                          fovea_quote(name).text);
    }
    bool control = node->op->expand;
    enum fovea_status st = fovea_fail(
        err, control ? FOVEA_ERR_UNSUPPORTED : FOVEA_ERR_INVALID,
        "input '%s' decides %s; its contents must be given with the session",
        fovea_quote(name).text, control ? "what is computed" : "the shapes of its outputs");
    fovea_error_prefix_node(err, node);
    return st;
}

/* Fix the contents of an input, which decides shapes: `node`'s, if that is known. */
static enum fovea_status fix_input(struct fovea_value *value, const struct fovea_node *node,
                                   const struct fovea_tensor *given, struct fovea_error *err) {
    size_t bytes = fovea_tensor_bytes(given);
    if (!given->data) {
        return fail_contents(value->name, node, err);
    }
    void *data = fovea_aligned_alloc(bytes);
    if (!data) {
        return fovea_fail_memory(err, bytes, "an input");
    }
    memcpy(data, given->data, bytes);
    fovea_value_set_constant(value, data, true);
    return FOVEA_OK;
}

enum fovea_status fovea_bind_find_decision(const struct fovea_model *model, size_t index,
                                           bool *decides, const struct fovea_node **node,
                                           struct fovea_error *err) {
    const struct fovea_node *found = NULL;
    bool does = model->compiled && model->compiled->decides_shapes[index];
    if (!model->compiled) { /* else its graph is planned: the file tells what was found before */
        enum fovea_status st = fovea_input_find_decided(&model->graph, index, &found, err);
        if (st) {
            return st;
        }
    }
    *decides = does || found;
    *node = found;
    return FOVEA_OK;
}

enum fovea_status fovea_bind_inputs(const struct fovea_model *model, struct fovea_graph *graph,
                                    const struct fovea_tensor *inputs, struct fovea_error *err) {
    for (size_t i = 0; i < graph->n_inputs; i++) {
        struct fovea_value *value = graph->inputs[i];
        enum fovea_status st = check_input(&model->inputs[i], &inputs[i], err);
        if (st) {
            return st;
        }
        fovea_tensor_set_shape(&value->t, inputs[i].dtype, inputs[i].rank, inputs[i].dims);
        value->typed = true;
        const struct fovea_node *node = NULL;
        bool decides = false;
        st = fovea_bind_find_decision(model, i, &decides, &node, err);
        st = !st && decides ? fix_input(value, node, &inputs[i], err) : st;
        if (st) {
            return st;
        }
    }
    return FOVEA_OK;
}

enum fovea_status fovea_check_outputs(const struct fovea_model *model,
                                      const struct fovea_graph *graph, struct fovea_error *err) {
    for (size_t i = 0; i < graph->n_outputs; i++) {
        const struct fovea_io *io = &model->outputs[i];
        const struct fovea_tensor *t = &graph->outputs[i]->t;
        if (io->rank >= 0 && io->dtype != t->dtype) {
            return fovea_fail(err, FOVEA_ERR_INVALID, "output '%s' is declared %s but computes %s",
                              fovea_quote(io->name).text, fovea_dtype_name(io->dtype),
                              fovea_dtype_name(t->dtype));
        }
    }
    return FOVEA_OK;
}
