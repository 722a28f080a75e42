/* See predictions.h. */
#include "evaluation/predictions.h"

#include "loaders/file.h"
#include "runtime/limits.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum column {
    COLUMN_PATH,
    COLUMN_LABEL,
    COLUMN_PRED,
    COLUMN_CORRECT,
    N_COLUMNS,
};

static const char *const column_names[N_COLUMNS] = {"path", "label", "pred", "correct"};

struct csv {
    char *next;              /* what is not read yet */
    size_t line;             /* that `next` is on, from 1 */
    size_t n_fields;         /* of the head */
    size_t place[N_COLUMNS]; /* of each column, SIZE_MAX: there is none */
};

/* ---- fields ----------------------------------------------------------------------- */

/* The end of a field that began with a quote at `*text`; NULL if it has none. */
static char *unquote(struct csv *csv, char **text) {
    char *from = csv->next + 1, *to = *text = from;
    for (; *from; from++) {
        if (from[0] == '"' && from[1] != '"') {
            csv->next = from + 1;
            return to;
        }
        csv->line += *from == '\n';
        from += *from == '"';
        *to++ = *from;
    }
    return NULL;
}

/*
 * Cut off one field. *last: it ends its row. False if it is broken.
 */
static bool next_field(struct csv *csv, char **text, bool *last) {
    char *end;
    if (*csv->next == '"') {
        end = unquote(csv, text);
        if (!end) {
            return false;
        }
    } else {
        *text = csv->next;
        csv->next += strcspn(csv->next, ",\r\n");
        end = csv->next;
    }
    char stop = *csv->next;
    if (stop == '\r' && csv->next[1] == '\n') {
        csv->next++;
        stop = '\n';
    }
    if (stop && stop != ',' && stop != '\n') {
        return false;
    }
    csv->next += stop != 0;
    csv->line += stop == '\n';
    *last = stop != ',';
    *end = 0;
    return true;
}

static enum fovea_status fail_at(size_t line, const char *what, struct fovea_error *err) {
    return fovea_fail(err, FOVEA_ERR_FORMAT, "line %zu %s", line, what);
}

/* ---- rows ------------------------------------------------------------------------- */

static enum fovea_status read_head(struct csv *csv, struct fovea_error *err) {
    bool last = false;
    for (int c = 0; c < N_COLUMNS; c++) {
        csv->place[c] = SIZE_MAX;
    }
    while (!last) {
        char *text;
        if (!next_field(csv, &text, &last)) {
            return fail_at(1, "has a broken field", err);
        }
        for (int c = 0; c < N_COLUMNS; c++) {
            if (strcmp(text, column_names[c]) == 0) {
                csv->place[c] = csv->n_fields;
            }
        }
        csv->n_fields++;
    }
    bool judged = csv->place[COLUMN_CORRECT] != SIZE_MAX;
    bool both = csv->place[COLUMN_LABEL] != SIZE_MAX && csv->place[COLUMN_PRED] != SIZE_MAX;
    if (csv->place[COLUMN_PATH] == SIZE_MAX || !(judged || both)) {
        return fail_at(1, "does not name the columns path, and label and pred or correct", err);
    }
    return FOVEA_OK;
}

/* A class at the start of `text`, -1 if there is none; *rest is what follows. */
static int32_t parse_class(const char *text, const char **rest) {
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    bool bad = end == text || errno || value < 0 || value > INT32_MAX;
    *rest = end;
    return bad ? -1 : (int32_t)value;
}

/* `pred` is a class: not the -1 of a word that is none. */
static bool is_among(int32_t pred, const char *labels) {
    while (*labels) {
        const char *rest;
        if (parse_class(labels, &rest) == pred) {
            return true;
        }
        labels = rest > labels ? rest : labels + 1;
    }
    return false;
}

static enum fovea_status make_row(char *const fields[N_COLUMNS], size_t line,
                                  struct eval_prediction *row, struct fovea_error *err) {
    const char *rest, *correct = fields[COLUMN_CORRECT], *pred = fields[COLUMN_PRED];
    *row = (struct eval_prediction){
        .path = fields[COLUMN_PATH], .labels = fields[COLUMN_LABEL], .row = row->row};
    row->label = parse_class(row->labels, &rest);
    if (*row->labels && (row->label < 0 || (*rest && *rest != ' '))) {
        return fail_at(line, "has a label that is no class", err);
    }
    row->pred = parse_class(pred, &rest);
    if (*pred && (row->pred < 0 || *rest)) {
        return fail_at(line, "has a pred that is no class", err);
    }
    if (*correct && strcmp(correct, "0") != 0 && strcmp(correct, "1") != 0) {
        return fail_at(line, "has a correct that is neither 0 nor 1", err);
    }
    bool derived = !*correct && row->pred >= 0 && row->label >= 0;
    row->answered = row->pred >= 0 || *correct;
    row->scored = *correct || derived;
    row->right = derived ? is_among(row->pred, row->labels) : *correct == '1';
    return FOVEA_OK;
}

static enum fovea_status read_row(struct csv *csv, struct eval_prediction *row,
                                  struct fovea_error *err) {
    static char none[] = "";
    char *fields[N_COLUMNS] = {none, none, none, none};
    size_t line = csv->line, n = 0;
    bool last = false;
    while (!last) {
        char *text;
        if (!next_field(csv, &text, &last)) {
            return fail_at(line, "has a broken field", err);
        }
        for (int c = 0; c < N_COLUMNS; c++) {
            fields[c] = csv->place[c] == n ? text : fields[c];
        }
        n++;
    }
    if (n != csv->n_fields) {
        return fovea_fail(err, FOVEA_ERR_FORMAT, "line %zu has %zu fields, the head has %zu", line,
                          n, csv->n_fields);
    }
    return make_row(fields, line, row, err);
}

/* The place of the next row; NULL if out of memory. */
static struct eval_prediction *add_row(struct eval_predictions *p, size_t *room) {
    if (p->n == *room) {
        size_t more = *room ? *room * 2 : 1024;
        struct eval_prediction *rows = realloc(p->rows, more * sizeof(*rows));
        if (!rows) {
            return NULL;
        }
        p->rows = rows;
        *room = more;
    }
    p->rows[p->n].row = p->n;
    return &p->rows[p->n++];
}

static enum fovea_status read_rows(struct eval_predictions *p, struct fovea_error *err) {
    struct csv csv = {.next = p->text, .line = 1};
    size_t room = 0;
    if (memcmp(csv.next, "\xef\xbb\xbf", 3) == 0) { /* a byte order mark */
        csv.next += 3;
    }
    enum fovea_status status = read_head(&csv, err);
    while (!status && *csv.next) {
        struct eval_prediction *row = add_row(p, &room);
        status = row ? read_row(&csv, row, err)
                     : fovea_fail_memory(err, room * sizeof(*row), "predictions");
    }
    if (!status && p->n == 0) {
        status = fovea_fail(err, FOVEA_ERR_FORMAT, "has no predictions");
    }
    return status;
}

/* ---- files ------------------------------------------------------------------------ */

static int compare_rows(const void *a, const void *b) {
    const struct eval_prediction *x = a, *y = b;
    int order = strcmp(x->path, y->path);
    return order ? order : (x->row > y->row) - (x->row < y->row);
}

static enum fovea_status read_text(const char *path, struct eval_predictions *p,
                                   struct fovea_error *err) {
    uint8_t *bytes;
    size_t size;
    enum fovea_status status =
        fovea_file_read(path, FOVEA_LIMIT_PREDICTIONS_BYTES, &bytes, &size, NULL, err);
    if (status) {
        return status;
    }
    /* room for the end, and for a look at three bytes */
    p->text = realloc(bytes, size + 4);
    if (!p->text) {
        free(bytes);
        return fovea_fail_memory(err, size + 4, "a file of predictions");
    }
    memset(p->text + size, 0, 4);
    if (memchr(p->text, 0, size)) {
        return fovea_fail(err, FOVEA_ERR_FORMAT, "is no text: byte %zu is zero", strlen(p->text));
    }
    return FOVEA_OK;
}

static enum fovea_status load_file(const char *path, struct eval_predictions *out,
                                   struct fovea_error *err) {
    struct eval_predictions p = {0};
    enum fovea_status status = read_text(path, &p, err);
    if (!status) {
        status = read_rows(&p, err);
    }
    if (status) {
        fovea_error_prefix(err, "%s", fovea_quote(path).text);
        eval_predictions_finish(&p);
        return status;
    }
    qsort(p.rows, p.n, sizeof(*p.rows), compare_rows);
    *out = p;
    return FOVEA_OK;
}

enum fovea_status eval_predictions_load(const char *path, struct eval_predictions *out,
                                        struct fovea_error *err) {
    struct stat info;
    char *inside;
    if (stat(path, &info) != 0 || !S_ISDIR(info.st_mode)) {
        return load_file(path, out, err);
    }
    if (asprintf(&inside, "%s/predictions.csv", path) < 0) {
        return fovea_fail_memory(err, strlen(path) + 17, "a path");
    }
    enum fovea_status status = load_file(inside, out, err);
    free(inside);
    return status;
}

void eval_predictions_finish(struct eval_predictions *predictions) {
    free(predictions->rows);
    free(predictions->text);
    memset(predictions, 0, sizeof(*predictions));
}
