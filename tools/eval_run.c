/* See eval_run.h. */
#include "tools/eval_run.h"

#include "loaders/preprocess.h"
#include "tools/eval_pipeline.h"
#include "tools/eval_share.h"
#include "tools/eval_streams.h"
#include "tools/ranks.h"
#include "tools/stop_signals.h"

#include <math.h>
#include <stdlib.h>

/* ---- the run ------------------------------------------------------------------ */

static enum fovea_status make_logits(struct eval *eval, struct fovea_error *err) {
    size_t n = eval->list.count, classes = (size_t)eval->model.classes;
    eval->logits = calloc(n, classes * sizeof(*eval->logits));
    if (!eval->logits) {
        return fovea_fail_memory(err, n * classes * sizeof(*eval->logits), "logits");
    }
    for (size_t i = 0; i < n * classes; i++) {
        eval->logits[i] = NAN;
    }
    return FOVEA_OK;
}

/* Pixels, as a model takes them: struct pipeline_product. */
static enum fovea_status make_pixels(const void *context, const uint8_t *bytes, size_t size,
                                     void *out, struct fovea_jpeg_report *report,
                                     struct fovea_error *err) {
    const struct eval *eval = context;
    return fovea_preprocess_jpeg(&eval->model.recipe, eval->jpeg, bytes, size, out, report, err);
}

enum fovea_status eval_run(struct eval *eval, bool want_logits, struct fovea_error *err) {
    struct stop_signals signals;
    struct pipeline *pipeline = NULL;
    struct eval_share share;
    const struct pipeline_source source = {
        .list = &eval->list,
        .next = eval_share_next,
        .context = &share,
        .product = {.bytes = eval->model.image_floats * sizeof(float),
                    .make = make_pixels,
                    .context = eval},
        .timeout_s = eval->timeout_s,
    };
    enum fovea_status status = want_logits ? make_logits(eval, err) : FOVEA_OK;
    if (status) {
        return status;
    }
    eval_share_init(&share, eval);
    status = ranks_begin(eval->ranks, eval->list.count, err);
    if (status) {
        return status;
    }
    stop_signals_watch(&signals);
    size_t ahead = 2 * ((size_t)eval->workers + (size_t)eval->model.batch);
    status = pipeline_create(&source, eval->workers, ahead, &pipeline, err);
    if (!status) {
        status = eval_streams_run(eval, pipeline, stop_signals_caught(), err);
    }
    if (!status) {
        status = pipeline_status(pipeline, err);
    }
    eval->abandoned = !pipeline_destroy(pipeline);
    if (!status) {
        ranks_end(eval->ranks);
    }
    eval->stop_signal = *stop_signals_caught();
    stop_signals_unwatch(&signals);
    return status;
}

enum fovea_status eval_check_failures(struct eval *eval, size_t failures, struct fovea_error *err) {
    if (failures <= eval->max_failures) {
        return FOVEA_OK;
    }
    eval->gave_up = true;
    return fovea_fail(err, FOVEA_ERR_LIMIT,
                      "images that failed or are missing: %zu, more than the %zu that "
                      "--max-failures allows",
                      failures, eval->max_failures);
}

/* ---- sums ---------------------------------------------------------------------- */

void eval_count_records(const struct eval_record *records, size_t n_records,
                        const struct eval_shard *shard, struct eval_counts *out) {
    struct eval_counts c = {0};
    for (size_t i = 0; i < n_records; i++) {
        const struct eval_record *r = &records[i];
        if (shard && !eval_shard_has(shard, i)) {
            continue;
        }
        int place = r->state == EVAL_OK ? eval_record_hit(r) : -1;
        c.listed++;
        c.ok += r->state == EVAL_OK;
        c.failed += r->state == EVAL_FAILED;
        c.missing += r->state == EVAL_MISSING;
        c.not_done += r->state == EVAL_NOT_DONE;
        c.warned += r->state == EVAL_OK && r->message;
        c.labelled += r->n_labels > 0;
        c.scored += r->state == EVAL_OK && r->n_labels > 0;
        c.top1 += place == 0;
        c.top5 += place >= 0;
    }
    *out = c;
}

void eval_count(const struct eval *eval, struct eval_counts *out) {
    eval_count_records(eval->list.records, eval->list.count, &eval->shard, out);
}

void eval_finish(struct eval *eval) {
    if (eval->abandoned) {
        return;
    }
    free(eval->logits);
    free(eval->elsewhere);
    classifier_finish(&eval->model);
    eval_description_finish(&eval->description);
    eval_list_finish(&eval->list);
}
