/* See verify_case.h. */
#include "tools/verify_case.h"

#include "loaders/checkpoint.h"
#include "runtime/model.h"
#include "runtime/session.h"
#include "tools/session_for.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTES = 4096 };

/* What rounding to bf16 at every layer may come to over a whole network. */
#define BF16_REL_L2 3e-2

const char *case_status_name(enum case_status status) {
    static const char *const names[] = {
        [CASE_PASSED] = "passed",
        [CASE_FAILED] = "failed",
        [CASE_UNSUPPORTED] = "unsupported",
        [CASE_ERROR] = "error",
    };
    return names[status];
}

static void result_from(struct case_result *result, const struct fovea_error *err) {
    result->status = err->status == FOVEA_ERR_UNSUPPORTED ? CASE_UNSUPPORTED : CASE_ERROR;
    snprintf(result->message, sizeof(result->message), "%s", err->message);
}

/* FOLDER/KIND_I.pb; false if the path is too long, which no file of ours is. */
static bool numbered_path(char path[PATH_BYTES], const char *folder, const char *kind, size_t i) {
    return snprintf(path, PATH_BYTES, "%s/%s_%zu.pb", folder, kind, i) < PATH_BYTES;
}

/* input_0.pb, input_1.pb, ... as far as they go. */
static enum fovea_status load_numbered(const char *folder, const char *kind,
                                       struct tensor_list *list, struct fovea_error *err) {
    char path[PATH_BYTES];
    for (size_t i = 0; numbered_path(path, folder, kind, i) && access(path, F_OK) == 0; i++) {
        enum fovea_status status = tensor_list_load(list, path, err);
        if (status) {
            return status;
        }
    }
    return FOVEA_OK;
}

/*
 * NumPy has no bfloat16, so ONNX's test data up to 1.16 stores the bits of such
 * tensors as uint16: where the model says bf16, that is what they are.
 */
static void reread_bits(struct fovea_tensor *tensor, enum fovea_dtype dtype) {
    if (dtype == FOVEA_BF16 && tensor->dtype == FOVEA_U16) {
        tensor->dtype = FOVEA_BF16;
    }
}

/* Which of the model's outputs `want` stands for: by name, else by place. */
static size_t output_index(const struct tensor_list *got, const struct tensor_list *want,
                           size_t place) {
    for (size_t i = 0; i < got->count; i++) {
        if (want->tensors[place].name[0] &&
            strcmp(got->tensors[i].name, want->tensors[place].name) == 0) {
            return i;
        }
    }
    return place;
}

static void compare_outputs(const struct tensor_list *got, struct tensor_list *want,
                            const struct tolerance *tolerance, struct case_result *result) {
    if (want->count > got->count || want->count == 0) {
        result->status = CASE_ERROR;
        snprintf(result->message, sizeof(result->message),
                 "%zu expected outputs for a model with %zu", want->count, got->count);
        return;
    }
    for (size_t i = 0; i < want->count; i++) {
        struct comparison c;
        const struct named_tensor *y = &got->tensors[output_index(got, want, i)];
        reread_bits(&want->tensors[i].t, y->t.dtype);
        bool comparable = compare_tensors(&y->t, &want->tensors[i].t, tolerance, &c);
        result->max_abs = fmax(result->max_abs, comparable ? c.max_abs : INFINITY);
        result->rel_l2 = fmax(result->rel_l2, comparable ? c.rel_l2 : INFINITY);
        if (result->status == CASE_PASSED && c.message[0]) {
            result->status = CASE_FAILED;
            snprintf(result->message, sizeof(result->message), "output '%s': %s",
                     fovea_quote(y->name).text, c.message);
        }
    }
}

/* Everything one data set needs, so that one place frees it. */
struct data_set {
    struct tensor_list inputs, expected, outputs, direct;
    struct fovea_tensor *ordered;
    bool winograd; /* a step of the run used it */
};

static enum fovea_status run_data_set(const struct fovea_model *model, const char *folder,
                                      const struct model_options *options, struct data_set *set,
                                      struct fovea_error *err) {
    enum fovea_status status = load_numbered(folder, "input", &set->inputs, err);
    if (!status) {
        status = load_numbered(folder, "output", &set->expected, err);
    }
    size_t n = fovea_model_n_inputs(model);
    set->ordered = calloc(n ? n : 1, sizeof(*set->ordered));
    if (!status && !set->ordered) {
        status = fovea_fail_memory(err, n * sizeof(*set->ordered), "inputs");
    }
    if (!status) {
        status = match_inputs(model, &set->inputs, set->ordered, err);
    }
    for (size_t i = 0; !status && i < n; i++) {
        reread_bits(&set->ordered[i], fovea_model_get_input(model, i)->dtype);
    }
    return status ? status
                  : run_once(model, set->ordered, options, &set->outputs, &set->winograd, err);
}

/* Where Winograd convolutions ran, what they made of the outputs: against a run without. */
static enum fovea_status compare_direct(const struct fovea_model *model,
                                        const struct case_options *options, struct data_set *set,
                                        struct case_result *result, struct fovea_error *err) {
    struct model_options direct = options->model;
    bool winograd;
    /* A compiled file has the weights of one way only. */
    if (!set->winograd || model->compiled) {
        return FOVEA_OK;
    }
    direct.no_winograd = true;
    enum fovea_status status = run_once(model, set->ordered, &direct, &set->direct, &winograd, err);
    for (size_t i = 0; !status && i < set->outputs.count; i++) {
        struct comparison c;
        bool comparable = compare_tensors(&set->outputs.tensors[i].t, &set->direct.tensors[i].t,
                                          &options->tolerance, &c);
        result->winograd_rel_l2 = fmax(result->winograd_rel_l2, comparable ? c.rel_l2 : INFINITY);
    }
    return status;
}

static void verify_data_set(const struct fovea_model *model, const char *folder,
                            const struct case_options *options, struct case_result *result) {
    struct data_set set = {0};
    struct fovea_error err;
    if (run_data_set(model, folder, &options->model, &set, &err) ||
        compare_direct(model, options, &set, result, &err)) {
        result_from(result, &err);
    } else {
        compare_outputs(&set.outputs, &set.expected, &options->tolerance, result);
    }
    tensor_list_finish(&set.inputs);
    tensor_list_finish(&set.expected);
    tensor_list_finish(&set.outputs);
    tensor_list_finish(&set.direct);
    free(set.ordered);
}

static bool is_folder(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

static void verify_data_sets(const struct fovea_model *model, const char *folder,
                             const struct case_options *options, struct case_result *result) {
    char path[PATH_BYTES];
    for (size_t i = 0; result->status == CASE_PASSED; i++) {
        int n = snprintf(path, sizeof(path), "%s/test_data_set_%zu", folder, i);
        if (n >= (int)sizeof(path) || !is_folder(path)) {
            if (i == 0) {
                result->status = CASE_ERROR;
                snprintf(result->message, sizeof(result->message),
                         "there is no folder test_data_set_0");
            }
            return;
        }
        verify_data_set(model, path, options, result);
    }
}

/* The bound goes by the precision, which may be the one that a model was compiled for. */
static struct case_options options_for(const struct fovea_model *model,
                                       const struct case_options *options) {
    struct case_options its_own = *options;
    struct fovea_session_options session;
    model_options_get(&options->model, model, &session);
    if (fovea_precision_settle(session.precision) == FOVEA_PRECISION_BF16) {
        its_own.tolerance.rel_l2 = BF16_REL_L2;
    }
    return its_own;
}

/*
 * What a case's model is: model.onnx, else model.fovea, else a checkpoint,
 * which the folder as a whole stands for. For a folder with nothing in it the
 * path is left as the first of them, for the message.
 */
static void find_model(char path[PATH_BYTES], const char *folder, struct fovea_error *err) {
    static const char *const files[] = {"model.onnx", "model.fovea"};
    char *checkpoint;
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        snprintf(path, PATH_BYTES, "%s/%s", folder, files[i]);
        if (access(path, F_OK) == 0) {
            return;
        }
    }
    if (fovea_checkpoint_find(folder, &checkpoint, err) == FOVEA_OK) {
        snprintf(path, PATH_BYTES, "%s", checkpoint);
        free(checkpoint);
    } else {
        snprintf(path, PATH_BYTES, "%s/%s", folder, files[0]);
    }
}

void verify_case(const char *folder, const struct case_options *options,
                 struct case_result *result) {
    char path[PATH_BYTES];
    struct fovea_error err;
    struct fovea_model *model = NULL;
    *result = (struct case_result){.winograd_rel_l2 = -1};
    if (!is_folder(folder)) {
        result->status = CASE_ERROR;
        snprintf(result->message, sizeof(result->message), "there is no folder '%s'",
                 fovea_quote(folder).text);
        return;
    }
    find_model(path, folder, &err);
    if (model_options_load(&options->model, path, 0, &model, &err)) {
        result_from(result, &err);
        return;
    }
    const struct case_options its_own = options_for(model, options);
    verify_data_sets(model, folder, &its_own, result);
    fovea_model_destroy(model);
}
