/* See record.h. */
#include "evaluation/record.h"

#include "loaders/logits.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

double eval_record_confidence(const struct eval_record *record) {
    return exp((double)record->top[0].logit - record->log_sum_exp);
}

double eval_record_nll(const struct eval_record *record) {
    return record->log_sum_exp - (double)record->label_logit;
}

int eval_record_hit(const struct eval_record *record) {
    for (size_t place = 0; place < record->n_top; place++) {
        for (size_t i = 0; i < record->n_labels; i++) {
            if (record->top[place].class_index == record->labels[i]) {
                return (int)place;
            }
        }
    }
    return -1;
}

/* The digest of them as little-endian f32, whatever this machine's order of bytes. */
static void digest_logits(const float *logits, int64_t n, uint8_t digest[FOVEA_SHA256_SIZE]) {
    struct fovea_sha256 sha;
    uint8_t bytes[256 * 4];
    fovea_sha256_init(&sha);
    for (int64_t first = 0; first < n; first += 256) {
        size_t count = (size_t)(n - first < 256 ? n - first : 256);
        for (size_t i = 0; i < count; i++) {
            uint32_t bits;
            memcpy(&bits, &logits[first + (int64_t)i], sizeof(bits));
            for (size_t k = 0; k < 4; k++) {
                bytes[4 * i + k] = (uint8_t)(bits >> (8 * k));
            }
        }
        fovea_sha256_update(&sha, bytes, 4 * count);
    }
    fovea_sha256_digest(&sha, digest);
}

void eval_record_answer(struct eval_record *record, const float *logits, const bool *among,
                        int64_t n) {
    struct fovea_result best[EVAL_TOP];
    record->state = EVAL_OK;
    record->n_top = fovea_logits_top(logits, among, n, EVAL_TOP, best);
    for (size_t i = 0; i < record->n_top; i++) {
        record->top[i] = (struct eval_answer){best[i].class_index, best[i].logit};
    }
    record->log_sum_exp = fovea_logits_log_sum_exp(logits, among, n, best[0].logit);
    record->label_logit = NAN;
    for (size_t i = 0; i < record->n_labels; i++) {
        /* fmaxf gives the number of a number and a NaN */
        record->label_logit = fmaxf(record->label_logit, logits[record->labels[i]]);
    }
    digest_logits(logits, n, record->logits_sha256);
}

struct fovea_sha256_hex eval_list_digest(const struct eval_record *records, size_t n_records) {
    struct fovea_sha256 sha;
    char text[32];
    fovea_sha256_init(&sha);
    for (size_t i = 0; i < n_records; i++) {
        const struct eval_record *r = &records[i];
        fovea_sha256_update(&sha, r->path, strlen(r->path) + 1);
        for (size_t k = 0; k < r->n_labels; k++) {
            int bytes = snprintf(text, sizeof(text), " %d", r->labels[k]);
            fovea_sha256_update(&sha, text, (size_t)bytes);
        }
        fovea_sha256_update(&sha, "\n", 1);
    }
    return fovea_sha256_digest_text(&sha);
}

void eval_record_finish(struct eval_record *record) {
    free(record->path);
    free(record->labels);
    free(record->message);
    memset(record, 0, sizeof(*record));
}

void eval_description_finish(struct eval_description *d) {
    char *const texts[] = {d->model,       d->model_sha256, d->dataset,       d->dataset_words,
                           d->list_sha256, d->recipe,       d->recipe_sha256, d->precision,
                           d->library,     d->backend,      d->options};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        free(texts[i]);
    }
    for (int32_t i = 0; d->names && i < d->classes; i++) {
        free(d->names[i]);
    }
    free(d->names);
    memset(d, 0, sizeof(*d));
}
