/* See eval_report.h. */
#include "tools/eval_report.h"

#include "evaluation/report_json.h"
#include "evaluation/scores.h"
#include "loaders/npy.h"
#include "tools/out_file.h"

#include <math.h>
#include <stdlib.h>

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
        print_share("top-1", c->top1, c->labelled,
                    " listed, failed and missing ones counted as wrong");
    }
    if (c->warned) {
        printf("%zu of the ok ones were decoded with warnings\n", c->warned);
    }
}

void eval_print_diagnosis(const struct eval_description *description,
                          const struct eval_record *records, size_t n_records) {
    struct eval_diagnosis diagnosis;
    if (eval_diagnose(description, records, n_records, &diagnosis, NULL) == FOVEA_OK) {
        eval_diagnosis_print(&diagnosis, stdout);
        eval_diagnosis_finish(&diagnosis);
    }
}

/* Of what this run did: nothing, if it was all done before. */
static void print_speed(const struct eval *eval, const struct eval_counts *c) {
    double images_per_s = rate(eval, c);
    printf("%.*f images/s, %.2f s, %d stream%s, %d thread%s, batch %lld; the model was at work "
           "%.1f %% of the time\n",
           images_per_s < 10 ? 2 : 1, images_per_s, eval->seconds, eval->setting.streams,
           eval->setting.streams == 1 ? "" : "s", eval->setting.threads,
           eval->setting.threads == 1 ? "" : "s", (long long)eval->model.batch, 100 * eval->busy);
}

void eval_print_stop(const struct eval *eval, const struct eval_counts *c) {
    if (eval->stop_signal) {
        printf("PARTIAL: stopped by signal %d with %zu images not done\n", eval->stop_signal,
               c->not_done);
    }
}

void eval_print(const struct eval *eval) {
    struct eval_counts c;
    eval_count(eval, &c);
    eval_print_stop(eval, &c);
    eval_print_counts(&c);
    if (c.listed > c.not_done + eval->n_resumed) {
        print_speed(eval, &c);
    }
    eval_print_diagnosis(&eval->description, eval->list.records, eval->list.count);
}

/* ---- JSON ---------------------------------------------------------------------- */

/* How it was done, which the report itself does not know. */
static json_t *setting_json(const struct eval *eval) {
    const struct classifier *m = &eval->model;
    struct eval_counts c;
    eval_count(eval, &c);
    return json_pack("{s:[ii], s:I, s:i, s:i, s:i, s:o, s:o, s:o, s:b}", "size", m->recipe.height,
                     m->recipe.width, "batch", (json_int_t)m->batch, "streams",
                     eval->setting.streams, "threads", eval->setting.threads, "workers",
                     eval->workers, "images_per_s", json_double(rate(eval, &c)), "seconds",
                     json_double(eval->seconds), "model_busy", json_double(eval->busy), "partial",
                     eval->stop_signal != 0);
}

/* This run's share of the records, one after another; what is in them stays the list's. */
static struct eval_record *share_of_records(const struct eval *eval, size_t *count) {
    struct eval_record *records = malloc(eval->list.count * sizeof(*records));
    *count = 0;
    for (size_t i = 0; records && i < eval->list.count; i++) {
        if (eval_shard_has(&eval->shard, i)) {
            records[(*count)++] = eval->list.records[i];
        }
    }
    return records;
}

json_t *eval_json(const struct eval *eval) {
    struct eval_summary summary;
    struct eval_evidence evidence = {.description = &eval->description};
    struct eval_record *records = share_of_records(eval, &evidence.n_records);
    evidence.records = records;
    if (!records || eval_summary_init(&summary, evidence.description, evidence.records,
                                      evidence.n_records, NULL)) {
        free(records);
        return NULL;
    }
    json_t *root = json_joined(eval_report_json(&evidence, &summary), setting_json(eval));
    eval_summary_finish(&summary);
    free(records);
    return root;
}

/* ---- files --------------------------------------------------------------------- */

enum fovea_status eval_write_predictions(const struct eval *eval, const char *path,
                                         struct fovea_error *err) {
    struct out_file file;
    enum fovea_status status = out_file_init(&file, path, err);
    if (status) {
        return status;
    }
    eval_predictions_write(file.stream, eval->list.records, eval->list.count);
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
