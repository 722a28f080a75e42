/* See eval_report.h. */
#include "tools/eval_report.h"

#include "evaluation/scores.h"
#include "loaders/npy.h"
#include "tools/out_file.h"

#include <math.h>
#include <string.h>

static double share(size_t part, size_t whole) {
    return whole ? (double)part / (double)whole : NAN;
}

static double rate(const struct eval *eval, const struct eval_counts *c) {
    double done = (double)(c->listed - c->not_done - eval->n_resumed);
    return eval->seconds > 0 ? done / eval->seconds : 0;
}

/* ---- text ---------------------------------------------------------------------- */

static void print_share(const char *name, size_t hits, size_t of, const char *words) {
    double low, high;
    wilson_interval(hits, of, &low, &high);
    if (of == 0) {
        printf("%s  no images\n", name);
        return;
    }
    printf("%s  %6.2f %%  (%zu of %zu%s; 95 %% interval %.2f..%.2f)\n", name, 100 * share(hits, of),
           hits, of, words, 100 * low, 100 * high);
}

void eval_print_counts(const struct eval_counts *c) {
    print_share("top-1", c->top1, c->scored, "");
    print_share("top-5", c->top5, c->scored, "");
    printf("listed %zu = ok %zu + failed %zu + missing %zu", c->listed, c->ok, c->failed,
           c->missing);
    if (c->not_done) {
        printf(" + not done %zu", c->not_done);
    }
    putchar('\n');
    if (c->failed + c->missing > 0) {
        print_share("top-1", c->top1, c->listed,
                    " listed, failed and missing ones counted as wrong");
    }
    if (c->warned) {
        printf("%zu of the ok ones were decoded with warnings\n", c->warned);
    }
}

void eval_print(const struct eval *eval) {
    struct eval_counts c;
    eval_count(eval, &c);
    if (eval->stop_signal) {
        printf("PARTIAL: stopped by signal %d with %zu images not done\n", eval->stop_signal,
               c.not_done);
    }
    eval_print_counts(&c);
    printf("%.1f images/s, %.2f s, %d stream%s, %d thread%s, batch %lld\n", rate(eval, &c),
           eval->seconds, eval->setting.streams, eval->setting.streams == 1 ? "" : "s",
           eval->setting.threads, eval->setting.threads == 1 ? "" : "s",
           (long long)eval->model.batch);
}

/* ---- JSON ---------------------------------------------------------------------- */

static json_t *failures_json(const struct eval *eval) {
    json_t *list = json_array();
    for (size_t i = 0; i < eval->list.count; i++) {
        const struct eval_record *r = &eval->list.records[i];
        if (r->state != EVAL_FAILED && r->state != EVAL_MISSING) {
            continue;
        }
        json_array_append_new(list,
                              json_pack("{s:o, s:s, s:o}", "path", json_text(r->path), "state",
                                        r->state == EVAL_MISSING ? "missing" : "failed", "reason",
                                        json_text(r->message ? r->message : "out of memory")));
    }
    return list;
}

/* The keys that tell how it was done. */
static json_t *setting_json(const struct eval *eval) {
    const struct classifier *m = &eval->model;
    return json_pack("{s:o, s:s, s:o, s:s, s:o, s:I, s:[ii], s:I, s:i, s:i, s:i}", "model",
                     json_text(m->path), "model_sha256", eval->description.model_sha256, "recipe",
                     fovea_preprocess_recipe_json(&m->recipe), "precision",
                     precision_name(fovea_session_precision(m->session)), "dataset",
                     json_text(eval->list.dataset.path), "classes", (json_int_t)m->classes, "size",
                     m->recipe.height, m->recipe.width, "batch", (json_int_t)m->batch, "streams",
                     eval->setting.streams, "threads", eval->setting.threads, "workers",
                     eval->workers);
}

json_t *eval_json(const struct eval *eval) {
    struct eval_counts c;
    double low, high;
    eval_count(eval, &c);
    wilson_interval(c.top1, c.scored, &low, &high);
    json_t *found = json_pack(
        "{s:o, s:o, s:[oo], s:I, s:I, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:o, s:o, s:o}",
        "top1", json_double(share(c.top1, c.scored)), "top5", json_double(share(c.top5, c.scored)),
        "top1_ci95", json_double(low), json_double(high), "top1_count", (json_int_t)c.top1,
        "top5_count", (json_int_t)c.top5, "top1_of_listed", json_double(share(c.top1, c.listed)),
        "listed", (json_int_t)c.listed, "ok", (json_int_t)c.ok, "failed", (json_int_t)c.failed,
        "missing", (json_int_t)c.missing, "not_done", (json_int_t)c.not_done, "warned",
        (json_int_t)c.warned, "partial", eval->stop_signal != 0, "images_per_s",
        json_double(rate(eval, &c)), "seconds", json_double(eval->seconds), "failures",
        failures_json(eval));
    json_t *root = setting_json(eval);
    if (!found || json_object_update(root, found)) {
        json_decref(root);
        root = NULL;
    }
    json_decref(found);
    return root;
}

/* ---- files --------------------------------------------------------------------- */

/* A field as RFC 4180 has it: quoted where it would read as more than one. */
static void write_field(FILE *out, const char *text) {
    if (!strpbrk(text, ",\"\r\n")) {
        fputs(text, out);
        return;
    }
    fputc('"', out);
    for (; *text; text++) {
        if (*text == '"') {
            fputc('"', out);
        }
        fputc(*text, out);
    }
    fputc('"', out);
}

static void write_row(FILE *out, const struct eval_record *r) {
    write_field(out, r->path);
    fputc(',', out);
    for (size_t k = 0; k < r->n_labels; k++) {
        fprintf(out, "%s%d", k > 0 ? " " : "", r->labels[k]);
    }
    if (r->state != EVAL_OK) {
        fputs(",,,,,\n", out);
        return;
    }
    fprintf(out, ",%d,%d,%.9g,%.9g,", r->top[0].class_index, eval_record_hit(r) == 0,
            (double)r->top[0].logit, eval_record_confidence(r));
    for (size_t k = 0; k < r->n_top; k++) {
        fprintf(out, "%s%d", k > 0 ? " " : "", r->top[k].class_index);
    }
    fputc('\n', out);
}

enum fovea_status eval_write_predictions(const struct eval *eval, const char *path,
                                         struct fovea_error *err) {
    struct out_file file;
    enum fovea_status status = out_file_init(&file, path, err);
    if (status) {
        return status;
    }
    fputs("path,label,pred,correct,logit,prob,top5\n", file.stream);
    for (size_t i = 0; i < eval->list.count; i++) {
        write_row(file.stream, &eval->list.records[i]);
    }
    return out_file_commit(&file, err);
}

enum fovea_status eval_write_logits(const struct eval *eval, const char *path,
                                    struct fovea_error *err) {
    const struct fovea_tensor logits = {
        .dtype = FOVEA_F32,
        .rank = 2,
        .dims = {(int64_t)eval->list.count, eval->model.classes},
        .data = eval->logits,
    };
    return fovea_tensor_save_npy(path, &logits, err);
}
