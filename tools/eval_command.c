/* See eval_command.h. */
#include "tools/eval_command.h"

#include "evaluation/journal_line.h"
#include "loaders/paths.h"
#include "runtime/parallel.h"
#include "tools/eval_report.h"
#include "tools/exit_codes.h"
#include "tools/out_file.h"
#include "tools/preprocess_options.h"
#include "tools/ranks.h"
#include "tools/say.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { DEFAULT_BATCH = 4, MAX_WORKERS = 256 };

/*
 * As many as there are CPUs: ahead of a small network all of them have to decode,
 * and ahead of a large one those that are not needed sleep.
 */
void eval_command_set_workers(struct evaluation *e) {
    int workers = e->workers > 0 ? e->workers : fovea_cpu_budget();
    e->eval.workers = workers < MAX_WORKERS ? workers : MAX_WORKERS;
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
    say("%s", eval->list.words.text);
    if (eval->list.unlike) {
        say("warning: the model's labels are other words than the names of classes here; should "
            "the "
            "order be another, too, give a label map (--label-map)");
    }
    if (set->n_ignored > 0) {
        say("warning: files that are not named .jpg, .jpeg or .png, or not where images are, were "
            "not listed: %zu, the first: %s",
            set->n_ignored, set->ignored ? fovea_quote(set->ignored).text : "");
    }
    size_t unknown = eval_list_unscored(&eval->list) - set->n_unscored;
    if (unknown > 0) {
        say("note: the model knows no class of %zu images; they are run, but not scored", unknown);
    }
    if (set->n_repeated > 0) {
        say("warning: images listed again after their first time, which count again: %zu, the "
            "first: %s",
            set->n_repeated, set->repeated ? fovea_quote(set->repeated).text : "");
    }
}

/* Ranks belong together only if they would write the same journal: what rank 0 would is the
 * measure.
 */
static enum fovea_status agree(const struct eval *eval, struct fovea_error *err) {
    struct eval_text text = {0};
    struct eval_collection first = {0};
    struct eval_journal_state state;
    enum fovea_status status = FOVEA_OK;
    if (!eval->ranks) {
        return FOVEA_OK;
    }
    if (ranks_index(eval->ranks) == 0) {
        eval_line_add_header(&text, &eval->description);
    }
    if (!ranks_spread(eval->ranks, &text.bytes, &text.size)) {
        status = fovea_fail(err, FOVEA_ERR_MEMORY, "out of memory on one of the ranks");
    }
    if (!status) {
        status = eval_collection_add(&first, text.bytes, text.size, &state, err);
    }
    if (!status) {
        status = eval_description_match(&first.description, &eval->description, err);
        if (status) {
            fovea_error_prefix(err, "rank %d of %d does not belong to rank 0",
                               ranks_index(eval->ranks), ranks_count(eval->ranks));
        }
    }
    eval_text_finish(&text);
    eval_collection_finish(&first);
    return status;
}

/* What `path`, or else its folder, is without links and dots; false if it cannot be told. */
static bool find_place(const char *path, char out[PATH_MAX]) {
    if (realpath(path, out)) {
        return true;
    }
    char *folder = fovea_path_beside(path, ".");
    bool found = folder && realpath(folder, out);
    free(folder);
    return found;
}

/* In a folder of class folders, DIR would be a class to the next run, which --resume is. */
static enum fovea_status check_place(const struct evaluation *e, struct fovea_error *err) {
    char dir[PATH_MAX], dataset[PATH_MAX];
    struct stat info;
    const char *path = e->list.path;
    if (!e->output.folder || stat(path, &info) != 0 || !S_ISDIR(info.st_mode) ||
        !find_place(e->output.folder, dir) || !find_place(path, dataset)) {
        return FOVEA_OK;
    }
    size_t n = strlen(dataset);
    bool fresh = stat(e->output.folder, &info) != 0;
    bool inside = strncmp(dir, dataset, n) == 0 && (dir[n] == '/' || (fresh && !dir[n]));
    return inside ? fovea_fail(err, FOVEA_ERR_INVALID,
                               "--output %s is in the dataset, where it would pass for a class; "
                               "take a folder elsewhere",
                               fovea_quote(e->output.folder).text)
                  : FOVEA_OK;
}

static enum fovea_status evaluate(struct evaluation *e, struct fovea_error *err) {
    struct eval *eval = &e->eval;
    enum fovea_status status = check_place(e, err);
    if (!status) {
        status = eval_list_load(&eval->list, &e->list, err);
    }
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
    eval_command_set_workers(e);
    if (ranks_index(eval->ranks) == 0) {
        say_setting(e);
    }
    status = agree(eval, err);
    if (!status) {
        status = eval_output_open(&e->output, eval, err);
    }
    return status ? status : eval_run(eval, e->logits != NULL, err);
}

/* How to go on with what was stopped, or was given up for failures. */
static void say_how_to_go_on(const struct evaluation *e) {
    if (!e->output.folder) {
        return;
    }
    fputs("go on with:", stderr);
    if (e->eval.ranks) {
        fprintf(stderr, " mpirun -n %d", ranks_count(e->eval.ranks));
    }
    fputs(" fovea eval", stderr); /* options first: behind a "--" they were none */
    fputs(e->output.resume ? "" : " --resume", stderr);
    fputs(e->eval.gave_up && !e->output.retry ? " --retry-failed" : "", stderr);
    for (int i = 1; i < e->argc; i++) {
        say_word(e->argv[i]);
    }
    fputc('\n', stderr);
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

int eval_command_exit_code(const struct eval *eval, const struct eval_counts *counts) {
    bool allowed = eval->max_failures < SIZE_MAX;
    if (eval->stop_signal) {
        return EXIT_SIGNAL + eval->stop_signal;
    }
    return counts->failed + counts->missing > 0 && !allowed ? EXIT_SOME_FAILED : EXIT_DONE;
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

/* Close the journal, whatever happened, and have its records, if nothing bad did. */
static enum fovea_status settle(struct evaluation *e, enum fovea_status status,
                                struct fovea_error *err) {
    struct fovea_error closing;
    enum fovea_status closed = eval_output_close(&e->output, &closing);
    e->eval.journal = NULL;
    if (!status && closed) {
        *err = closing;
        status = closed;
    }
    return status ? status : eval_output_collect(&e->output, &e->eval, err);
}

/* Ranks count their own failures while they run; here are those of all. */
static enum fovea_status check_sum(struct eval *eval, struct eval_counts *counts,
                                   struct fovea_error *err) {
    eval_count(eval, counts);
    return eval_check_failures(eval, counts->failed + counts->missing, err);
}

static int run(struct evaluation *e) {
    struct fovea_error err;
    struct eval_counts counts;
    struct ranks *ranks = e->eval.ranks;
    enum fovea_status status = check_outputs(e, &err);
    if (!status) {
        status = evaluate(e, &err);
    }
    status = settle(e, status, &err);
    bool settled = !status; /* whatever comes now, the journal has everything */
    if (!status) {
        status = check_sum(&e->eval, &counts, &err);
    }
    if (!status && ranks_index(ranks) == 0) {
        status = report(e, &err);
    }
    if (status) {
        int code = say_failure("eval", &err);
        if (e->eval.gave_up || settled) {
            say_how_to_go_on(e);
        }
        ranks_abort(ranks);
        return code;
    }
    return ranks_index(ranks) == 0 ? eval_command_exit_code(&e->eval, &counts) : EXIT_DONE;
}

int eval_command_run(struct evaluation *e, const struct operands *operands) {
    struct fovea_error err;
    e->options.path = operands->words[0];
    e->list.path = operands->words[1];
    e->options.default_batch = DEFAULT_BATCH;
    enum fovea_status status = ranks_join(&e->eval.ranks, &err);
    if (!status && e->eval.ranks && (!e->output.folder || e->logits || e->eval.shard.count > 1)) {
        status = fovea_fail(&err, FOVEA_ERR_INVALID,
                            "under mpirun there must be --output DIR, and no --logits or --shard");
    }
    int code = status ? say_failure("eval", &err) : run(e);
    ranks_leave(e->eval.ranks);
    eval_output_finish(&e->output);
    eval_finish(&e->eval);
    return code;
}

int eval_command_merge(struct evaluation *e, const struct operands *operands) {
    struct fovea_error err;
    struct eval_counts counts;
    const char *into = e->output.folder ? e->output.folder : operands->words[0];
    enum fovea_status status =
        eval_output_merge(operands->words, operands->count, into, &counts, &err);
    if (!status) { /* there is a report all the same */
        status = eval_check_failures(&e->eval, counts.failed + counts.missing, &err);
    }
    return status ? say_failure("eval", &err) : eval_command_exit_code(&e->eval, &counts);
}
