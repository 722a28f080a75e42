/* See journal_read.h. */
#include "evaluation/journal_read.h"

#include "evaluation/journal.h"
#include "evaluation/journal_line.h"
#include "loaders/file.h"
#include "runtime/limits.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* ---- collections ----------------------------------------------------------------- */

/* Bytes of the shortest line that is a record. */
enum { LEAST_RECORD = 100 };

void eval_collection_bound(struct eval_collection *c, uint64_t bytes) {
    c->bounded = true;
    c->most = (size_t)(bytes / LEAST_RECORD);
}

static enum fovea_status check_size(const struct eval_collection *c, struct fovea_error *err) {
    const struct eval_description *d = &c->description;
    if (d->classes > FOVEA_LIMIT_CLASSES) {
        return fovea_fail(err, FOVEA_ERR_LIMIT, "%d classes are more than %d", d->classes,
                          FOVEA_LIMIT_CLASSES);
    }
    if (d->listed > FOVEA_LIMIT_LISTED) {
        return fovea_fail(err, FOVEA_ERR_LIMIT, "%zu images are more than %zu", d->listed,
                          FOVEA_LIMIT_LISTED);
    }
    if (c->bounded && d->listed > c->most) {
        return fovea_fail(err, FOVEA_ERR_LIMIT,
                          "of a list of %zu images, of which there can be records of %zu at most: "
                          "finish the run they belong to with --resume",
                          d->listed, c->most);
    }
    return FOVEA_OK;
}

static enum fovea_status make_room(struct eval_collection *c, struct fovea_error *err) {
    size_t n = c->description.listed;
    enum fovea_status status = check_size(c, err);
    if (status) {
        return status;
    }
    c->records = calloc(n ? n : 1, sizeof(*c->records));
    if (!c->records) {
        return fovea_fail_memory(err, n * sizeof(*c->records), "records");
    }
    c->n_records = n;
    c->described = true;
    return FOVEA_OK;
}

enum fovea_status eval_collection_expect(struct eval_collection *c,
                                         const struct eval_description *description,
                                         struct fovea_error *err) {
    enum fovea_status status = eval_description_copy(&c->description, description, err);
    return status ? status : make_room(c, err);
}

/* The description of one more journal, which is taken. */
static enum fovea_status take_description(struct eval_collection *c, struct eval_description *d,
                                          struct fovea_error *err) {
    if (c->described) {
        enum fovea_status status = eval_description_match(d, &c->description, err);
        eval_description_finish(d);
        return status;
    }
    c->description = *d;
    return make_room(c, err);
}

static bool same_answer(const struct eval_record *a, const struct eval_record *b) {
    return memcmp(a->logits_sha256, b->logits_sha256, sizeof(a->logits_sha256)) == 0 &&
           memcmp(a->file_sha256, b->file_sha256, sizeof(a->file_sha256)) == 0;
}

/* One more record, which is taken. */
static enum fovea_status take_record(struct eval_collection *c, size_t index,
                                     struct eval_record *record, struct fovea_error *err) {
    struct eval_record *place = &c->records[index];
    bool both = place->state == EVAL_OK && record->state == EVAL_OK;
    if (both && !same_answer(place, record)) {
        enum fovea_status status =
            fovea_fail(err, FOVEA_ERR_INVALID,
                       "image %zu, '%s', has an answer that differs from one recorded before",
                       index, fovea_quote(record->path).text);
        eval_record_finish(record);
        return status;
    }
    if (place->state == EVAL_OK) {
        eval_record_finish(record);
        return FOVEA_OK;
    }
    eval_record_finish(place);
    *place = *record;
    return FOVEA_OK;
}

size_t eval_collection_missing(const struct eval_collection *c, size_t *first) {
    size_t missing = 0;
    for (size_t i = 0; i < c->n_records; i++) {
        if (c->records[i].state != EVAL_NOT_DONE) {
            continue;
        }
        if (missing++ == 0 && first) {
            *first = i;
        }
    }
    return missing;
}

void eval_collection_finish(struct eval_collection *c) {
    for (size_t i = 0; i < c->n_records; i++) {
        eval_record_finish(&c->records[i]);
    }
    free(c->records);
    eval_description_finish(&c->description);
    *c = (struct eval_collection){0};
}

/* ---- one journal ----------------------------------------------------------------- */

/* A journal on its way to a collection. */
struct reader {
    struct eval_collection *into;
    struct eval_journal_state state;
    struct eval_description description; /* until its header is whole */
    size_t header_lines;
    struct eval_journal_run run; /* the last line of the run at hand */
    size_t line;                 /* its number, from 1 */
    size_t pending_damage;       /* lines since the last good one */
    size_t pending_line;
};

/* A line of the header: false if it is damaged. */
static bool read_header(struct reader *r, struct eval_line *line, struct fovea_error *err,
                        enum fovea_status *status) {
    size_t lines;
    switch (line->kind) {
    case EVAL_LINE_DESCRIPTION:
        r->header_lines++;
        return eval_line_get_description(line, &r->description);
    case EVAL_LINE_NAME:
        r->header_lines++;
        return eval_line_get_name(line, &r->description);
    case EVAL_LINE_HEADER_END:
        if (!eval_line_get_count(line, &lines) || lines != r->header_lines ||
            !eval_description_is_complete(&r->description)) {
            return false;
        }
        r->state.headed = true;
        *status = take_description(r->into, &r->description, err);
        r->description = (struct eval_description){0};
        return true;
    case EVAL_LINE_RECORD:
    case EVAL_LINE_TIME:
        break;
    }
    return false;
}

static void end_run(struct reader *r) {
    r->into->seconds += r->run.seconds;
    r->into->images += r->run.images;
}

static bool read_run(struct reader *r, struct eval_line *line) {
    struct eval_journal_run run;
    if (!eval_line_get_run(line, &run) || run.number < r->run.number) {
        return false;
    }
    if (run.number > r->run.number) {
        end_run(r);
    }
    r->run = run;
    r->state.n_runs = run.number;
    return true;
}

static bool read_record(struct reader *r, struct eval_line *line, struct fovea_error *err,
                        enum fovea_status *status) {
    struct eval_record record;
    size_t index;
    if (!eval_line_get_record(line, r->into->description.classes, &index, &record)) {
        return false;
    }
    if (index >= r->into->n_records) {
        eval_record_finish(&record);
        return false;
    }
    r->state.n_records++;
    *status = take_record(r->into, index, &record, err);
    return true;
}

/* What a line says: false if that is not what its kind says. */
static bool read_words(struct reader *r, struct eval_line *line, struct fovea_error *err,
                       enum fovea_status *status) {
    if (!r->state.headed) {
        return read_header(r, line, err, status);
    }
    switch (line->kind) {
    case EVAL_LINE_RECORD:
        return read_record(r, line, err, status);
    case EVAL_LINE_TIME:
        return read_run(r, line);
    case EVAL_LINE_DESCRIPTION:
    case EVAL_LINE_NAME:
    case EVAL_LINE_HEADER_END:
        break;
    }
    return false;
}

/* One line without its newline: false if it is damaged. */
static bool read_line(struct reader *r, char *bytes, size_t size, struct fovea_error *err,
                      enum fovea_status *status) {
    struct eval_line line;
    if (!eval_line_parse(bytes, size, &line)) {
        return false;
    }
    bool good = read_words(r, &line, err, status);
    if (line.no_memory) {
        *status = fovea_fail_memory(err, size, "a journal's line");
    }
    return good || line.no_memory;
}

/*
 * All lines. What is damaged counts as such once a good line follows it; at the
 * end of the file it is what a crash left.
 */
static enum fovea_status read_lines(struct reader *r, char *bytes, size_t size,
                                    struct fovea_error *err) {
    enum fovea_status status = FOVEA_OK;
    size_t at = strlen(EVAL_JOURNAL_MAGIC);
    r->line = 1;
    while (!status && at < size) {
        char *newline = memchr(bytes + at, '\n', size - at);
        if (!newline) {
            break;
        }
        size_t length = (size_t)(newline - (bytes + at));
        r->line++;
        if (read_line(r, bytes + at, length, err, &status)) {
            r->state.damaged += r->pending_damage;
            r->state.damaged_line = r->state.damaged_line ? r->state.damaged_line : r->pending_line;
            r->pending_damage = r->pending_line = 0;
            r->state.end = at + length + 1;
        } else if (!r->state.headed) {
            status =
                fovea_fail(err, FOVEA_ERR_FORMAT,
                           "line %zu, in its header, is damaged: nothing says what its records "
                           "belong to",
                           r->line);
        } else if (r->pending_damage++ == 0) {
            r->pending_line = r->line;
        }
        at += length + 1;
    }
    r->state.torn = size - r->state.end;
    return status;
}

enum fovea_status eval_collection_add(struct eval_collection *c, char *bytes, size_t size,
                                      struct eval_journal_state *state, struct fovea_error *err) {
    struct reader r = {.into = c};
    size_t magic = strlen(EVAL_JOURNAL_MAGIC), there = size < magic ? size : magic;
    if (memcmp(bytes, EVAL_JOURNAL_MAGIC, there) != 0) {
        return fovea_fail(err, FOVEA_ERR_FORMAT, "is no journal of this version of Fovea");
    }
    enum fovea_status status = there < magic ? FOVEA_OK : read_lines(&r, bytes, size, err);
    if (r.state.headed) {
        end_run(&r);
    } else {
        r.state.end = 0;
        r.state.torn = size;
    }
    eval_description_finish(&r.description);
    if (!status) {
        *state = r.state;
    }
    return status;
}

enum fovea_status eval_collection_read(struct eval_collection *c, const char *path,
                                       struct eval_journal_state *state, struct fovea_error *err) {
    uint8_t *bytes = NULL;
    size_t size = 0;
    int fd = fovea_file_open(path);
    enum fovea_status status = FOVEA_OK;
    if (fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
        status = fovea_fail(err, FOVEA_ERR_LIMIT, "is being written by another process");
    }
    if (!status) {
        status = fovea_file_read(path, FOVEA_LIMIT_JOURNAL_BYTES, &bytes, &size, NULL, err);
    }
    if (!status) {
        status = eval_collection_add(c, (char *)bytes, size, state, err);
    }
    free(bytes);
    if (fd >= 0) {
        close(fd);
    }
    if (status) {
        fovea_error_prefix(err, "%s", fovea_quote(path).text);
    }
    return status;
}

/* ---- folders --------------------------------------------------------------------- */

static int is_journal(const struct dirent *entry) {
    size_t length = strlen(EVAL_JOURNAL_NAME);
    return strncmp(entry->d_name, EVAL_JOURNAL_NAME, length) == 0 &&
           (!entry->d_name[length] || entry->d_name[length] == '.');
}

enum fovea_status eval_journals_find(const char *folder, char ***out, size_t *count,
                                     struct fovea_error *err) {
    struct dirent **entries = NULL;
    int n = scandir(folder, &entries, is_journal, versionsort);
    if (n < 0 && errno != ENOENT) {
        return fovea_fail(err, FOVEA_ERR_IO, "%s: cannot be listed: %s", fovea_quote(folder).text,
                          strerror(errno));
    }
    size_t found = n > 0 ? (size_t)n : 0;
    char **paths = calloc(found + 1, sizeof(*paths));
    bool ok = paths != NULL;
    for (size_t i = 0; i < found; i++) {
        if (ok && asprintf(&paths[i], "%s/%s", folder, entries[i]->d_name) < 0) {
            paths[i] = NULL;
            ok = false;
        }
        free(entries[i]);
    }
    free(entries);
    if (!ok) {
        eval_journals_free(paths, found);
        return fovea_fail_memory(err, found * sizeof(*paths), "paths of journals");
    }
    *out = paths;
    *count = found;
    return FOVEA_OK;
}

void eval_journals_free(char **paths, size_t count) {
    for (size_t i = 0; paths && i < count; i++) {
        free(paths[i]);
    }
    free(paths);
}
