/* See report_json.h. */
#include "evaluation/report_json.h"

#include "loaders/json.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/*
 * Of lists that grow with the data the file has this many; predictions.csv has every image, and the
 * journal what was wrong with each. So that a report can be read within FOVEA_LIMIT_JSON_VALUES.
 */
enum { JSON_PAIRS = 100, JSON_MISTAKES = 100, JSON_FAILURES = 1000 };

static json_t *interval_json(const struct eval_share *share) {
    return share->whole == 0 ? json_null()
                             : json_pack("[oo]", json_double(share->low), json_double(share->high));
}

static json_t *recipe_json(const char *text) {
    json_t *recipe = NULL;
    enum fovea_status status =
        text ? fovea_json_parse(text, strlen(text), 0, &recipe, NULL) : FOVEA_ERR_INVALID;
    return !status || status == FOVEA_ERR_MEMORY ? recipe : json_text(text);
}

static json_t *description_json(const struct eval_description *d) {
    return json_pack("{s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:i, s:o, s:o}",
                     "report", 1, "model", json_text(d->model), "model_sha256",
                     json_text(d->model_sha256), "recipe", recipe_json(d->recipe), "recipe_sha256",
                     json_text(d->recipe_sha256), "precision", json_text(d->precision), "dataset",
                     json_text(d->dataset), "dataset_words", json_text(d->dataset_words),
                     "list_sha256", json_text(d->list_sha256), "library", json_text(d->library),
                     "backend", json_text(d->backend), "options", json_text(d->options), "classes",
                     (int)d->classes, "parameters",
                     d->parameters ? json_count(d->parameters) : json_null(), "macs",
                     d->macs ? json_count(d->macs) : json_null());
}

static json_t *figures_json(const struct eval_summary *s) {
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b}",
        "top1", json_double(s->top1.value), "top5", json_double(s->top5.value), "top1_ci95",
        interval_json(&s->top1), "top5_ci95", interval_json(&s->top5), "top1_count",
        json_count(s->top1.part), "top5_count", json_count(s->top5.part), "top1_of_listed",
        json_double(s->top1_listed.value), "class_mean_top1", json_double(s->class_mean), "scored",
        json_count(s->scored), "listed", json_count(s->listed), "ok",
        json_count(s->states[EVAL_OK]), "failed", json_count(s->states[EVAL_FAILED]), "missing",
        json_count(s->states[EVAL_MISSING]), "not_done", json_count(s->states[EVAL_NOT_DONE]),
        "unlabelled", json_count(s->unlabelled), "warned", json_count(s->warned), "partial",
        s->states[EVAL_NOT_DONE] > 0);
}

static json_t *calibration_json(const struct eval_calibration *c) {
    json_t *bins = json_array();
    for (size_t i = 0; i < EVAL_BINS; i++) {
        const struct eval_bin *b = &c->bins[i];
        double mean = b->images > 0 ? b->confidence / (double)b->images : (double)NAN;
        json_append(&bins,
                    json_pack("{s:f, s:f, s:o, s:o, s:o}", "low", (double)i / EVAL_BINS, "high",
                              (double)(i + 1) / EVAL_BINS, "images", json_count(b->images), "right",
                              json_count(b->right), "mean_confidence", json_double(mean)));
    }
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "nll", json_double(c->nll), "ece",
                     json_double(c->ece), "mce", json_double(c->mce), "mean_confidence",
                     json_double(c->confidence), "bins", bins);
}

static json_t *class_json(const struct eval_description *d, const struct eval_class_score *c) {
    struct eval_share top1 = eval_share_of(c->top1, c->images);
    struct eval_share right = eval_share_of(c->predicted_right, c->predicted);
    return json_pack("{s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "class", (int)c->class_index,
                     "name", json_text(eval_class_name(d, c->class_index)), "images",
                     json_count(c->images), "top1_count", json_count(c->top1), "top5_count",
                     json_count(c->top5), "predicted", json_count(c->predicted), "top1",
                     json_double(top1.value), "top1_ci95", interval_json(&top1), "precision",
                     json_double(right.value));
}

static json_t *classes_json(const struct eval_description *d, const struct eval_summary *s) {
    json_t *list = json_array();
    for (size_t i = 0; i < s->n_classes; i++) {
        json_append(&list, class_json(d, &s->classes[i]));
    }
    return list;
}

static json_t *pairs_json(const struct eval_description *d, const struct eval_summary *s) {
    json_t *list = json_array();
    for (size_t i = 0; i < s->n_pairs && i < JSON_PAIRS; i++) {
        const struct eval_cell *c = &s->pairs[i];
        json_append(&list,
                    json_pack("{s:i, s:o, s:i, s:o, s:o}", "label", (int)c->label, "label_name",
                              json_text(eval_class_name(d, c->label)), "pred", (int)c->pred,
                              "pred_name", json_text(eval_class_name(d, c->pred)), "images",
                              json_count(c->count)));
    }
    return list;
}

static json_t *mistake_json(const struct eval_record *r) {
    json_t *labels = json_array();
    for (size_t i = 0; i < r->n_labels; i++) {
        json_append(&labels, json_integer(r->labels[i]));
    }
    return json_pack("{s:o, s:o, s:i, s:o}", "path", json_text(r->path), "labels", labels, "pred",
                     (int)r->top[0].class_index, "prob", json_double(eval_record_confidence(r)));
}

static json_t *mistakes_json(const struct eval_evidence *e, const struct eval_summary *s) {
    json_t *list = json_array();
    for (size_t i = 0; i < s->n_mistakes && i < JSON_MISTAKES; i++) {
        json_append(&list, mistake_json(&e->records[s->mistakes[i]]));
    }
    return list;
}

static json_t *failures_json(const struct eval_evidence *e) {
    json_t *list = json_array();
    size_t listed = 0;
    for (size_t i = 0; i < e->n_records && listed < JSON_FAILURES; i++) {
        const struct eval_record *r = &e->records[i];
        if (r->state == EVAL_FAILED || r->state == EVAL_MISSING) {
            listed++;
            json_append(&list, json_pack("{s:o, s:s, s:o}", "path", json_text(r->path), "state",
                                         r->state == EVAL_MISSING ? "missing" : "failed", "reason",
                                         json_text(r->message)));
        }
    }
    return list;
}

static json_t *map_json(const struct eval_diagnosis *d) {
    json_t *map = json_object();
    for (int32_t label = 0; label < d->classes; label++) {
        char key[16];
        snprintf(key, sizeof(key), "%d", (int)label);
        if (d->map[label] >= 0) {
            json_set(&map, key, json_integer(d->map[label]));
        }
    }
    return map;
}

static json_t *diagnosis_json(const struct eval_diagnosis *d) {
    if (d->ailment == EVAL_NO_AILMENT) {
        return json_null();
    }
    struct eval_share now = eval_share_of(d->right_now, d->images);
    struct eval_share then = eval_share_of(d->right_then, d->images);
    return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "kind",
                     eval_ailment_name(d->ailment), "words", d->words, "top1",
                     json_double(now.value), "top1_with_map", json_double(then.value), "images",
                     json_count(d->images), "holds_for", json_count(d->holds), "of_classes",
                     json_count(d->labels), "p", json_double(d->p), "label_map", map_json(d));
}

json_t *eval_report_json(const struct eval_evidence *evidence, const struct eval_summary *summary) {
    const struct eval_description *d = evidence->description;
    json_t *root = json_joined(description_json(d), figures_json(summary));
    json_t *lists = json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o}", "label_doctor", diagnosis_json(&summary->diagnosis),
        "calibration", calibration_json(&summary->calibration), "failures", failures_json(evidence),
        "confused", pairs_json(d, summary), "mistakes", mistakes_json(evidence, summary),
        "per_class", classes_json(d, summary));
    return json_joined(root, lists);
}

json_t *eval_timings_json(const struct eval_timings *t) {
    double rate = t->seconds > 0 ? (double)t->images / t->seconds : 0;
    return json_pack("{s:o, s:o, s:o, s:i, s:i, s:i, s:i, s:I, s:o}", "seconds",
                     json_double(t->seconds), "images", json_count(t->images), "images_per_s",
                     json_double(rate), "threads", t->threads, "streams", t->streams, "workers",
                     t->workers, "ranks", t->ranks, "batch", (json_int_t)t->batch, "peak_rss_bytes",
                     json_count((size_t)t->peak_rss_bytes));
}
