/* Records of evaluations that never ran, for tests of what is made of them. */
#ifndef FOVEA_TESTS_EVAL_RECORDS_H
#define FOVEA_TESTS_EVAL_RECORDS_H

#include "evaluation/record.h"

#include <stddef.h>

struct eval_made {
    struct eval_description description;
    struct eval_record *records;
    size_t n, room; /* records, and what there is memory for */
};

/* An evaluation without records yet. Aborts if out of memory, as do the others. */
void eval_made_init(struct eval_made *made, int32_t classes);

/*
 * Add an image of `label` (none if negative) taken for `pred` with probability
 * `confidence`. The second place is class pred + 1, and so on; the label, if it
 * is not the best class, has probability (1 - confidence) / 2.
 */
struct eval_record *eval_made_add(struct eval_made *made, int32_t label, int32_t pred,
                                  double confidence);

/* Add an image without an answer. */
struct eval_record *eval_made_fail(struct eval_made *made, int32_t label, const char *message);

void eval_made_finish(struct eval_made *made);

/* The same sequence everywhere; in 0 .. bound - 1. */
uint32_t eval_made_random(uint64_t *state, uint32_t bound);

#endif
