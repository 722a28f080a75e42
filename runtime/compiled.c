/* Sessions of compiled models: see compiled.h. */
#include "runtime/compiled.h"

#include "runtime/bf16_rule.h"
#include "runtime/infer.h"
#include "runtime/match.h"
#include "runtime/op.h"
#include "runtime/options.h"
#include "runtime/parallel.h"
#include "runtime/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct fovea_original {
    struct fovea_lock *lock;
    fovea_open_original_fn open;
    struct fovea_model *model; /* NULL until needed */
};

enum fovea_status fovea_compiled_create(struct fovea_model *model, fovea_open_original_fn open,
                                        struct fovea_error *err) {
    struct fovea_compiled *compiled = calloc(1, sizeof(*compiled));
    struct fovea_original *original = calloc(1, sizeof(*original));
    struct fovea_lock *lock = fovea_lock_create();
    if (!compiled || !original || !lock) {
        free(compiled);
        free(original);
        fovea_lock_destroy(lock);
        return fovea_fail_memory(err, sizeof(*compiled), "a compiled model");
    }
    original->open = open;
    original->lock = lock;
    compiled->original = original;
    model->compiled = compiled;
    return FOVEA_OK;
}

void fovea_compiled_destroy(struct fovea_compiled *compiled) {
    if (!compiled) {
        return;
    }
    fovea_model_destroy(compiled->original->model);
    fovea_lock_destroy(compiled->original->lock);
    free(compiled->original);
    free(compiled);
}

enum fovea_status fovea_compiled_get_original(const struct fovea_model *model,
                                              const struct fovea_model **out,
                                              struct fovea_error *err) {
    struct fovea_original *original = model->compiled->original;
    enum fovea_status st = FOVEA_OK;
    fovea_lock_enter(original->lock);
    if (!original->model) {
        st = original->open(model, &original->model, err);
        if (!st && model->allocator.allocate) {
            fovea_model_set_allocator(original->model, &model->allocator);
        }
    }
    if (!st) {
        *out = original->model;
    }
    fovea_lock_leave(original->lock);
    return st;
}

/* ---- does it fit? ------------------------------------------------------- */

static bool same_contents(const struct fovea_tensor *a, const struct fovea_tensor *b) {
    size_t bytes = fovea_tensor_bytes(a);
    return bytes == 0 || (b->data && memcmp(a->data, b->data, bytes) == 0);
}

void fovea_compiled_compare(const struct fovea_model *model, const struct fovea_tensor *inputs,
                            const struct fovea_session_options *options, char *why, size_t size) {
    char text[FOVEA_OPTIONS_TEXT];
    struct fovea_error err;
    why[0] = 0;
    if (fovea_options_text(options, text, &err)) {
        snprintf(why, size, "%s", err.message);
        return;
    }
    if (strcmp(text, model->planned_options) != 0) {
        snprintf(why, size, "it was compiled for '%.200s', not '%.200s'", model->planned_options,
                 text);
        return;
    }
    for (size_t i = 0; i < model->graph.n_inputs; i++) {
        const struct fovea_tensor *planned = &model->planned_inputs[i];
        const char *name = model->inputs[i].name;
        if (planned->dtype != inputs[i].dtype || !fovea_tensor_same_shape(planned, &inputs[i])) {
            snprintf(why, size, "input '%s' was compiled for %s %s, not %s %s",
                     fovea_quote(name).text, fovea_dtype_name(planned->dtype),
                     fovea_shape_text(planned).text, fovea_dtype_name(inputs[i].dtype),
                     fovea_shape_text(&inputs[i]).text);
            return;
        }
        if (model->compiled->decides_shapes[i] && !same_contents(planned, &inputs[i])) {
            snprintf(why, size, "input '%s' decides shapes and was compiled for other contents",
                     fovea_quote(name).text);
            return;
        }
    }
}

/* ---- infer -------------------------------------------------------------- */

static bool is_half(const struct fovea_value *value) {
    return value && fovea_dtype_is_half(value->t.dtype);
}

/* What infer found against what the file says, which is in `said`. */
static enum fovea_status check_output(struct fovea_value *value, const struct fovea_tensor *said,
                                      struct fovea_error *err) {
    bool widened = is_half(value) && said->dtype == FOVEA_F32;                /* as widen.h does */
    bool narrowed = value->t.dtype == FOVEA_F32 && said->dtype == FOVEA_BF16; /* see below */
    if ((value->t.dtype != said->dtype && !widened && !narrowed) ||
        !fovea_tensor_same_shape(&value->t, said)) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "its result is %s %s; the file says %s %s",
                          fovea_dtype_name(value->t.dtype), fovea_shape_text(&value->t).text,
                          fovea_dtype_name(said->dtype), fovea_shape_text(said).text);
    }
    value->t.dtype = said->dtype;
    if (value->layout == FOVEA_CHANNELS_LAST && value->t.rank != 4) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "its result %s is not an image, but channels-last",
                          fovea_shape_text(said).text);
    }
    return FOVEA_OK;
}

/* Types of a node's values while infer runs. */
struct types {
    struct fovea_tensor *said; /* of its outputs, as the file has them */
    bool *narrow;              /* which of its inputs are bf16 */
};

/*
 * infer knows nothing of bf16 storage (op.h): it sees f32. What it reads the
 * contents of is not to be such an operand, but that is checked before.
 */
static enum fovea_status infer_as_f32(struct fovea_node *node, bool *narrow,
                                      struct fovea_error *err) {
    bool convert = fovea_node_is_own(node, "Convert");
    for (int i = 0; i < node->n_in; i++) {
        narrow[i] = !convert && node->in[i] && node->in[i]->t.dtype == FOVEA_BF16;
    }
    for (int i = 0; i < node->n_in; i++) {
        if (narrow[i]) {
            node->in[i]->t.dtype = FOVEA_F32;
        }
    }
    enum fovea_status st = fovea_infer_node(node, err);
    for (int i = 0; i < node->n_in; i++) {
        if (narrow[i]) {
            node->in[i]->t.dtype = FOVEA_BF16;
        }
    }
    return st;
}

static enum fovea_status infer_node(struct fovea_node *node, struct types *types,
                                    struct fovea_error *err) {
    for (int i = 0; i < node->n_out; i++) {
        if (node->out[i]) {
            types->said[i] = node->out[i]->t;
        }
    }
    enum fovea_status st = fovea_bf16_check(node, err);
    if (st) {
        fovea_error_prefix_node(err, node);
        return st;
    }
    st = infer_as_f32(node, types->narrow, err);
    if (st) {
        return st;
    }
    for (int i = 0; !st && i < node->n_out; i++) {
        if (node->out[i]) {
            st = check_output(node->out[i], &types->said[i], err);
        }
    }
    if (st) {
        fovea_error_prefix_node(err, node);
    }
    return st;
}

enum fovea_status fovea_compiled_infer(struct fovea_graph *graph, struct fovea_error *err) {
    size_t most_out = 1, most_in = 1;
    for (const struct fovea_node *node = graph->first; node; node = node->next) {
        most_out = (size_t)node->n_out > most_out ? (size_t)node->n_out : most_out;
        most_in = (size_t)node->n_in > most_in ? (size_t)node->n_in : most_in;
    }
    struct types types = {calloc(most_out, sizeof(*types.said)),
                          calloc(most_in, sizeof(*types.narrow))};
    enum fovea_status st = FOVEA_OK;
    if (!types.said || !types.narrow) {
        st = fovea_fail_memory(err, most_out * sizeof(*types.said), "a node's operands");
    }
    for (struct fovea_node *node = graph->first; !st && node; node = node->next) {
        st = infer_node(node, &types, err);
    }
    free(types.said);
    free(types.narrow);
    return st;
}

/* ---- packed weights ----------------------------------------------------- */

void fovea_compiled_attach(const struct fovea_compiled *compiled, struct fovea_graph *graph,
                           char *why, size_t size) {
    const struct fovea_packed_weights *packed = compiled->packed;
    why[0] = 0;
    for (struct fovea_node *node = graph->first; node; node = node->next, packed++) {
        bool same = node->packed_bytes == packed->bytes;
        if (same && packed->bytes > 0) {
            same = node->packed_form == packed->form && node->packed_input == packed->input;
        }
        if (!same) {
            snprintf(why, size,
                     "node '%s' (%s) takes weights in another form here (%zu bytes, %zu stored)",
                     fovea_quote(node->name).text, fovea_quote(node->type).text, node->packed_bytes,
                     packed->bytes);
            return;
        }
        node->packed_data = packed->bytes > 0 ? packed->data : NULL;
    }
}

/* ---- options ------------------------------------------------------------ */

static const char precision_word[] = "precision=", winograd_word[] = "winograd=",
                  passes_word[] = "passes=";

enum fovea_status fovea_options_text(const struct fovea_session_options *options,
                                     char text[FOVEA_OPTIONS_TEXT], struct fovea_error *err) {
    /* The passes stand at the end, where they can be read as they are. */
    const char *passes = options->passes ? options->passes : "on";
    bool bf16 = fovea_precision_settle(options->precision) == FOVEA_PRECISION_BF16;
    int length =
        snprintf(text, FOVEA_OPTIONS_TEXT, "%s%s;%s%s;%s%s", precision_word, bf16 ? "bf16" : "f32",
                 winograd_word, options->no_winograd ? "off" : "auto", passes_word, passes);
    if (length < 0 || length >= FOVEA_OPTIONS_TEXT) {
        return fovea_fail(err, FOVEA_ERR_LIMIT, "the options take %d characters; %d is the limit",
                          length, FOVEA_OPTIONS_TEXT - 1);
    }
    return FOVEA_OK;
}

void fovea_model_get_session_options(const struct fovea_model *model,
                                     struct fovea_session_options *options) {
    struct fovea_session_options planned;
    const char *text = model->planned_options;
    if (!text || fovea_options_read(options, &planned, sizeof(planned), "session options", NULL)) {
        return;
    }
    const char *winograd = strstr(text, winograd_word), *passes = strstr(text, passes_word);
    bool bf16 = strncmp(text, precision_word, strlen(precision_word)) == 0 &&
                strncmp(text + strlen(precision_word), "bf16;", 5) == 0;
    planned.no_winograd = !winograd || strncmp(winograd + strlen(winograd_word), "auto;", 5) != 0;
    planned.precision = bf16 ? FOVEA_PRECISION_BF16 : FOVEA_PRECISION_F32;
    planned.passes = passes ? passes + strlen(passes_word) : planned.passes;
    fovea_options_write(&planned, options);
}
