/* Sessions with passes and without, side by side: see both_ways.h. */
#include "tests/fuzz/both_ways.h"

#include "runtime/model.h"
#include "runtime/tensor.h"
#include "tests/fuzz/fuzz_model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct results {
    enum fovea_status status;
    size_t n;
    struct fovea_tensor t[FUZZ_MOST_IO];
};

static void results_finish(struct results *r) {
    for (size_t i = 0; i < r->n; i++) {
        free(r->t[i].data);
    }
}

static void run(struct fovea_session *session, const struct fovea_tensor *inputs,
                struct results *out) {
    struct fovea_error err = {.message = ""};
    for (size_t i = 0; i < out->n; i++) {
        fovea_session_output_shape(session, i, &out->t[i]);
        out->t[i].data = malloc(fovea_tensor_bytes(&out->t[i]) + 1);
        if (!out->t[i].data) {
            out->status = FOVEA_ERR_MEMORY;
            return;
        }
    }
    out->status = fovea_session_run(session, inputs, out->t, NULL, &err);
    fuzz_check_error(out->status, &err);
}

static void plan_and_run(const struct fovea_model *model, const struct fovea_tensor *inputs,
                         const char *passes, size_t memory, struct results *out) {
    struct fovea_session_options options;
    struct fovea_session *session;
    struct fovea_error err = {.message = ""};
    *out = (struct results){0};
    fovea_session_options_default(&options);
    options.threads = 1;
    options.max_memory = memory;
    options.passes = passes;
    out->status = fovea_session_create(model, inputs, &options, &session, &err);
    fuzz_check_error(out->status, &err);
    if (!out->status) {
        out->n = fovea_model_n_outputs(model);
        run(session, inputs, out);
        fovea_session_destroy(session);
    }
}

/* Large differences only: passes may round otherwise, and what is huge is not compared. */
static bool alike(const struct fovea_tensor *a, const struct fovea_tensor *b) {
    const float *x = a->data, *y = b->data;
    for (int64_t i = 0; i < fovea_tensor_count(a); i++) {
        if (!isfinite(x[i]) || !isfinite(y[i]) || fabsf(x[i]) > 1e6f) {
            return true;
        }
    }
    for (int64_t i = 0; i < fovea_tensor_count(a); i++) {
        if (fabsf(x[i] - y[i]) > 0.02f * (1 + fabsf(x[i]))) {
            fprintf(stderr, "element %lld is %g without passes, %g with\n", (long long)i,
                    (double)x[i], (double)y[i]);
            return false;
        }
    }
    return true;
}

static void compare(const struct results *off, const struct results *on, bool values) {
    if (!off->status && on->status && on->status != FOVEA_ERR_LIMIT) {
        abort(); /* what runs without passes runs with them */
    }
    for (size_t i = 0; !off->status && !on->status && i < off->n; i++) {
        const struct fovea_tensor *a = &off->t[i], *b = &on->t[i];
        if (a->dtype != b->dtype || fovea_tensor_bytes(a) != fovea_tensor_bytes(b)) {
            abort();
        }
        if (values && a->dtype == FOVEA_F32 && !alike(a, b)) {
            abort();
        }
    }
}

void both_ways(const struct fovea_model *plain, const struct fovea_model *other, size_t memory,
               bool continuous) {
    struct fovea_tensor inputs[FUZZ_MOST_IO] = {0};
    struct results off, on;
    size_t n = fovea_model_n_inputs(plain);
    bool made = n <= FUZZ_MOST_IO && fovea_model_n_outputs(plain) <= FUZZ_MOST_IO;
    for (size_t i = 0; made && i < n; i++) {
        made = fuzz_make_input(fovea_model_get_input(plain, i), &inputs[i]);
    }
    if (made) {
        plan_and_run(plain, inputs, "off", memory, &off);
        plan_and_run(other, inputs, "on", memory, &on);
        compare(&off, &on, continuous);
        results_finish(&off);
        results_finish(&on);
    }
    for (size_t i = 0; i < n && i < FUZZ_MOST_IO; i++) {
        free(inputs[i].data);
    }
}
