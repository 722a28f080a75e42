/* fovea run: tensors in, tensors out. */
#include "tools/commands.h"

#include "tools/exit_codes.h"
#include "tools/json_out.h"
#include "tools/say.h"
#include "tools/session_for.h"
#include "tools/tensor_stats.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What the command line asks for, and what comes of it. */
struct run {
    struct json_target json;
    struct model_options model_options;
    struct text_list input_words;
    const char *output, *format;
    struct fovea_model *model;
    struct tensor_list inputs, outputs;
    json_t *saved; /* paths of the outputs, in order */
};

static void run_finish(struct run *run) {
    fovea_model_destroy(run->model);
    tensor_list_finish(&run->inputs);
    tensor_list_finish(&run->outputs);
    text_list_finish(&run->input_words);
    json_decref(run->saved);
}

static bool is_input(const struct fovea_model *model, const char *name, size_t length) {
    for (size_t i = 0; i < fovea_model_n_inputs(model); i++) {
        const char *input = fovea_model_get_input(model, i)->name;
        if (strlen(input) == length && memcmp(input, name, length) == 0) {
            return true;
        }
    }
    return false;
}

/* Where NAME=FILE has its '=', of those that names and files may have; NULL if it is but FILE. */
static const char *find_equals(const struct fovea_model *model, const char *word) {
    const char *at = strchr(word, '=');
    while (at && !is_input(model, word, (size_t)(at - word))) {
        at = strchr(at + 1, '=');
    }
    return at;
}

/* FILE, or NAME=FILE, which overrides the name in the file. */
static enum fovea_status load_input(struct run *run, const char *word, struct fovea_error *err) {
    const char *equals = find_equals(run->model, word);
    if (!equals && strchr(word, '=') && access(word, F_OK) != 0) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "'%s' is no file, nor begins with an input of the model and '='",
                          fovea_quote(word).text);
    }
    enum fovea_status status = tensor_list_load(&run->inputs, equals ? equals + 1 : word, err);
    if (status || !equals) {
        return status;
    }
    struct named_tensor *loaded = &run->inputs.tensors[run->inputs.count - 1];
    free(loaded->name);
    loaded->name = strndup(word, (size_t)(equals - word));
    return loaded->name ? FOVEA_OK : fovea_fail_memory(err, strlen(word), "a name");
}

static enum fovea_status load_inputs(struct run *run, const struct operands *operands,
                                     struct fovea_error *err) {
    enum fovea_status status = FOVEA_OK;
    for (size_t i = 0; !status && i < run->input_words.count; i++) {
        status = load_input(run, run->input_words.texts[i], err);
    }
    for (size_t i = 1; !status && i < operands->count; i++) {
        status = load_input(run, operands->words[i], err);
    }
    return status;
}

/* --output as a file when its name says so, else a folder of output_I files. */
static enum fovea_status save_outputs(struct run *run, struct fovea_error *err) {
    if (!run->output) {
        return FOVEA_OK;
    }
    bool folder = !tensor_file_named(run->output);
    if (!folder && run->outputs.count != 1) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "--output '%s' is one file, but the model has %zu outputs; give a folder",
                          fovea_quote(run->output).text, run->outputs.count);
    }
    if (folder && mkdir(run->output, 0777) != 0 && errno != EEXIST) {
        return fovea_fail(err, FOVEA_ERR_IO, "cannot make folder '%s': %s",
                          fovea_quote(run->output).text, strerror(errno));
    }
    enum fovea_status status = FOVEA_OK;
    for (size_t i = 0; !status && i < run->outputs.count; i++) {
        const struct named_tensor *y = &run->outputs.tensors[i];
        char *path;
        int n = folder ? asprintf(&path, "%s/output_%zu.%s", run->output, i, run->format)
                       : asprintf(&path, "%s", run->output);
        if (n < 0) {
            return fovea_fail_memory(err, strlen(run->output), "a path");
        }
        status = tensor_file_save(path, y->name, &y->t, err);
        json_append(&run->saved, json_text(path));
        free(path);
    }
    return status;
}

static enum fovea_status execute(struct run *run, const struct operands *operands,
                                 struct fovea_error *err) {
    enum fovea_status status =
        model_options_load(&run->model_options, operands->words[0], 0, &run->model, err);
    if (!status) {
        status = load_inputs(run, operands, err);
    }
    if (status) {
        return status;
    }
    size_t n = fovea_model_n_inputs(run->model);
    struct fovea_tensor *ordered = calloc(n ? n : 1, sizeof(*ordered));
    if (!ordered) {
        return fovea_fail_memory(err, n * sizeof(*ordered), "inputs");
    }
    status = match_inputs(run->model, &run->inputs, ordered, err);
    if (!status) {
        status = run_once(run->model, ordered, &run->model_options, &run->outputs, NULL, err);
    }
    free(ordered);
    return status ? status : save_outputs(run, err);
}

static void print_output(const struct named_tensor *y, const struct tensor_stats *s) {
    printf("%s  %s%s", fovea_quote(y->name).text, fovea_dtype_name(y->t.dtype),
           fovea_shape_text(&y->t).text);
    if (isnan(s->mean)) {
        fputs("  nothing finite", stdout);
    } else {
        printf("  min %.6g  max %.6g  mean %.6g  std %.6g", s->min, s->max, s->mean, s->std);
    }
    if (s->n_nan || s->n_infinite) {
        printf("  NaN %lld  infinite %lld", (long long)s->n_nan, (long long)s->n_infinite);
    }
    putchar('\n');
}

static json_t *output_json(const struct named_tensor *y, const struct tensor_stats *s,
                           json_t *path) {
    json_t *dims = json_array();
    for (int d = 0; d < y->t.rank; d++) {
        json_append(&dims, json_integer(y->t.dims[d]));
    }
    return json_pack("{s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:O?}", "name",
                     json_text(y->name), "dtype", fovea_dtype_name(y->t.dtype), "shape", dims,
                     "min", json_double(s->min), "max", json_double(s->max), "mean",
                     json_double(s->mean), "std", json_double(s->std), "nan", (json_int_t)s->n_nan,
                     "infinite", (json_int_t)s->n_infinite, "path", path);
}

static int report(const struct run *run) {
    struct fovea_error err;
    json_t *list = run->json.on ? json_array() : NULL;
    for (size_t i = 0; i < run->outputs.count; i++) {
        struct tensor_stats stats;
        tensor_stats_get(&run->outputs.tensors[i].t, &stats);
        if (json_target_wants_text(&run->json)) {
            print_output(&run->outputs.tensors[i], &stats);
        }
        if (run->json.on) {
            json_t *path = json_array_get(run->saved, i);
            json_append(&list, output_json(&run->outputs.tensors[i], &stats, path));
        }
    }
    json_t *root = run->json.on ? json_pack("{s:o}", "outputs", list) : NULL;
    return json_target_write(&run->json, root, &err) ? say_failure("run", &err) : EXIT_DONE;
}

static int run_all(struct run *run, const struct operands *operands) {
    struct fovea_error err;
    run->saved = json_array();
    int code = execute(run, operands, &err) ? say_failure("run", &err) : report(run);
    run_finish(run);
    return code;
}

static enum fovea_status parse_format(const char *text, void *target, struct fovea_error *err) {
    if (strcmp(text, "npy") != 0 && strcmp(text, "pb") != 0) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "'%s' is neither npy nor pb",
                          fovea_quote(text).text);
    }
    return option_text(text, target, err);
}

int cmd_run(int argc, char **argv) {
    struct run run = {.format = "npy"};
    struct option_spec model_rows[N_MODEL_OPTIONS - 1];
    run_option_specs(&run.model_options, model_rows);
    const struct option_spec own[] = {
        {"input", "FILE",
         "an input tensor, .pb or .npy, or NAME=FILE; further files may follow.\n"
         "Inputs are matched by name where all have the model's names, else in order",
         option_append, &run.input_words, 'i'},
        {"output", "PATH",
         "where to write the outputs: a file .npy or .pb, or a folder,\n"
         "made if need be, for output_0, output_1, ...",
         option_text, &run.output, 'o'},
        {"format", "F", "of outputs in a folder: npy (default) or pb", parse_format, &run.format,
         0},
        json_option_spec(&run.json),
        {0},
    };
    const struct option_group groups[] = {{"options", own}, {"model", model_rows}, {0}};
    const struct usage usage = {
        "run",
        "MODEL --input FILE...",
        "Run a model once on tensors from files; print type, shape and range of every output.",
        "  fovea run model.onnx --input image.npy\n"
        "  fovea run model.onnx --input image=x.pb --output logits.npy\n"
        "  fovea run model.onnx --input a.npy b.npy --output results --format pb --json\n",
        groups,
    };
    struct operands operands;
    int end = options_parse(&usage, argc, argv, &operands);
    if (end == OPTIONS_GO_ON && operands.count == 0) {
        end = say_usage("run", "which model?");
    }
    if (end != OPTIONS_GO_ON) {
        text_list_finish(&run.input_words);
        return end;
    }
    return run_all(&run, &operands);
}
