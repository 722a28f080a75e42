/* fovea eval: top-1 and top-5 over a labelled dataset. */
#include "tools/commands.h"

#include "loaders/file_digest.h"
#include "runtime/compiled.h"
#include "runtime/parallel.h"
#include "tools/eval_report.h"
#include "tools/exit_codes.h"
#include "tools/out_file.h"
#include "tools/preprocess_rows.h"
#include "tools/say.h"

#include <errno.h>
#include <string.h>

enum { DEFAULT_BATCH = 4, MAX_WORKERS = 256 };

/* What the command line asks for. */
struct evaluation {
    struct json_target json;
    struct classifier_options options;
    int workers, streams; /* streams: 0 not given */
    bool measure;         /* --streams auto */
    const char *predictions, *logits;
    struct eval eval;
};

/* The digest of the model's file; of a compiled one, that of the model it was compiled from. */
static enum fovea_status model_sha256(const struct classifier *c, struct fovea_sha256_hex *out,
                                      struct fovea_error *err) {
    uint8_t digest[FOVEA_SHA256_SIZE];
    const struct fovea_compiled *compiled = c->model->compiled;
    if (compiled && compiled->origin.n_files > 0) {
        *out = fovea_sha256_hex_of(compiled->origin.files[0].sha256);
        return FOVEA_OK;
    }
    enum fovea_status status = fovea_file_digest(c->model->path, digest, NULL, err);
    if (status) {
        fovea_error_prefix(err, "%s", c->model->path);
        return status;
    }
    *out = fovea_sha256_hex_of(digest);
    return FOVEA_OK;
}

/* Decoding is a small share of the work of a large network: half the CPUs, when the model waits. */
static int default_workers(void) {
    int half = fovea_cpu_budget() / 2;
    return half < 1 ? 1 : half;
}

/*
 * How the work is divided to begin with, and what of it may change. A setting
 * that leaves nothing open is not measured.
 */
static enum fovea_status open_model(struct evaluation *e, struct fovea_error *err) {
    struct eval *eval = &e->eval;
    const struct model_options *given = &e->options.model;
    eval->options = &e->options;
    eval->setting.threads = given->threads ? given->threads : fovea_cpu_budget();
    eval->setting.streams = e->streams > 0 ? e->streams : 1;
    struct classifier_options first = e->options;
    first.model.threads = streams_share(&eval->setting, 0);
    enum fovea_status status = classifier_init(&eval->model, &first, err);
    if (status) {
        return status;
    }
    eval->setting.batch = (int)eval->model.batch;
    eval->fixed_streams = e->streams > 0;
    eval->fixed_batch =
        given->batch > 0 || fovea_model_get_input(eval->model.model, 0)->dims[0] >= 0;
    eval->choose = !eval->fixed_streams || !eval->fixed_batch;
    eval->always_measure = e->measure;
    return FOVEA_OK;
}

static void say_setting(const struct eval *eval, const char *labels) {
    const struct fovea_dataset *set = &eval->dataset;
    fovea_preprocess_recipe_print(&eval->model.recipe, stderr);
    if (eval->model.note[0]) {
        say("note: %s", eval->model.note);
    }
    say("%zu images in %s", set->n_images, labels);
    if (set->n_ignored > 0) {
        say("warning: %zu files are not named .jpg, .jpeg or .png and were not listed, the first: "
            "%s",
            set->n_ignored, set->ignored ? fovea_quote(set->ignored).text : "");
    }
}

static enum fovea_status evaluate(struct evaluation *e, const char *root, struct fovea_error *err) {
    char words[160];
    struct eval *eval = &e->eval;
    enum fovea_status status = fovea_dataset_load(root, NULL, &eval->dataset, err);
    if (status) {
        fovea_error_prefix(err, "%s", fovea_quote(root).text);
        return status;
    }
    status = open_model(e, err);
    if (!status) {
        status = eval_map_labels(eval, words, sizeof(words), err);
    }
    if (status) {
        return status;
    }
    eval->jpeg = &e->options.preprocess.jpeg;
    eval->workers = e->workers > 0 ? e->workers : default_workers();
    eval->workers = eval->workers < MAX_WORKERS ? eval->workers : MAX_WORKERS;
    say_setting(eval, words);
    return eval_run(eval, e->logits != NULL, err);
}

static enum fovea_status report(const struct evaluation *e, struct fovea_error *err) {
    struct fovea_sha256_hex sha;
    enum fovea_status status = FOVEA_OK;
    if (json_target_wants_text(&e->json)) {
        eval_print(&e->eval);
    }
    if (e->predictions) {
        status = eval_write_predictions(&e->eval, e->predictions, err);
    }
    if (!status && e->logits) {
        status = eval_write_logits(&e->eval, e->logits, err);
    }
    if (!status && e->json.on) {
        status = model_sha256(&e->eval.model, &sha, err);
        if (!status) {
            status = json_target_write(&e->json, eval_json(&e->eval, sha.text), err);
        }
    }
    return status;
}

static int exit_code(const struct eval *eval) {
    struct eval_counts c;
    eval_count(eval, &c);
    if (eval->stop_signal) {
        return EXIT_SIGNAL + eval->stop_signal;
    }
    return c.failed + c.missing > 0 ? EXIT_SOME_FAILED : EXIT_DONE;
}

/* Hours of work should not end in a file that cannot be written. */
static enum fovea_status check_outputs(const struct evaluation *e, struct fovea_error *err) {
    const char *const paths[] = {e->predictions, e->logits, e->json.path};
    enum fovea_status status = FOVEA_OK;
    for (size_t i = 0; !status && i < sizeof(paths) / sizeof(paths[0]); i++) {
        status = paths[i] ? out_file_check(paths[i], err) : FOVEA_OK;
    }
    return status;
}

static int evaluate_all(struct evaluation *e, const struct operands *operands) {
    struct fovea_error err;
    e->options.path = operands->words[0];
    e->options.default_batch = DEFAULT_BATCH;
    enum fovea_status status = check_outputs(e, &err);
    if (!status) {
        status = evaluate(e, operands->words[1], &err);
    }
    if (!status) {
        status = report(e, &err);
    }
    int code = status ? say_failure("eval", &err) : exit_code(&e->eval);
    eval_finish(&e->eval);
    return code;
}

static enum fovea_status parse_streams(const char *text, void *target, struct fovea_error *err) {
    struct evaluation *e = target;
    e->measure = strcmp(text, "auto") == 0;
    e->streams = 0;
    enum fovea_status status = e->measure ? FOVEA_OK : option_count(text, &e->streams, err);
    if (!status && e->streams > MAX_STREAMS) {
        status = fovea_fail(err, FOVEA_ERR_INVALID, "%d is over the limit of %d", e->streams,
                            MAX_STREAMS);
    }
    return status;
}

int cmd_eval(int argc, char **argv) {
    struct evaluation e = {0};
    struct option_spec model_rows[N_MODEL_OPTIONS];
    struct preprocess_rows preprocess;
    model_option_specs(&e.options.model, model_rows);
    preprocess_rows_init(&preprocess, &e.options.preprocess);
    const struct option_spec own[] = {
        {"predictions", "FILE", "write path,label,pred,correct,logit,prob,top5 of every image",
         option_text, &e.predictions, 0},
        {"logits", "FILE", "write all logits as .npy, images by classes", option_text, &e.logits,
         0},
        {"labels", "FILE",
         "names of the classes: one a line, or JSON\n"
         "(default: the model's metadata, or config.json beside it)",
         option_text, &e.options.labels, 0},
        {"workers", "N", "threads that read and decode (default: half the CPUs)", option_count,
         &e.workers, 0},
        {"streams", "N",
         "sessions at work at once, each with its share of threads and\n"
         "--max-memory; auto, the default: what a measurement on the first\n"
         "images finds fastest, together with the batch if that is open",
         parse_streams, &e, 0},
        json_option_spec(&e.json),
        {0},
    };
    const struct option_group groups[] = {
        {"options", own},
        {"model", model_rows},
        preprocess_rows_group(&preprocess),
        {0},
    };
    const struct usage usage = {
        "eval",
        "MODEL DATASET",
        "Classify every image of DATASET, a folder of class folders, and count how many are\n"
        "right. Class folders are matched to the model's labels by name if all of them are\n"
        "labels; else the sorted names are classes 0, 1, ..., numeric names the class itself.\n"
        "Images that cannot be read are named, counted, never replaced; the exit status is 3.",
        "  fovea eval model.onnx val\n"
        "  fovea eval model.onnx val --recipe recipe.json --predictions out.csv\n"
        "  fovea eval model.onnx val --size 480 --resize squash --crop-pct 0.9375 --json "
        "out.json\n",
        groups,
    };
    struct operands operands;
    int end = options_parse(&usage, argc, argv, &operands);
    if (end != OPTIONS_GO_ON) {
        return end;
    }
    if (operands.count != 2) {
        return say_usage("eval", "takes a model and a dataset, but got %zu operands",
                         operands.count);
    }
    return evaluate_all(&e, &operands);
}
