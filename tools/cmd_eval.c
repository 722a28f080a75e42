/* fovea eval: top-1 and top-5 over a labelled dataset. */
#include "tools/commands.h"

#include "runtime/parallel.h"
#include "tools/eval_output.h"
#include "tools/eval_report.h"
#include "tools/exit_codes.h"
#include "tools/out_file.h"
#include "tools/preprocess_rows.h"
#include "tools/say.h"

#include <stdio.h>
#include <string.h>

enum { DEFAULT_BATCH = 4, MAX_WORKERS = 256 };

/* What the command line asks for. */
struct evaluation {
    struct json_target json;
    struct classifier_options options;
    int workers, streams; /* streams: 0 not given */
    bool measure;         /* --streams auto */
    bool inexact;         /* --exact off */
    const char *predictions, *logits;
    bool merge; /* --merge */
    struct eval_output output;
    struct eval eval;
    int argc; /* of the command, for the line that goes on with it */
    char **argv;
};

/* Decoding is a small share of the work of a large network: half the CPUs, when the model waits. */
static int default_workers(void) {
    int half = fovea_cpu_budget() / 2;
    return half < 1 ? 1 : half;
}

/* The options of the first session: one that is exact has one image and one thread. */
static struct classifier_options first_options(const struct evaluation *e) {
    struct classifier_options first = e->options;
    if (e->eval.exact) {
        first.model.threads = first.open_batch = 1;
    } else {
        first.model.threads = streams_share(&e->eval.setting, 0);
    }
    return first;
}

/*
 * How the work is divided to begin with, and what of it may change. A setting
 * that leaves nothing open is not measured.
 */
static enum fovea_status open_model(struct evaluation *e, struct fovea_error *err) {
    struct eval *eval = &e->eval;
    const struct model_options *given = &e->options.model;
    eval->options = &e->options;
    eval->jpeg = &e->options.preprocess.jpeg;
    eval->exact = !e->inexact;
    eval->setting.threads = given->threads ? given->threads : fovea_cpu_budget();
    eval->setting.streams = e->streams > 0 ? e->streams : eval->exact ? eval->setting.threads : 1;
    struct classifier_options first = first_options(e);
    enum fovea_status status = classifier_init(&eval->model, &first, err);
    if (status) {
        return status;
    }
    bool fixed = fovea_model_get_input(eval->model.model, 0)->dims[0] >= 0;
    eval->setting.batch = (int)eval->model.batch;
    eval->fixed_streams = e->streams > 0;
    eval->fixed_batch = eval->exact || given->batch > 0 || fixed;
    eval->choose = !eval->fixed_streams || !eval->fixed_batch;
    eval->always_measure = e->measure;
    if (eval->exact) {
        eval->setting.threads = eval->setting.streams;
    }
    return FOVEA_OK;
}

static void say_setting(const struct evaluation *e) {
    const struct eval *eval = &e->eval;
    int threads = e->options.model.threads;
    const struct fovea_dataset *set = &eval->list.dataset;
    classifier_print_recipe(&eval->model);
    if (eval->exact && e->options.model.batch > eval->model.batch) {
        say("note: each image is computed by itself; with --exact off, --batch %d",
            e->options.model.batch);
    }
    if (eval->exact && eval->setting.streams < threads) {
        say("note: %d of %d threads are left idle, since each stream has one; with --exact off,"
            " all are used",
            threads - eval->setting.streams, threads);
    }
    say("%zu images in %s", set->n_images, eval->list.words);
    if (set->n_ignored > 0) {
        say("warning: %zu files are not named .jpg, .jpeg or .png and were not listed, the first: "
            "%s",
            set->n_ignored, set->ignored ? fovea_quote(set->ignored).text : "");
    }
}

static enum fovea_status evaluate(struct evaluation *e, const char *root, struct fovea_error *err) {
    struct eval *eval = &e->eval;
    enum fovea_status status = eval_list_load(&eval->list, root, err);
    if (!status) {
        status = open_model(e, err);
    }
    if (!status) {
        status = eval_list_label(&eval->list, &eval->model, err);
    }
    if (!status) {
        status = eval_describe(eval, err);
    }
    if (status) {
        return status;
    }
    eval->workers = e->workers > 0 ? e->workers : default_workers();
    eval->workers = eval->workers < MAX_WORKERS ? eval->workers : MAX_WORKERS;
    say_setting(e);
    status = eval_output_open(&e->output, eval, err);
    return status ? status : eval_run(eval, e->logits != NULL, err);
}

/* How to go on with what was stopped. */
static void say_how_to_go_on(const struct evaluation *e) {
    if (!e->output.folder) {
        return;
    }
    fputs("go on with: fovea", stderr);
    for (int i = 0; i < e->argc; i++) {
        say_word(e->argv[i]);
    }
    fputs(e->output.resume ? "\n" : " --resume\n", stderr);
}

/* Whether this run's images are all done. */
static bool is_done(const struct eval *eval) {
    struct eval_counts c;
    eval_count(eval, &c);
    return c.not_done == 0;
}

static enum fovea_status write_report(const struct evaluation *e, struct fovea_error *err) {
    const struct eval_shard *shard = &e->eval.shard;
    if (!e->output.folder || !is_done(&e->eval)) {
        return FOVEA_OK;
    }
    if (shard->count > 1) {
        say("shard %zu of %zu is done; when all are: fovea eval --merge %s", shard->index + 1,
            shard->count, e->output.folder);
        return FOVEA_OK;
    }
    return eval_output_report(&e->output, &e->eval, err);
}

static enum fovea_status report(const struct evaluation *e, struct fovea_error *err) {
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
        status = json_target_write(&e->json, eval_json(&e->eval), err);
    }
    if (!status) {
        status = write_report(e, err);
    }
    if (e->eval.stop_signal) {
        say_how_to_go_on(e);
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
    struct fovea_error err, closing;
    e->options.path = operands->words[0];
    e->options.default_batch = DEFAULT_BATCH;
    enum fovea_status status = check_outputs(e, &err);
    if (!status) {
        status = evaluate(e, operands->words[1], &err);
    }
    enum fovea_status closed = eval_output_close(&e->output, &closing);
    e->eval.journal = NULL;
    if (!status && closed) {
        err = closing;
        status = closed;
    }
    if (!status) {
        status = report(e, &err);
    }
    int code = status ? say_failure("eval", &err) : exit_code(&e->eval);
    eval_finish(&e->eval);
    return code;
}

/* --merge: no model and no images, just what there is of them. */
static int merge(const struct evaluation *e, const struct operands *operands) {
    struct fovea_error err;
    struct eval_counts counts;
    const char *into = e->output.folder ? e->output.folder : operands->words[0];
    enum fovea_status status =
        eval_output_merge(operands->words, operands->count, into, &counts, &err);
    if (status) {
        return say_failure("eval", &err);
    }
    eval_print_counts(&counts);
    return counts.failed + counts.missing > 0 ? EXIT_SOME_FAILED : EXIT_DONE;
}

static enum fovea_status parse_exact(const char *text, void *target, struct fovea_error *err) {
    bool on = strcmp(text, "on") == 0;
    if (!on && strcmp(text, "off") != 0) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "'%s' is neither on nor off",
                          fovea_quote(text).text);
    }
    *(bool *)target = !on;
    return FOVEA_OK;
}

static enum fovea_status parse_shard(const char *text, void *target, struct fovea_error *err) {
    struct eval_shard *shard = target;
    unsigned long index, count;
    int used = 0;
    if (sscanf(text, "%8lu/%8lu%n", &index, &count, &used) != 2 || text[used] || index < 1 ||
        index > count) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "'%s' is not I/N with I in 1..N",
                          fovea_quote(text).text);
    }
    *shard = (struct eval_shard){index - 1, count};
    return FOVEA_OK;
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

/* Options that make no sense together: the exit code, or 0. */
static int check_usage(const struct evaluation *e, const struct operands *operands) {
    bool folder = e->output.folder;
    if (e->merge && operands->count == 0) {
        return say_usage("eval", "--merge takes the folders of journals");
    }
    if (!e->merge && !folder && (e->output.resume || e->output.retry || e->eval.shard.count > 1)) {
        return say_usage("eval", "--resume, --retry-failed and --shard need --output DIR");
    }
    if (e->output.retry && !e->output.resume) {
        return say_usage("eval", "--retry-failed needs --resume");
    }
    if (e->logits && e->output.resume) {
        return say_usage("eval", "--logits cannot be resumed: a journal has their digest alone");
    }
    return 0;
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
        {"output", "DIR",
         "journal and report go there: report.json, predictions.csv, report.html;\n"
         "docs/evaluation.md says what a journal is",
         option_text, &e.output.folder, 0},
        {"resume", NULL, "go on with the journal in DIR, if there is one", option_flag,
         &e.output.resume, 0},
        {"retry-failed", NULL, "with --resume: do again what failed or was missing", option_flag,
         &e.output.retry, 0},
        {"shard", "I/N", "only share I of N, of 1..N; its journal is DIR/journal.I-of-N",
         parse_shard, &e.eval.shard, 0},
        {"merge", NULL,
         "make the report of the journals in DIR... (into --output, or the first\n"
         "DIR); there is no MODEL then",
         option_flag, &e.merge, 0},
        {"exact", "WHEN",
         "on, the default: each image is computed by itself, on one thread, so that\n"
         "its logits are the same bits whatever the threads, streams and machines;\n"
         "off: batches and threads as they are fastest",
         parse_exact, &e.inexact, 0},
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
        "MODEL DATASET | --merge DIR...",
        "Classify every image of DATASET, a folder of class folders, and count how many are\n"
        "right. Class folders are matched to the model's labels by name if all of them are\n"
        "labels; else the sorted names are classes 0, 1, ..., numeric names the class itself.\n"
        "Images that cannot be read are named, counted, never replaced; the exit status is 3.",
        "  fovea eval model.onnx val\n"
        "  fovea eval model.onnx val --recipe recipe.json --predictions out.csv\n"
        "  fovea eval model.onnx val --output run1\n"
        "  fovea eval model.onnx val --output run1 --resume\n"
        "  fovea eval model.onnx val --size 480 --resize squash --crop-pct 0.9375 --json "
        "out.json\n",
        groups,
    };
    struct operands operands;
    int end = options_parse(&usage, argc, argv, &operands);
    if (end != OPTIONS_GO_ON) {
        return end;
    }
    e.argc = argc;
    e.argv = argv;
    int wrong = check_usage(&e, &operands);
    if (wrong) {
        return wrong;
    }
    if (e.merge) {
        return merge(&e, &operands);
    }
    if (operands.count != 2) {
        return say_usage("eval", "takes a model and a dataset, but got %zu operands",
                         operands.count);
    }
    return evaluate_all(&e, &operands);
}
