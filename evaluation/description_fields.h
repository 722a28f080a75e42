/*
 * The fields of a description as tables, for whoever writes, reads or compares
 * all of them. The names of classes are not among them.
 */
#ifndef FOVEA_EVALUATION_DESCRIPTION_FIELDS_H
#define FOVEA_EVALUATION_DESCRIPTION_FIELDS_H

#include "evaluation/record.h"

#include <stdbool.h>

enum { EVAL_N_TEXT_FIELDS = 11, EVAL_N_NUMBER_FIELDS = 4 };

struct eval_field {
    const char *name;
    size_t offset;      /* in struct eval_description */
    const char *differ; /* what it is, if journals that differ in it do not belong together */
};

extern const struct eval_field eval_text_fields[EVAL_N_TEXT_FIELDS];
extern const struct eval_field eval_number_fields[EVAL_N_NUMBER_FIELDS];

char **eval_text_field(const struct eval_description *description, size_t i);
uint64_t eval_number_field_get(const struct eval_description *description, size_t i);

/* False if `value` is more than the field holds. */
bool eval_number_field_set(struct eval_description *description, size_t i, uint64_t value);

#endif
