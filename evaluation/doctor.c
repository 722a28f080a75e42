/* See doctor.h. */
#include "evaluation/doctor.h"

#include "evaluation/doctor_maps.h"
#include "evaluation/paired.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/*
 * What it takes to speak of a mixed-up order. An order that is known to occur
 * has to explain a tenth of what chance leaves, one found from the data three
 * tenths: an untrained network's few colours and textures go with classes well
 * enough for half of that.
 */
static const double least_p = 1e-6, least_kappa = 0.1, least_kappa_found = 0.3;

/* A model this good by another order needs no classes as witnesses; two classes are too few. */
static const double plain_kappa = 0.6, least_p_classes = 1e-3;

struct patient {
    int32_t classes, labels; /* labels: the largest + 1 */
    size_t images;
    struct eval_confusion all, halves[2];
    size_t *of_label, *of_pred, *most; /* [classes] images; most: of its most frequent prediction */
    int32_t *scratch, *map, *best_map; /* [classes] */
};

/* How well a map explains the predictions. */
struct verdict {
    size_t right_now, right_then;
    size_t gained, lost; /* right with the map only, without it only */
    size_t holds, labels;
    double expected; /* right_then, were predictions independent of labels */
};

/* ---- counting --------------------------------------------------------------------- */

static bool counts_here(const struct eval_record *r) {
    return r->state == EVAL_OK && r->n_labels == 1;
}

/* Deal the images of each class into two halves by turns; fills of_label on the way. */
static enum fovea_status fill_half(struct patient *p, const struct eval_record *records, size_t n,
                                   int half, struct fovea_error *err) {
    size_t used = 0;
    struct eval_cell *cells = malloc((n + 1) * sizeof(*cells));
    if (!cells) {
        return fovea_fail_memory(err, n * sizeof(*cells), "a confusion matrix");
    }
    memset(p->of_label, 0, (size_t)p->classes * sizeof(*p->of_label));
    for (size_t i = 0; i < n; i++) {
        if (!counts_here(&records[i])) {
            continue;
        }
        int32_t label = records[i].labels[0];
        size_t turn = p->of_label[label]++;
        if (half == 2 || turn % 2 == (size_t)half) {
            cells[used++] = (struct eval_cell){label, records[i].top[0].class_index, 1};
        }
    }
    eval_confusion_init(half == 2 ? &p->all : &p->halves[half], cells, used);
    return FOVEA_OK;
}

static void count_margins(struct patient *p) {
    for (size_t i = 0; i < p->all.n_cells; i++) {
        const struct eval_cell *c = &p->all.cells[i];
        p->images += c->count;
        p->of_pred[c->pred] += c->count;
        p->most[c->label] = c->count > p->most[c->label] ? c->count : p->most[c->label];
        p->labels = c->label >= p->labels ? c->label + 1 : p->labels;
    }
}

static void patient_finish(struct patient *p) {
    eval_confusion_finish(&p->all);
    eval_confusion_finish(&p->halves[0]);
    eval_confusion_finish(&p->halves[1]);
    free(p->of_label);
    free(p->of_pred);
    free(p->most);
    free(p->scratch);
    free(p->map);
    free(p->best_map);
}

static enum fovea_status patient_init(struct patient *p, const struct eval_record *records,
                                      size_t n, struct fovea_error *err) {
    size_t k = (size_t)p->classes + 1;
    p->of_label = calloc(k, sizeof(*p->of_label));
    p->of_pred = calloc(k, sizeof(*p->of_pred));
    p->most = calloc(k, sizeof(*p->most));
    p->scratch = calloc(k, sizeof(*p->scratch));
    p->map = calloc(k, sizeof(*p->map));
    p->best_map = calloc(k, sizeof(*p->best_map));
    if (!p->of_label || !p->of_pred || !p->most || !p->scratch || !p->map || !p->best_map) {
        return fovea_fail_memory(err, k * 36, "the label doctor");
    }
    for (int half = 0; half < 3; half++) {
        enum fovea_status status = fill_half(p, records, n, half, err);
        if (status) {
            return status;
        }
    }
    count_margins(p);
    return FOVEA_OK;
}

/* ---- judging ---------------------------------------------------------------------- */

/* Add what `map` would do to the images of `confusion`. */
static void judge(const struct eval_confusion *confusion, const int32_t *map, struct verdict *v) {
    for (size_t i = 0; i < confusion->n_cells; i++) {
        const struct eval_cell *c = &confusion->cells[i];
        bool now = c->pred == c->label, then = c->pred == map[c->label];
        v->right_now += now ? c->count : 0;
        v->right_then += then ? c->count : 0;
        v->gained += then && !now ? c->count : 0;
        v->lost += now && !then ? c->count : 0;
    }
}

/* Of how many labels the map's class is the most frequent prediction, and what chance would do. */
static void judge_labels(const struct patient *p, const int32_t *map, struct verdict *v) {
    double expected = 0;
    for (int32_t label = 0; label < p->labels; label++) {
        if (p->of_label[label] == 0) {
            continue;
        }
        v->labels++;
        if (map[label] >= 0) {
            v->holds += eval_confusion_get(&p->all, label, map[label]) == p->most[label];
            expected += (double)p->of_label[label] * (double)p->of_pred[map[label]];
        }
    }
    v->expected = expected / (double)p->images;
}

static double kappa_of(const struct patient *p, const struct verdict *v) {
    double all = (double)p->images;
    return all > v->expected ? ((double)v->right_then - v->expected) / (all - v->expected) : 0;
}

/* `tried`: how many orders there were to choose from. */
static double p_of(const struct verdict *v, double tried) {
    return fmin(1, tried * eval_binomial_tail(v->gained + v->lost, v->gained, 0.5));
}

static bool convincing(const struct patient *p, const struct verdict *v, double kappa_needed,
                       double tried) {
    double kappa = kappa_of(p, v);
    double by_chance =
        tried * eval_binomial_tail(v->labels, v->holds, 1.0 / fmax(2, (double)v->labels));
    return v->right_then >= 2 * v->right_now && kappa >= kappa_needed &&
           2 * v->holds >= v->labels && (by_chance < least_p_classes || kappa >= plain_kappa) &&
           p_of(v, tried) < least_p;
}

static void keep(struct patient *p, const struct verdict *v, double tried,
                 const struct eval_order *order, struct eval_diagnosis *out) {
    out->ailment = order->ailment;
    memcpy(out->words, order->words, sizeof(out->words));
    out->right_now = v->right_now;
    out->right_then = v->right_then;
    out->holds = v->holds;
    out->labels = v->labels;
    out->p = p_of(v, tried);
    int32_t *map = p->best_map;
    p->best_map = p->map;
    p->map = map;
}

static void try_known_orders(struct patient *p, const struct eval_description *d,
                             struct eval_diagnosis *out) {
    const struct eval_orders_of of = {.description = d, .confusion = &p->all, .labels = p->labels};
    /* one of the orders is the best of 2 * classes offsets */
    double tried = (double)eval_orders_count() + 2 * (double)p->classes;
    for (size_t i = 0; i < eval_orders_count(); i++) {
        struct eval_order order;
        struct verdict v = {0};
        if (!eval_order_get(&of, i, p->scratch, p->map, &order)) {
            continue;
        }
        judge(&p->all, p->map, &v);
        judge_labels(p, p->map, &v);
        if (v.right_then > out->right_then && convincing(p, &v, least_kappa, tried)) {
            keep(p, &v, tried, &order, out);
        }
    }
}

/* ---- an order found from the predictions ------------------------------------------- */

/*
 * One class a label, and no class twice: of the pairs that are left, the most
 * frequent first. `cells` is put into that order; taken: [classes].
 */
static void assign(const struct patient *p, struct eval_cell *cells, size_t n, int32_t *taken,
                   int32_t *map) {
    qsort(cells, n, sizeof(*cells), eval_cell_compare_counts);
    for (int32_t i = 0; i < p->classes; i++) {
        map[i] = -1;
        taken[i] = 0;
    }
    for (size_t i = 0; i < n; i++) {
        if (map[cells[i].label] < 0 && !taken[cells[i].pred]) {
            map[cells[i].label] = cells[i].pred;
            taken[cells[i].pred] = 1;
        }
    }
}

static enum fovea_status assign_from(struct patient *p, const struct eval_confusion *from,
                                     struct fovea_error *err) {
    struct eval_cell *cells = malloc((from->n_cells + 1) * sizeof(*cells));
    if (!cells) {
        return fovea_fail_memory(err, from->n_cells * sizeof(*cells), "an assignment of classes");
    }
    memcpy(cells, from->cells, from->n_cells * sizeof(*cells));
    assign(p, cells, from->n_cells, p->scratch, p->map);
    free(cells);
    return FOVEA_OK;
}

static enum fovea_status try_assignment(struct patient *p, struct eval_diagnosis *out,
                                        struct fovea_error *err) {
    struct eval_order order = {.ailment = EVAL_PERMUTED,
                               .words = "the model has its classes in another order than the "
                                        "labels, none that is known"};
    struct verdict v = {0};
    for (int half = 0; half < 2; half++) {
        enum fovea_status status = assign_from(p, &p->halves[half], err);
        if (status) {
            return status;
        }
        judge(&p->halves[1 - half], p->map, &v);
    }
    enum fovea_status status = assign_from(p, &p->all, err);
    if (status) {
        return status;
    }
    judge_labels(p, p->map, &v);
    /* a known order explains itself: only a clearly better one is put in its place */
    bool better = (double)v.right_then > 1.05 * (double)out->right_then;
    if (better && convincing(p, &v, least_kappa_found, 1)) {
        keep(p, &v, 1, &order, out);
    }
    return FOVEA_OK;
}

/* ---- the whole examination --------------------------------------------------------- */

enum fovea_status eval_diagnose(const struct eval_description *description,
                                const struct eval_record *records, size_t n_records,
                                struct eval_diagnosis *out, struct fovea_error *err) {
    struct patient p = {.classes = description->classes};
    struct eval_diagnosis found = {.classes = description->classes, .p = 1};
    enum fovea_status status = patient_init(&p, records, n_records, err);
    if (!status && p.images > 0) {
        found.images = p.images;
        try_known_orders(&p, description, &found);
        status = try_assignment(&p, &found, err);
    }
    if (!status) {
        if (found.ailment != EVAL_NO_AILMENT) {
            found.map = p.best_map;
            p.best_map = NULL;
        }
        *out = found;
    }
    patient_finish(&p);
    return status;
}

void eval_diagnosis_finish(struct eval_diagnosis *diagnosis) {
    free(diagnosis->map);
    memset(diagnosis, 0, sizeof(*diagnosis));
}
