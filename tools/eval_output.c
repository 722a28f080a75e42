/* See eval_output.h. */
#include "tools/eval_output.h"

#include "evaluation/report.h"
#include "loaders/file.h"
#include "runtime/session.h"
#include "tools/eval_report.h"
#include "tools/options.h"
#include "tools/ranks.h"
#include "tools/say.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- opening ---------------------------------------------------------------------- */

static enum fovea_status make_folder(const char *path, struct fovea_error *err) {
    if (mkdir(path, 0777) == 0 || errno == EEXIST) {
        return FOVEA_OK;
    }
    return fovea_fail(err, FOVEA_ERR_IO, "cannot make the folder '%s': %s", fovea_quote(path).text,
                      strerror(errno));
}

/* The journal this run writes: of all, or of its share. NULL if out of memory. */
static char *journal_path(const char *folder, const struct eval *eval) {
    const struct eval_shard *shard = &eval->shard;
    char part[64] = "", *path;
    if (eval->ranks) {
        snprintf(part, sizeof(part), ".rank-%d", ranks_index(eval->ranks));
    } else if (shard->count > 1) {
        snprintf(part, sizeof(part), ".%zu-of-%zu", shard->index + 1, shard->count);
    }
    return asprintf(&path, "%s/%s%s", folder, EVAL_JOURNAL_NAME, part) < 0 ? NULL : path;
}

/* Whether another rank of this job writes to the journal at `path`, if their folder is this one. */
static bool is_of_other_rank(const struct eval *eval, const char *path) {
    static const char mark[] = EVAL_JOURNAL_NAME ".rank-";
    const char *name = strrchr(path, '/');
    if (!eval->ranks || !name || strncmp(name + 1, mark, strlen(mark)) != 0) {
        return false;
    }
    const char *digits = name + 1 + strlen(mark);
    size_t rank;
    return option_digits(&digits, &rank) && rank < (size_t)ranks_count(eval->ranks) &&
           rank != (size_t)ranks_index(eval->ranks);
}

static void say_state(const char *path, const struct eval_journal_state *state) {
    if (state->torn > 0) {
        say("note: %s: its last %zu bytes, which a crash left, are cut off", path, state->torn);
    }
    if (state->damaged > 0) {
        say("warning: %s: %zu lines are damaged, the first is line %zu; their images are done "
            "again",
            path, state->damaged, state->damaged_line);
    }
}

/*
 * A run that is not a shard goes on with whatever there is: with the journals of
 * shards, too, that it does not write to.
 */
static enum fovea_status read_others(const struct eval_output *output, const struct eval *eval,
                                     struct eval_collection *collection, struct fovea_error *err) {
    struct eval_journal_state state;
    char **paths;
    size_t count;
    enum fovea_status status = eval_journals_find(output->folder, &paths, &count, err);
    if (status) {
        return status;
    }
    for (size_t i = 0; !status && i < count; i++) {
        if (strcmp(paths[i], output->path) == 0 || is_of_other_rank(eval, paths[i])) {
            continue;
        }
        if (!output->resume) {
            status = fovea_fail(
                err, FOVEA_ERR_INVALID,
                "%s is there from another run: go on with it by --resume, or take another folder",
                fovea_quote(paths[i]).text);
            continue;
        }
        status = eval_collection_read(collection, paths[i], &state, err);
        if (!status) {
            say_state(paths[i], &state);
        }
    }
    eval_journals_free(paths, count);
    return status;
}

/* What is done already: it moves from the journals to the list. */
static void take_records(const struct eval_output *output, struct eval *eval,
                         struct eval_collection *collection) {
    for (size_t i = 0; i < collection->n_records; i++) {
        struct eval_record *there = &collection->records[i], *here = &eval->list.records[i];
        if (there->state == EVAL_NOT_DONE || (output->retry && there->state != EVAL_OK)) {
            continue;
        }
        struct eval_record mine = *here;
        *here = *there;
        *there = mine;
        eval->n_resumed += eval_shard_has(&eval->shard, i);
    }
}

static enum fovea_status open_journals(struct eval_output *output, struct eval *eval,
                                       struct fovea_error *err) {
    struct eval_collection collection = {0};
    struct eval_journal_state state;
    enum fovea_status status = eval_collection_expect(&collection, &eval->description, err);
    if (!status && eval->shard.count <= 1 && ranks_index(eval->ranks) == 0) {
        status = read_others(output, eval, &collection, err);
    }
    if (!status) {
        status = eval_journal_open(output->path, output->resume, &collection, &state,
                                   &output->journal, err);
    }
    if (!status) {
        say_state(output->path, &state);
        take_records(output, eval, &collection);
        eval->journal = output->journal;
    }
    eval_collection_finish(&collection);
    return status;
}

/* What any rank has done is done for all. */
static enum fovea_status unite(struct eval *eval, struct fovea_error *err) {
    size_t n = eval->list.count;
    if (!eval->ranks) {
        return FOVEA_OK;
    }
    eval->elsewhere = calloc(n, 1);
    if (!eval->elsewhere) {
        return fovea_fail_memory(err, n, "a list");
    }
    for (size_t i = 0; i < n; i++) {
        eval->elsewhere[i] = eval->list.records[i].state != EVAL_NOT_DONE;
    }
    ranks_unite(eval->ranks, eval->elsewhere, n);
    eval->n_resumed = 0;
    for (size_t i = 0; i < n; i++) {
        eval->n_resumed += eval->elsewhere[i];
    }
    return FOVEA_OK;
}

enum fovea_status eval_output_open(struct eval_output *output, struct eval *eval,
                                   struct fovea_error *err) {
    if (!output->folder) {
        return FOVEA_OK;
    }
    enum fovea_status status = make_folder(output->folder, err);
    if (status) {
        return status;
    }
    output->path = journal_path(output->folder, eval);
    if (!output->path) {
        return fovea_fail_memory(err, strlen(output->folder), "a path");
    }
    status = open_journals(output, eval, err);
    if (!status) {
        status = unite(eval, err);
    }
    if (!status && !eval_journal_is_locked(output->journal)) {
        say("warning: %s: this file system has no locks; see to it that no other run writes to it",
            output->path);
    }
    if (!status && eval->n_resumed > 0 && ranks_index(eval->ranks) == 0) {
        say("%s: %zu images are done already", output->folder, eval->n_resumed);
    }
    return status;
}

enum fovea_status eval_output_close(struct eval_output *output, struct fovea_error *err) {
    struct eval_journal *journal = output->journal;
    output->journal = NULL;
    return journal ? eval_journal_close(journal, err) : FOVEA_OK;
}

/* ---- the report -------------------------------------------------------------------- */

/* The journals in a folder, but for those that ranks of `eval` (or NULL) send. */
static enum fovea_status read_folder(const char *folder, const struct eval *eval,
                                     struct eval_collection *into, size_t *n_journals,
                                     struct fovea_error *err) {
    struct eval_journal_state state;
    char **paths;
    size_t count;
    enum fovea_status status = eval_journals_find(folder, &paths, &count, err);
    if (status) {
        return status;
    }
    for (size_t i = 0; !status && i < count; i++) {
        if (eval && is_of_other_rank(eval, paths[i])) {
            continue;
        }
        status = eval_collection_read(into, paths[i], &state, err);
        if (!status && state.damaged > 0) {
            say("warning: %s: %zu lines are damaged, the first is line %zu", paths[i],
                state.damaged, state.damaged_line);
        }
        (*n_journals)++;
    }
    eval_journals_free(paths, count);
    return status;
}

static enum fovea_status check_complete(const struct eval_collection *c, size_t n_journals,
                                        struct fovea_error *err) {
    size_t first = 0, missing = eval_collection_missing(c, &first);
    if (missing == 0) {
        return FOVEA_OK;
    }
    return fovea_fail(err, FOVEA_ERR_INVALID,
                      "%zu of %zu images are in none of the %zu journals, the first is number %zu "
                      "of the list (from 0): finish the run they belong to with --resume",
                      missing, c->n_records, n_journals, first);
}

static enum fovea_status read_picture(const void *context, size_t index, uint8_t **bytes,
                                      size_t *size, struct fovea_error *err) {
    enum eval_state state;
    return eval_list_read(context, index, bytes, size, &state, err);
}

/* The journal of another rank, for ranks_gather. */
static enum fovea_status take_journal(void *context, char *bytes, size_t size,
                                      struct fovea_error *err) {
    struct eval_journal_state state;
    enum fovea_status status = eval_collection_add(context, bytes, size, &state, err);
    if (status) {
        fovea_error_prefix(err, "the journal of a rank");
    }
    return status;
}

static enum fovea_status send_journal(const struct eval_output *output, const struct eval *eval,
                                      struct fovea_error *err) {
    uint8_t *bytes = NULL;
    size_t size = 0;
    enum fovea_status status =
        fovea_file_read(output->path, SIZE_MAX / 2, &bytes, &size, NULL, err);
    if (status) {
        fovea_error_prefix(err, "%s", fovea_quote(output->path).text);
        return status;
    }
    status = ranks_gather(eval->ranks, (char *)bytes, size, NULL, NULL, err);
    free(bytes);
    return status;
}

/* Records of the list become those of the journals. */
static void use_records(struct eval *eval, struct eval_collection *all) {
    for (size_t i = 0; i < all->n_records; i++) {
        struct eval_record *there = &all->records[i], *here = &eval->list.records[i];
        if (there->state != EVAL_NOT_DONE) {
            struct eval_record mine = *here;
            *here = *there;
            *there = mine;
        }
    }
}

enum fovea_status eval_output_collect(struct eval_output *output, struct eval *eval,
                                      struct fovea_error *err) {
    struct eval_collection all = {0};
    size_t n_journals = 0;
    if (!output->folder || eval->shard.count > 1) {
        return FOVEA_OK;
    }
    if (ranks_index(eval->ranks) > 0) {
        return send_journal(output, eval, err);
    }
    enum fovea_status status = read_folder(output->folder, eval, &all, &n_journals, err);
    if (!status) {
        status = ranks_gather(eval->ranks, NULL, 0, take_journal, &all, err);
    }
    if (!status) {
        status = eval_description_match(&all.description, &eval->description, err);
    }
    if (!status) {
        use_records(eval, &all);
        output->description = all.description;
        output->seconds = all.seconds;
        output->images = all.images;
        all.description = (struct eval_description){0};
    }
    eval_collection_finish(&all);
    return status;
}

static void say_where(const char *folder) {
    say("report: %s/report.html (for programs: report.json, predictions.csv)", folder);
}

enum fovea_status eval_output_report(const struct eval_output *output, const struct eval *eval,
                                     struct fovea_error *err) {
    const struct eval_timings timings = {
        .seconds = output->seconds,
        .images = output->images,
        .threads = eval->setting.threads,
        .streams = eval->setting.streams,
        .workers = eval->workers,
        .ranks = ranks_count(eval->ranks),
        .batch = eval->model.batch,
        .peak_rss_bytes = fovea_peak_resident_bytes(),
    };
    const struct eval_pictures pictures = {.read = read_picture, .context = &eval->list};
    const struct eval_evidence evidence = {
        .description = &output->description,
        .records = eval->list.records,
        .n_records = eval->list.count,
        .timings = &timings,
        .pictures = &pictures,
    };
    enum fovea_status status = eval_report_write(output->folder, &evidence, err);
    if (!status) {
        say_where(output->folder);
    }
    return status;
}

void eval_output_finish(struct eval_output *output) {
    eval_description_finish(&output->description);
    free(output->path);
}

/* The bytes of all journals in the folders. */
static enum fovea_status weigh(char *const *folders, size_t n_folders, uint64_t *bytes,
                               struct fovea_error *err) {
    enum fovea_status status = FOVEA_OK;
    *bytes = 0;
    for (size_t i = 0; !status && i < n_folders; i++) {
        char **paths;
        size_t count;
        struct stat info;
        status = eval_journals_find(folders[i], &paths, &count, err);
        for (size_t k = 0; !status && k < count; k++) {
            *bytes += stat(paths[k], &info) == 0 ? (uint64_t)info.st_size : 0;
        }
        if (!status) {
            eval_journals_free(paths, count);
        }
    }
    return status;
}

enum fovea_status eval_output_merge(char *const *folders, size_t count, const char *into,
                                    struct eval_counts *counts, struct fovea_error *err) {
    struct eval_collection all = {0};
    size_t n_journals = 0;
    uint64_t bytes = 0;
    enum fovea_status status = weigh(folders, count, &bytes, err);
    eval_collection_bound(&all, bytes);
    for (size_t i = 0; !status && i < count; i++) {
        size_t before = n_journals;
        status = read_folder(folders[i], NULL, &all, &n_journals, err);
        if (!status && n_journals == before) {
            status = fovea_fail(err, FOVEA_ERR_IO, "there is no journal in '%s'",
                                fovea_quote(folders[i]).text);
        }
    }
    if (!status) {
        status = check_complete(&all, n_journals, err);
    }
    if (!status) {
        status = make_folder(into, err);
    }
    if (!status) {
        const struct eval_timings timings = {.seconds = all.seconds, .images = all.images};
        const struct eval_evidence evidence = {
            .description = &all.description,
            .records = all.records,
            .n_records = all.n_records,
            .timings = &timings,
        };
        eval_count_records(all.records, all.n_records, NULL, counts);
        status = eval_report_write(into, &evidence, err);
    }
    if (!status) {
        eval_print_counts(counts);
        eval_print_diagnosis(&all.description, all.records, all.n_records);
        say_where(into);
    }
    eval_collection_finish(&all);
    return status;
}
