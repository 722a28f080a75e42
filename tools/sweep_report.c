/* See sweep_report.h. */
#include "tools/sweep_report.h"

#include "evaluation/paired.h"
#include "evaluation/scores.h"
#include "loaders/recipe_write.h"
#include "tools/eval_report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* A variant beside the recipe itself. */
struct standing {
    const struct sweep_variant *variant;
    size_t gained, lost; /* images that only this one has right, or only the recipe */
    double p;            /* McNemar's, times how many were compared (Bonferroni), at most 1 */
};

static struct standing stand(const struct sweep *sweep, size_t v, size_t n_images) {
    const struct sweep_variant *own = &sweep->variants[0];
    struct standing s = {.variant = &sweep->variants[v]};
    for (size_t i = 0; i < n_images; i++) {
        s.gained += s.variant->right[i] && !own->right[i];
        s.lost += own->right[i] && !s.variant->right[i];
    }
    s.p = eval_mcnemar_exact(s.gained, s.lost) * (double)(sweep->n_variants - 1);
    s.p = v == 0 || s.p > 1 ? 1 : s.p;
    return s;
}

/* Better first; of equals, in the order of the sweep. */
static int compare(const void *a, const void *b) {
    const struct sweep_variant *left = ((const struct standing *)a)->variant;
    const struct sweep_variant *right = ((const struct standing *)b)->variant;
    int order = (left->top1 < right->top1) - (left->top1 > right->top1);
    return order ? order : (left > right) - (left < right);
}

/* All of them in order, to be freed; NULL if out of memory. */
static struct standing *standings(const struct sweep *sweep, size_t n_images) {
    struct standing *all = calloc(sweep->n_variants, sizeof(*all));
    for (size_t v = 0; all && v < sweep->n_variants; v++) {
        all[v] = stand(sweep, v, n_images);
    }
    if (all) {
        qsort(all, sweep->n_variants, sizeof(*all), compare);
    }
    return all;
}

/* The best that is better than the recipe by more than chance, or NULL. */
static const struct standing *winner(const struct sweep *sweep, const struct standing *all) {
    for (size_t v = 0; v < sweep->n_variants; v++) {
        if (all[v].gained > all[v].lost && all[v].p < 0.05) {
            return &all[v];
        }
    }
    return NULL;
}

static double share(size_t part, size_t whole) {
    return whole ? 100.0 * (double)part / (double)whole : NAN;
}

static void crop_words(const struct fovea_recipe *r, char words[24]) {
    snprintf(words, 24, r->crop_pct == 0 ? "+%.0f px" : "%.6g",
             r->crop_pct == 0 ? r->margin : r->crop_pct);
}

static void print_row(const struct sweep *sweep, const struct standing *s, size_t scored) {
    const struct fovea_recipe *r = &s->variant->recipe;
    double low, high;
    char crop[24];
    crop_words(r, crop);
    wilson_interval(s->variant->top1, scored, &low, &high);
    printf("%-7s %-9s %-9s %7.2f  %6.2f..%-6.2f %7.2f  ", fovea_resize_mode_name(r->resize), crop,
           fovea_filter_name(r->filter), share(s->variant->top1, scored), 100 * low, 100 * high,
           share(s->variant->top5, scored));
    if (s->variant == &sweep->variants[0]) {
        printf("the recipe\n");
    } else {
        printf("+%zu -%zu  p %.2g\n", s->gained, s->lost, s->p);
    }
}

static void print_winner(const struct standing *best) {
    if (!best) {
        printf("it is not the resize: no recipe is better than the model's by more than chance\n");
        return;
    }
    const struct fovea_recipe *r = &best->variant->recipe;
    char crop[24];
    crop_words(r, crop);
    printf("it is the resize: %s %s %s is right about %zu images more than the recipe, which is "
           "more than chance\n",
           fovea_resize_mode_name(r->resize), crop, fovea_filter_name(r->filter),
           best->gained - best->lost);
}

void sweep_print(const struct sweep *sweep, const struct eval *eval) {
    struct standing *all = standings(sweep, eval->list.count);
    struct eval_counts counts;
    eval_count(eval, &counts);
    if (!all) {
        return;
    }
    eval_print_stop(eval, &counts);
    if (counts.scored == 0) {
        printf("no images are scored, of %zu listed\n", counts.listed);
    } else {
        printf(
            "resize  crop_pct  filter      top-1  95 %% interval    top-5  against the recipe\n");
        for (size_t v = 0; v < sweep->n_variants; v++) {
            print_row(sweep, &all[v], counts.scored);
        }
        print_winner(winner(sweep, all));
    }
    free(all);
}

static json_t *variant_json(const struct standing *s, size_t scored) {
    const struct fovea_recipe *r = &s->variant->recipe;
    bool margin = r->crop_pct == 0;
    return json_pack(
        "{s:s, s:o, s:s, s:s, s:I, s:I, s:o, s:o, s:I, s:I, s:o}", "resize",
        fovea_resize_mode_name(r->resize), margin ? "margin" : "crop_pct",
        margin ? json_integer(r->margin) : json_real(r->crop_pct), "filter",
        fovea_filter_name(r->filter), "recipe_sha256", fovea_recipe_digest(r).text, "top1_count",
        (json_int_t)s->variant->top1, "top5_count", (json_int_t)s->variant->top5, "top1",
        json_double(share(s->variant->top1, scored) / 100), "top5",
        json_double(share(s->variant->top5, scored) / 100), "gained", (json_int_t)s->gained, "lost",
        (json_int_t)s->lost, "p_value", json_double(s->p));
}

/* Of which images the figures are. */
static json_t *counts_json(const struct eval_counts *c) {
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b}", "listed", json_count(c->listed),
                     "scored", json_count(c->scored), "ok", json_count(c->ok), "failed",
                     json_count(c->failed), "missing", json_count(c->missing), "not_done",
                     json_count(c->not_done), "unlabelled", json_count(c->listed - c->labelled),
                     "partial", c->not_done > 0);
}

json_t *sweep_json(const struct sweep *sweep, const struct eval *eval) {
    struct standing *all = standings(sweep, eval->list.count);
    json_t *variants = json_array();
    struct eval_counts counts;
    if (!all) {
        json_decref(variants);
        return NULL;
    }
    eval_count(eval, &counts);
    for (size_t v = 0; v < sweep->n_variants; v++) {
        json_append(&variants, variant_json(&all[v], counts.scored));
    }
    json_t *root = json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:o}", "model", json_text(eval->model.path),
        "model_sha256", json_text(eval->description.model_sha256), "precision",
        json_text(eval->description.precision), "dataset", json_text(eval->list.words.text),
        "list_sha256", json_text(eval->description.list_sha256), "recipe",
        fovea_recipe_to_json(&eval->model.recipe), "resize_matters", winner(sweep, all) != NULL,
        "variants", variants);
    free(all);
    return json_joined(root, counts_json(&counts));
}
