/* See summary.h. */
#include "evaluation/summary.h"

#include "evaluation/scores.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What is being summed up, and room to do it in. */
struct gathering {
    const struct eval_record *records;
    size_t n_records;
    int32_t classes;
    struct eval_class_score *scores; /* [classes] */
    struct eval_cell *cells;         /* one for each label of each record, at most */
    size_t n_cells;
    size_t *mistakes; /* room for all records */
};

struct eval_share eval_share_of(size_t part, size_t whole) {
    struct eval_share share = {.part = part, .whole = whole, .value = NAN};
    wilson_interval(part, whole, &share.low, &share.high);
    if (whole > 0) {
        share.value = (double)part / (double)whole;
    }
    return share;
}

const char *eval_class_name(const struct eval_description *description, int32_t class_index) {
    bool named = description->names && class_index >= 0 && class_index < description->classes;
    return named ? description->names[class_index] : NULL;
}

static enum fovea_status check_class(const struct gathering *g, int32_t class_index, size_t record,
                                     struct fovea_error *err) {
    if (class_index >= 0 && class_index < g->classes) {
        return FOVEA_OK;
    }
    return fovea_fail(err, FOVEA_ERR_INVALID, "image %zu of the list has class %d of %d", record,
                      (int)class_index, (int)g->classes);
}

/* Also counts the labels, which bounds the cells. */
static enum fovea_status check_records(const struct gathering *g, size_t *n_labels,
                                       struct fovea_error *err) {
    size_t total = 0;
    for (size_t i = 0; i < g->n_records; i++) {
        const struct eval_record *r = &g->records[i];
        enum fovea_status status = FOVEA_OK;
        for (size_t k = 0; !status && k < r->n_labels; k++) {
            status = check_class(g, r->labels[k], i, err);
        }
        for (size_t k = 0; !status && r->state == EVAL_OK && k < r->n_top; k++) {
            status = check_class(g, r->top[k].class_index, i, err);
        }
        if (!status && r->state == EVAL_OK && r->n_top == 0) {
            status = fovea_fail(err, FOVEA_ERR_INVALID, "image %zu of the list has no answer", i);
        }
        if (status) {
            return status;
        }
        total += r->n_labels;
    }
    *n_labels = total;
    return FOVEA_OK;
}

static void gathering_finish(struct gathering *g) {
    free(g->scores);
    free(g->cells);
    free(g->mistakes);
}

static enum fovea_status gathering_init(struct gathering *g, struct fovea_error *err) {
    size_t n_labels = 0;
    enum fovea_status status = check_records(g, &n_labels, err);
    if (status) {
        return status;
    }
    g->scores = calloc((size_t)g->classes + 1, sizeof(*g->scores));
    g->cells = calloc(n_labels + 1, sizeof(*g->cells));
    g->mistakes = calloc(g->n_records + 1, sizeof(*g->mistakes));
    if (!g->scores || !g->cells || !g->mistakes) {
        gathering_finish(g);
        return fovea_fail_memory(err, n_labels * sizeof(*g->cells), "the figures of a report");
    }
    return FOVEA_OK;
}

static void count_cells(struct gathering *g, const struct eval_record *r, bool right) {
    int32_t pred = r->top[0].class_index;
    size_t n = right ? 1 : r->n_labels;
    for (size_t k = 0; k < n; k++) {
        g->cells[g->n_cells++] =
            (struct eval_cell){.label = right ? pred : r->labels[k], .pred = pred, .count = 1};
    }
}

static void count_scored(struct gathering *g, struct eval_summary *s, size_t index) {
    const struct eval_record *r = &g->records[index];
    int place = eval_record_hit(r);
    s->scored++;
    s->top1.part += place == 0;
    s->top5.part += place >= 0;
    struct eval_class_score *taken = &g->scores[r->top[0].class_index];
    taken->predicted++;
    taken->predicted_right += place == 0;
    for (size_t k = 0; k < r->n_labels; k++) {
        struct eval_class_score *score = &g->scores[r->labels[k]];
        score->images++;
        score->top1 += place == 0;
        score->top5 += place >= 0;
    }
    count_cells(g, r, place == 0);
    if (place != 0) {
        g->mistakes[s->n_mistakes++] = index;
    }
}

static void count_record(struct gathering *g, struct eval_summary *s, size_t index) {
    const struct eval_record *r = &g->records[index];
    s->states[r->state]++;
    s->top1_listed.whole += r->n_labels > 0;
    if (r->state != EVAL_OK) {
        return;
    }
    s->warned += r->message != NULL;
    if (r->n_labels == 0) {
        s->unlabelled++;
    } else {
        count_scored(g, s, index);
    }
}

/* Drop the classes that do not occur. */
static void keep_classes(struct gathering *g, struct eval_summary *s) {
    double sum = 0;
    size_t labelled = 0;
    for (int32_t c = 0; c < g->classes; c++) {
        struct eval_class_score score = g->scores[c];
        if (score.images + score.predicted == 0) {
            continue;
        }
        score.class_index = c;
        g->scores[s->n_classes++] = score;
        if (score.images > 0) {
            labelled++;
            sum += (double)score.top1 / (double)score.images;
        }
    }
    s->class_mean = labelled > 0 ? sum / (double)labelled : NAN;
    s->classes = g->scores;
    g->scores = NULL;
}

static enum fovea_status keep_pairs(struct eval_summary *s, struct fovea_error *err) {
    const struct eval_confusion *c = &s->confusion;
    s->pairs = malloc((c->n_cells + 1) * sizeof(*s->pairs));
    if (!s->pairs) {
        return fovea_fail_memory(err, c->n_cells * sizeof(*s->pairs), "confused pairs");
    }
    for (size_t i = 0; i < c->n_cells; i++) {
        if (c->cells[i].label != c->cells[i].pred) {
            s->pairs[s->n_pairs++] = c->cells[i];
        }
    }
    qsort(s->pairs, s->n_pairs, sizeof(*s->pairs), eval_cell_compare_counts);
    return FOVEA_OK;
}

struct ranked {
    double confidence;
    size_t index;
};

static int compare_ranked(const void *a, const void *b) {
    const struct ranked *x = a, *y = b;
    if (x->confidence != y->confidence) {
        return x->confidence > y->confidence ? -1 : 1;
    }
    return (x->index > y->index) - (x->index < y->index);
}

static enum fovea_status keep_mistakes(struct gathering *g, struct eval_summary *s,
                                       struct fovea_error *err) {
    struct ranked *ranked = malloc((s->n_mistakes + 1) * sizeof(*ranked));
    if (!ranked) {
        return fovea_fail_memory(err, s->n_mistakes * sizeof(*ranked), "a list of mistakes");
    }
    for (size_t i = 0; i < s->n_mistakes; i++) {
        size_t index = g->mistakes[i];
        ranked[i] = (struct ranked){eval_record_confidence(&g->records[index]), index};
    }
    qsort(ranked, s->n_mistakes, sizeof(*ranked), compare_ranked);
    for (size_t i = 0; i < s->n_mistakes; i++) {
        g->mistakes[i] = ranked[i].index;
    }
    free(ranked);
    s->mistakes = g->mistakes;
    g->mistakes = NULL;
    return FOVEA_OK;
}

static enum fovea_status keep_all(struct gathering *g, struct eval_summary *s,
                                  struct fovea_error *err) {
    s->top1 = eval_share_of(s->top1.part, s->scored);
    s->top5 = eval_share_of(s->top5.part, s->scored);
    s->top1_listed = eval_share_of(s->top1.part, s->top1_listed.whole);
    keep_classes(g, s);
    eval_confusion_init(&s->confusion, g->cells, g->n_cells);
    g->cells = NULL;
    eval_calibrate(g->records, g->n_records, &s->calibration);
    enum fovea_status status = keep_pairs(s, err);
    return status ? status : keep_mistakes(g, s, err);
}

enum fovea_status eval_summary_init(struct eval_summary *out,
                                    const struct eval_description *description,
                                    const struct eval_record *records, size_t n_records,
                                    struct fovea_error *err) {
    struct gathering g = {
        .records = records, .n_records = n_records, .classes = description->classes};
    struct eval_summary s = {.listed = n_records};
    enum fovea_status status = gathering_init(&g, err);
    if (status) {
        return status;
    }
    for (size_t i = 0; i < n_records; i++) {
        count_record(&g, &s, i);
    }
    status = keep_all(&g, &s, err);
    gathering_finish(&g);
    if (!status) {
        status = eval_diagnose(description, records, n_records, &s.diagnosis, err);
    }
    if (status) {
        eval_summary_finish(&s);
        return status;
    }
    *out = s;
    return FOVEA_OK;
}

void eval_summary_finish(struct eval_summary *summary) {
    free(summary->classes);
    free(summary->pairs);
    free(summary->mistakes);
    eval_confusion_finish(&summary->confusion);
    eval_diagnosis_finish(&summary->diagnosis);
    memset(summary, 0, sizeof(*summary));
}
