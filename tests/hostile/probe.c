/*
 * What the library does with each file of a list: load, plan, run, each file in
 * a child of its own, with a time limit and (without sanitizers) a limit on its
 * address space.
 *
 *     probe FILE... prints for each, separated by tabs:
 *         STATUS PHASE MILLISECONDS KIB_ABOVE_IDLE MESSAGE
 *     STATUS is a status's name, or "crash"; PHASE where it ended.
 */
#include "runtime/clock.h"
#include "runtime/fovea.h"
#include "runtime/tensor.h"
#include "tests/probe_child.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

enum { PROCESS = 64 << 20 };

struct result {
    enum fovea_status status;
    char phase[8];
    double ms;
    char message[512];
};

/* Zeros for inputs, 1 for dimensions left open. */
static enum fovea_status make(const struct fovea_io *io, struct fovea_tensor *t,
                              struct fovea_error *err) {
    int64_t dims[FOVEA_MAX_RANK];
    for (int i = 0; i < io->rank; i++) {
        dims[i] = io->dims[i] < 0 ? 1 : io->dims[i];
    }
    fovea_tensor_set_shape(t, io->dtype, io->rank, dims);
    enum fovea_status st = fovea_tensor_check_shape(t, err);
    if (st) {
        return st;
    }
    /* Shown to the plan before it is there: inputs beyond the limit have no contents. */
    size_t bytes = fovea_tensor_bytes(t);
    t->data = bytes <= PROBE_MEMORY / 4 ? calloc(1, bytes ? bytes : 1) : NULL;
    return FOVEA_OK;
}

static enum fovea_status run(struct fovea_session *session, const struct fovea_model *model,
                             const struct fovea_tensor *inputs, struct fovea_error *err) {
    size_t n = fovea_model_n_outputs(model);
    struct fovea_tensor *outputs = calloc(n + 1, sizeof(*outputs));
    enum fovea_status st = FOVEA_OK;
    for (size_t i = 0; outputs && i < n; i++) {
        fovea_session_output_shape(session, i, &outputs[i]);
        outputs[i].data = fovea_aligned_alloc(fovea_tensor_bytes(&outputs[i]));
    }
    st = fovea_session_run(session, inputs, outputs, NULL, err);
    for (size_t i = 0; outputs && i < n; i++) {
        free(outputs[i].data);
    }
    free(outputs);
    return st;
}

static enum fovea_status plan_and_run(const struct fovea_model *model, struct result *result,
                                      struct fovea_error *err) {
    struct fovea_session_options options;
    struct fovea_session *session = NULL;
    size_t n = fovea_model_n_inputs(model);
    struct fovea_tensor *inputs = calloc(n + 1, sizeof(*inputs));
    enum fovea_status st = FOVEA_OK;
    strcpy(result->phase, "plan");
    for (size_t i = 0; inputs && !st && i < n; i++) {
        st = make(fovea_model_get_input(model, i), &inputs[i], err);
    }
    fovea_session_options_default(&options);
    options.threads = 1;
    options.max_memory = PROBE_MEMORY / 2 + PROCESS; /* it bounds the whole process */
    if (!st) {
        st = fovea_session_create(model, inputs, &options, &session, err);
    }
    if (!st) {
        strcpy(result->phase, "run");
        st = run(session, model, inputs, err);
    }
    fovea_session_destroy(session);
    for (size_t i = 0; inputs && i < n; i++) {
        free(inputs[i].data);
    }
    free(inputs);
    return st;
}

static double now(void) {
    return 1e3 * fovea_clock_seconds();
}

static void try_file(const char *path, void *out) {
    struct result *result = out;
    struct fovea_error err = {.message = ""};
    struct fovea_model *model = NULL;
    if (!path) {
        return;
    }
    double start = now();
    strcpy(result->phase, "load");
    result->status = fovea_model_load(path, NULL, &model, &err);
    if (!result->status) {
        result->status = plan_and_run(model, result, &err);
        fovea_model_destroy(model);
    }
    result->ms = now() - start;
    memcpy(result->message, err.message, sizeof(result->message));
}

/* Peak memory of a child in KiB; its result in *result, or "crash" as the phase. */
static long in_child(const char *path, struct result *result) {
    int how;
    long kib;
    if (!probe_child(try_file, path, result, sizeof(*result), &kib, &how)) {
        strcpy(result->phase, "crash");
        snprintf(result->message, sizeof(result->message), "%s %d",
                 WIFSIGNALED(how) ? "signal" : "exit status",
                 WIFSIGNALED(how) ? WTERMSIG(how) : WEXITSTATUS(how));
    }
    return kib;
}

int main(int argc, char **argv) {
    struct result result;
    long idle = in_child(NULL, &result);
    for (int i = 1; i < argc; i++) {
        long rss = in_child(argv[i], &result);
        bool crash = strcmp(result.phase, "crash") == 0;
        printf("%s\t%s\t%.1f\t%ld\t%s\n", crash ? "crash" : fovea_status_name(result.status),
               result.phase, result.ms, rss > idle ? rss - idle : 0, result.message);
    }
    return 0;
}
