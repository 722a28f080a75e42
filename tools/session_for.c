/* See session_for.h. */
#include "tools/session_for.h"

#include "ops/winograd.h"
#include "runtime/op.h"
#include "runtime/session.h"
#include "tools/model_session.h"

#include <stdlib.h>
#include <string.h>

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
        const char *name = fovea_model_get_input(model, i)->name;
        out[i] = given->tensors[by_name ? find_named(given, name) : i].t;
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
    enum fovea_status status = fovea_session_run(session, inputs, plain, NULL, err);
    free(plain);
    return status;
}

static bool uses_winograd(const struct fovea_session *session) {
    const struct fovea_graph *graph = fovea_session_get_graph(session);
    for (const struct fovea_node *node = graph->first; node; node = node->next) {
        const char *implementation = fovea_node_implementation(node);
        if (implementation && strcmp(implementation, FOVEA_WINOGRAD_NAME) == 0) {
            return true;
        }
    }
    return false;
}

enum fovea_status run_once(const struct fovea_model *model, const struct fovea_tensor *inputs,
                           const struct model_options *options, struct tensor_list *outputs,
                           bool *winograd, struct fovea_error *err) {
    struct tensor_list made = {0};
    struct fovea_session *session = NULL;
    enum fovea_status status = model_session_create(options, model, inputs, &session, err);
    if (!status) {
        status = make_outputs(model, session, &made, err);
    }
    if (!status) {
        status = run_into(session, inputs, &made, err);
    }
    if (!status && winograd) {
        *winograd = uses_winograd(session);
    }
    fovea_session_destroy(session);
    if (status) {
        tensor_list_finish(&made);
        return status;
    }
    *outputs = made;
    return FOVEA_OK;
}
