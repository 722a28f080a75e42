/* See record.h. */
#include "evaluation/record.h"

#include <math.h>
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

void eval_record_finish(struct eval_record *record) {
    free(record->path);
    free(record->labels);
    free(record->message);
    memset(record, 0, sizeof(*record));
}

void eval_description_finish(struct eval_description *d) {
    char *const texts[] = {d->model,       d->model_sha256, d->dataset,       d->dataset_words,
                           d->list_sha256, d->recipe,       d->recipe_sha256, d->precision,
                           d->library,     d->backend};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        free(texts[i]);
    }
    for (int32_t i = 0; d->names && i < d->classes; i++) {
        free(d->names[i]);
    }
    free(d->names);
    memset(d, 0, sizeof(*d));
}
