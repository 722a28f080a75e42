/*
 * Rows of attention's scores, between the product of queries and keys and
 * softmax: scale, soft cap, masks; and the copies that an operator asks for.
 */
#ifndef FOVEA_OPS_ATTENTION_SCORES_H
#define FOVEA_OPS_ATTENTION_SCORES_H

#include "ops/attention.h"

/* Elements from the start of a view to a token of a head. */
static inline int64_t fovea_attention_offset(const struct fovea_attention_view *view, int64_t batch,
                                             int64_t head, int64_t token) {
    return view->offset + batch * view->batch + head * view->head + token * view->token;
}

/* Whether softmax, which scales by itself, takes the products as they are. */
bool fovea_attention_is_plain(const struct fovea_attention *a,
                              const struct fovea_attention_operands *operands);

/*
 * From the product to what softmax takes, for query `row` of a head, in place;
 * x is [kv_len]. Keeps a copy in operands->scores if that is asked for.
 */
void fovea_attention_finish_scores(const struct fovea_attention *a,
                                   const struct fovea_attention_operands *operands, int64_t batch,
                                   int64_t head, int64_t row, float *x);

/* Keep x times `factor`, the row of weights, if operands->scores is for weights. */
void fovea_attention_keep_weights(const struct fovea_attention *a,
                                  const struct fovea_attention_operands *operands, int64_t batch,
                                  int64_t head, int64_t row, const float *x, float factor);

#endif
