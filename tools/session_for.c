/* See session_for.h. */
#include "tools/session_for.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The shape an input may have, "[?,3,48,48]", for messages. */
static struct fovea_shape_text io_shape_text(const struct fovea_io *io) {
    struct fovea_shape_text out;
    size_t at = 0;
    out.text[at++] = '[';
    for (int d = 0; d < io->rank; d++) {
        const char *comma = d > 0 ? "," : "";
        int n = io->dims[d] < 0 ? snprintf(out.text + at, sizeof(out.text) - at, "%s?", comma)
                                : snprintf(out.text + at, sizeof(out.text) - at, "%s%lld", comma,
                                           (long long)io->dims[d]);
        at += (size_t)n;
    }
    out.text[at++] = ']';
    out.text[at] = 0;
    return out;
}

enum fovea_status check_input(const struct fovea_io *io, const struct fovea_tensor *tensor,
                              struct fovea_error *err) {
    bool fits = io->rank == tensor->rank;
    for (int d = 0; fits && d < io->rank; d++) {
        fits = io->dims[d] < 0 || io->dims[d] == tensor->dims[d];
    }
    if (!fits || io->dtype != tensor->dtype) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "input '%s' takes %s%s, but was given %s%s",
                          fovea_quote(io->name).text, fovea_dtype_name(io->dtype),
                          io_shape_text(io).text, fovea_dtype_name(tensor->dtype),
                          fovea_shape_text(tensor).text);
    }
    return FOVEA_OK;
}

/* Which of `given` has the name of input `io`; count if none. */
static size_t find_named(const struct tensor_list *given, const char *name) {
    size_t i = 0;
    while (i < given->count && strcmp(given->tensors[i].name, name) != 0) {
        i++;
    }
    return i;
}

static bool all_named(const struct fovea_model *model, const struct tensor_list *given) {
    for (size_t i = 0; i < fovea_model_n_inputs(model); i++) {
        if (find_named(given, fovea_model_get_input(model, i)->name) == given->count) {
            return false;
        }
    }
    return true;
}

enum fovea_status match_inputs(const struct fovea_model *model, const struct tensor_list *given,
                               struct fovea_tensor *out, struct fovea_error *err) {
    size_t n = fovea_model_n_inputs(model);
    if (given->count != n) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "the model has %zu inputs, but %zu were given", n,
                          given->count);
    }
    bool by_name = all_named(model, given);
    for (size_t i = 0; i < n; i++) {
        const struct fovea_io *io = fovea_model_get_input(model, i);
        const struct fovea_tensor *tensor =
            &given->tensors[by_name ? find_named(given, io->name) : i].t;
        enum fovea_status status = check_input(io, tensor, err);
        if (status) {
            return status;
        }
        out[i] = *tensor;
    }
    return FOVEA_OK;
}

/* Room for what the session gives. */
static enum fovea_status make_outputs(const struct fovea_model *model,
                                      const struct fovea_session *session,
                                      struct tensor_list *outputs, struct fovea_error *err) {
    size_t n = fovea_model_n_outputs(model);
    outputs->tensors = calloc(n ? n : 1, sizeof(*outputs->tensors));
    if (!outputs->tensors) {
        return fovea_fail_memory(err, n * sizeof(*outputs->tensors), "outputs");
    }
    outputs->count = n;
    for (size_t i = 0; i < n; i++) {
        struct named_tensor *y = &outputs->tensors[i];
        fovea_session_output_shape(session, i, &y->t);
        size_t bytes = fovea_tensor_bytes(&y->t);
        y->t.data = fovea_aligned_alloc(bytes);
        y->name = strdup(fovea_model_get_output(model, i)->name);
        if (!y->t.data || !y->name) {
            return fovea_fail_memory(err, bytes, "an output");
        }
    }
    return FOVEA_OK;
}

/* Outputs in the array form that the library takes. */
static enum fovea_status run_into(struct fovea_session *session, const struct fovea_tensor *inputs,
                                  const struct tensor_list *outputs, struct fovea_error *err) {
    struct fovea_tensor *plain = calloc(outputs->count ? outputs->count : 1, sizeof(*plain));
    if (!plain) {
        return fovea_fail_memory(err, outputs->count * sizeof(*plain), "outputs");
    }
    for (size_t i = 0; i < outputs->count; i++) {
        plain[i] = outputs->tensors[i].t;
    }
    enum fovea_status status = fovea_session_run(session, inputs, plain, err);
    free(plain);
    return status;
}

enum fovea_status run_once(const struct fovea_model *model, const struct fovea_tensor *inputs,
                           const struct fovea_session_options *options, struct tensor_list *outputs,
                           struct fovea_error *err) {
    struct tensor_list made = {0};
    struct fovea_session *session = NULL;
    enum fovea_status status = fovea_session_create(model, inputs, options, &session, err);
    if (!status) {
        status = make_outputs(model, session, &made, err);
    }
    if (!status) {
        status = run_into(session, inputs, &made, err);
    }
    fovea_session_destroy(session);
    if (status) {
        tensor_list_finish(&made);
        return status;
    }
    *outputs = made;
    return FOVEA_OK;
}
