/* fovea eval: top-1 and top-5 over a labelled dataset. */
#include "tools/commands.h"

#include "runtime/parallel.h"
#include "tools/eval_report.h"
#include "tools/exit_codes.h"
#include "tools/out_file.h"
#include "tools/preprocess_rows.h"
#include "tools/say.h"

#include <string.h>

enum { DEFAULT_BATCH = 4, MAX_WORKERS = 256, N_LIST_ROWS = 5 };

/* What the command line asks for. */
struct evaluation {
    struct json_target json;
    struct classifier_options options;
    int workers, streams; /* streams: 0 not given */
    bool measure;         /* --streams auto */
    bool inexact;         /* --exact off */
    const char *predictions, *logits;
    struct eval_list_options list;
    struct eval eval;
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
    say("%s", eval->list.words.text);
    if (set->n_ignored > 0) {
        say("warning: %zu files are not named .jpg, .jpeg or .png, or not where images are, and "
            "were not listed, the first: %s",
            set->n_ignored, set->ignored ? fovea_quote(set->ignored).text : "");
    }
    size_t unknown = eval_list_unscored(&eval->list) - set->n_unscored;
    if (unknown > 0) {
        say("note: the model knows no class of %zu images; they are not scored", unknown);
    }
    if (set->n_repeated > 0) {
        say("warning: %zu images are listed more than once, and count so, the first: %s",
            set->n_repeated, set->repeated ? fovea_quote(set->repeated).text : "");
    }
}

static enum fovea_status evaluate(struct evaluation *e, struct fovea_error *err) {
    struct eval *eval = &e->eval;
    enum fovea_status status = eval_list_load(&eval->list, &e->list, err);
    if (!status) {
        status = open_model(e, err);
    }
    if (!status) {
        status = eval_list_label(&eval->list, &e->list, &eval->model, err);
    }
    if (!status) {
        status = eval_describe(eval, err);
    }
    if (status) {
        return status;
    }
    eval->jpeg = &e->options.preprocess.jpeg;
    eval->workers = e->workers > 0 ? e->workers : default_workers();
    eval->workers = eval->workers < MAX_WORKERS ? eval->workers : MAX_WORKERS;
    say_setting(e);
    return eval_run(eval, e->logits != NULL, err);
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
    e->list.path = operands->words[1];
    e->options.default_batch = DEFAULT_BATCH;
    enum fovea_status status = check_outputs(e, &err);
    if (!status) {
        status = evaluate(e, &err);
    }
    if (!status) {
        status = report(e, &err);
    }
    int code = status ? say_failure("eval", &err) : exit_code(&e->eval);
    eval_finish(&e->eval);
    return code;
}

static enum fovea_status parse_on(const char *text, void *target, struct fovea_error *err) {
    bool on = strcmp(text, "on") == 0;
    if (!on && strcmp(text, "off") != 0) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "'%s' is neither on nor off",
                          fovea_quote(text).text);
    }
    *(bool *)target = on;
    return FOVEA_OK;
}

static enum fovea_status parse_exact(const char *text, void *target, struct fovea_error *err) {
    bool on = false;
    enum fovea_status status = parse_on(text, &on, err);
    if (!status) {
        *(bool *)target = !on;
    }
    return status;
}

/* What says which images there are, and what they show. */
static void list_rows(struct eval_list_options *list, struct option_spec rows[N_LIST_ROWS]) {
    const struct option_spec all[N_LIST_ROWS] = {
        {"truth", "FILE",
         "what images show: an ILSVRC ground truth, a list of 'path label'\n"
         "or 'path,label' lines, or ReaL's real.json",
         option_text, &list->files.truth, 0},
        {"class-map", "FILE",
         "all classes of the dataset, 'ID NAME' or a name a line: what a ground\n"
         "truth's IDs stand for, and the order of folders that are only some",
         option_text, &list->files.class_map, 0},
        {"label-map", "FILE",
         "'FROM TO' lines: which class of the model (a label, an index, or - for\n"
         "none) a class of the dataset is; or line i about the dataset's class i",
         option_text, &list->label_map, 0},
        {"subset-logits", "WHEN",
         "on: only classes that the dataset has compete; off, the default: all", parse_on,
         &list->subset, 0},
        {0},
    };
    memcpy(rows, all, sizeof(all));
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
    struct option_spec dataset_rows[N_LIST_ROWS];
    model_option_specs(&e.options.model, model_rows);
    list_rows(&e.list, dataset_rows);
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
        {"dataset", dataset_rows},
        {"model", model_rows},
        preprocess_rows_group(&preprocess),
        {0},
    };
    const struct usage usage = {
        "eval",
        "MODEL DATASET",
        "Classify every image of DATASET and count how many are right. DATASET is a folder of\n"
        "class folders or, with --truth, of images; a tar archive of either, read in place; or\n"
        "a list, 'path label' a line. Classes are matched to the model's labels by name if all\n"
        "of them are labels; else numeric names are the class itself, and the sorted names, if\n"
        "there are as many as the model has classes, those. See docs/datasets.md.\n"
        "Images that cannot be read are named, counted, never replaced; the exit status is 3.",
        "  fovea eval model.onnx val\n"
        "  fovea eval model.onnx val --recipe recipe.json --predictions out.csv\n"
        "  fovea eval model.onnx ILSVRC2012_img_val.tar --truth real.json\n"
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
