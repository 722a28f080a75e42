/* fovea eval: top-1 and top-5 over a labelled dataset. */
#include "tools/commands.h"

#include "tools/eval_command.h"
#include "tools/eval_share.h"
#include "tools/eval_sweep.h"
#include "tools/preprocess_rows.h"
#include "tools/say.h"
#include "tools/sweep_axes.h"

#include <assert.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { N_LIST_ROWS = 5 };

static enum fovea_status parse_on(const char *text, void *target, struct fovea_error *err) {
    bool on = strcmp(text, "on") == 0;
    if (!on && strcmp(text, "off") != 0) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "'%s' is neither on nor off",
                          fovea_quote(text).text);
    }
    *(bool *)target = on;
    return FOVEA_OK;
}

static enum fovea_status parse_shard(const char *text, void *target, struct fovea_error *err) {
    struct eval_shard *shard = target;
    const char *at = text;
    size_t index, count;
    if (!option_digits(&at, &index) || *at++ != '/' || !option_digits(&at, &count) || *at ||
        index < 1 || index > count) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "'%s' is not I/N with I in 1..N",
                          fovea_quote(text).text);
    }
    *shard = (struct eval_shard){index - 1, count};
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

static enum fovea_status parse_sweep(const char *text, void *target, struct fovea_error *err) {
    *(const char **)target = text;
    return sweep_check_axes(text, err);
}

/* Whether the label map is the file that a report in the folder replaces, or removes. */
static bool replaces_label_map(const struct evaluation *e) {
    struct stat map, own;
    char path[PATH_MAX];
    if (!e->output.folder || !e->list.label_map) {
        return false;
    }
    int length = snprintf(path, sizeof(path), "%s/label-map.txt", e->output.folder);
    return length < (int)sizeof(path) && stat(path, &own) == 0 &&
           stat(e->list.label_map, &map) == 0 && map.st_dev == own.st_dev &&
           map.st_ino == own.st_ino;
}

/* Options that make no sense together: the exit code, or 0. */
static int check_usage(const struct evaluation *e, const struct operands *operands) {
    bool folder = e->output.folder;
    if (e->merge && operands->count == 0) {
        return say_usage("eval", "--merge takes the folders of journals");
    }
    if (e->merge && (e->predictions || e->logits || e->json.on || e->output.resume ||
                     e->eval.shard.count > 0)) {
        return say_usage("eval", "--merge takes --output and --max-failures; what it finds is in "
                                 "report.json and predictions.csv there");
    }
    if (!e->merge && !folder && (e->output.resume || e->output.retry || e->eval.shard.count > 1)) {
        return say_usage("eval", "--resume, --retry-failed and --shard need --output DIR");
    }
    if (e->sweep && (folder || e->merge || e->predictions || e->logits)) {
        return say_usage("eval", "--sweep prints a table; --json has the rest of what it finds");
    }
    if (e->output.retry && !e->output.resume) {
        return say_usage("eval", "--retry-failed needs --resume");
    }
    if (replaces_label_map(e)) {
        return say_usage("eval",
                         "--label-map: '%s' is where --output writes one of its own, or removes "
                         "what is there: copy it out of that folder",
                         fovea_quote(e->list.label_map).text);
    }
    if (e->logits && e->output.resume) {
        return say_usage("eval", "--logits cannot be resumed: a journal has their digest alone");
    }
    return 0;
}

/* --shard, or what a scheduler says instead: the exit code, or 0. */
static int find_shard(struct evaluation *e) {
    struct fovea_error err;
    const char *source;
    if (e->merge || !e->output.folder || e->eval.shard.count > 0 ||
        getenv("OMPI_COMM_WORLD_SIZE")) {
        return 0;
    }
    if (eval_shard_from_environment(&e->eval.shard, &source, &err)) {
        return say_failure("eval", &err);
    }
    if (source) {
        say("shard %zu of %zu, as %s says (--shard 1/1: all)", e->eval.shard.index + 1,
            e->eval.shard.count, source);
    }
    return 0;
}

enum { N_OWN_ROWS = 16 };

static void own_rows(struct evaluation *e, struct option_spec rows[N_OWN_ROWS]) {
    const struct option_spec own[] = {
        {"predictions", "FILE", "write path,label,pred,correct,logit,prob,top5 of every image",
         option_text, &e->predictions, 0},
        {"logits", "FILE", "write all logits as .npy, images by classes", option_text, &e->logits,
         0},
        {"labels", "FILE",
         "names of the classes: one a line, or JSON\n"
         "(default: the model's metadata, or config.json beside it)",
         option_text, &e->options.labels, 0},
        {"workers", "N", "threads that read and decode (default: as many as CPUs)", option_count,
         &e->workers, 0},
        {"read-timeout", "SECONDS",
         "an image that takes longer to read has failed, as one of a network file\n"
         "system whose server is gone (default: wait for it, and say so)",
         option_real, &e->eval.timeout_s, 0},
        {"max-failures", "N",
         "images that may fail or be missing: with N at most the exit status is 0;\n"
         "with more the run stops, exit 1, and can be resumed (default: any number\n"
         "may, and the exit status is 3)",
         option_size, &e->eval.max_failures, 0},
        {"streams", "N",
         "sessions at work at once, each with its share of threads, all of them\n"
         "within --max-memory; auto, the default: what a measurement on the\n"
         "first images finds fastest, together with the batch if that is open",
         parse_streams, e, 0},
        {"output", "DIR",
         "journal and report go there: report.json, predictions.csv, report.html;\n"
         "docs/evaluation.md says what a journal is",
         option_text, &e->output.folder, 0},
        {"resume", NULL, "go on with the journal in DIR, if there is one", option_flag,
         &e->output.resume, 0},
        {"retry-failed", NULL, "with --resume: do again what failed or was missing", option_flag,
         &e->output.retry, 0},
        {"shard", "I/N",
         "only share I of N, of 1..N; its journal is DIR/journal.I-of-N (default, with\n"
         "--output: as SLURM_ARRAY_TASK_ID or JOB_COMPLETION_INDEX say, if set)",
         parse_shard, &e->eval.shard, 0},
        {"merge", NULL,
         "make the report of the journals in DIR... (into --output, or the first\n"
         "DIR); there is no MODEL then",
         option_flag, &e->merge, 0},
        {"exact", "WHEN",
         "on, the default: each image is computed by itself, on one thread, so that\n"
         "its logits are the same bits whatever the threads, streams and machines;\n"
         "off: batches and threads as they are fastest",
         parse_exact, &e->inexact, 0},
        {"sweep", "AXES",
         "evaluate under many recipes, each image decoded once: 'all', or filters,\n"
         "resize modes and crop_pcts by commas; is it the model or the resize?",
         parse_sweep, &e->sweep, 0},
        json_option_spec(&e->json),
        {0},
    };
    static_assert(sizeof(own) == N_OWN_ROWS * sizeof(*rows), "room for all rows");
    memcpy(rows, own, sizeof(own));
}

int cmd_eval(int argc, char **argv) {
    /* Not on the stack: a thread that waits for a file may go on when this function has ended. */
    static struct evaluation e;
    struct option_spec model_rows[N_MODEL_OPTIONS];
    struct option_spec own[N_OWN_ROWS];
    struct preprocess_rows preprocess;
    struct option_spec dataset_rows[N_LIST_ROWS];
    model_option_specs(&e.options.model, model_rows);
    list_rows(&e.list, dataset_rows);
    preprocess_rows_init(&preprocess, &e.options.preprocess);
    own_rows(&e, own);
    e.eval.max_failures = SIZE_MAX;
    const struct option_group groups[] = {
        {"options", own},
        {"dataset", dataset_rows},
        {"model", model_rows},
        preprocess_rows_group(&preprocess),
        {0},
    };
    const struct usage usage = {
        "eval",
        "MODEL DATASET | --merge DIR...",
        "Classify every image of DATASET and count how many are right. DATASET is a folder of\n"
        "class folders or, with --truth, of images; a tar archive of either, read in place; or\n"
        "a list, 'path label' a line. Classes are matched to the model's labels by name if all\n"
        "of them are labels; else numeric names are the class itself, and the sorted names, if\n"
        "there are as many as the model has classes, those. See docs/datasets.md.\n"
        "Images that cannot be read are named, counted, never replaced; the exit status is 3.",
        "  fovea eval model.onnx val\n"
        "  fovea eval model.onnx val --recipe recipe.json --predictions out.csv\n"
        "  fovea eval model.onnx val --sweep bicubic,bilinear,squash,short,0.875,1\n"
        "  fovea eval model.onnx val --output run1\n"
        "  fovea eval model.onnx val --output run1 --resume\n"
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
    e.argc = argc;
    e.argv = argv;
    int wrong = check_usage(&e, &operands);
    wrong = wrong ? wrong : find_shard(&e);
    if (wrong) {
        return wrong;
    }
    if (e.merge) {
        return eval_command_merge(&e, &operands);
    }
    if (operands.count != 2) {
        return say_usage("eval", "takes a model and a dataset, but got %zu operand%s",
                         operands.count, operands.count == 1 ? "" : "s");
    }
    return e.sweep ? eval_sweep_run(&e, &operands) : eval_command_run(&e, &operands);
}
