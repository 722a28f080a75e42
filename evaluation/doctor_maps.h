/* The orders of classes that are known to be mixed up. A part of the label doctor. */
#ifndef FOVEA_EVALUATION_DOCTOR_MAPS_H
#define FOVEA_EVALUATION_DOCTOR_MAPS_H

#include "evaluation/confusion.h"
#include "evaluation/doctor.h"

/* An order that might explain the predictions. */
struct eval_order {
    enum eval_ailment ailment;
    int parameter; /* of an offset: its size; else which of several */
    char words[240];
};

/* What the orders are made from. */
struct eval_orders_of {
    const struct eval_description *description;
    const struct eval_confusion *confusion;
    int32_t labels; /* the largest label + 1 */
};

/* How many orders there are to try. */
size_t eval_orders_count(void);

/*
 * Fill map[classes] with order `index`: the class that each label is, -1 for
 * none. False, with *map as it may be, if it does not apply here or changes nothing.
 */
bool eval_order_get(const struct eval_orders_of *of, size_t index, int32_t *scratch, int32_t *map,
                    struct eval_order *out);

#endif
