/*
 * Two runs side by side, each waiting for the other where they have a tensor
 * in common, to measure how far apart they are without keeping any.
 */
#ifndef FOVEA_TOOLS_DIFF_LOCKSTEP_H
#define FOVEA_TOOLS_DIFF_LOCKSTEP_H

#include "tools/diff_match.h"

/* How far tensor b is from tensor a, summed in f64. */
struct diff_error {
    double max_abs; /* largest |a - b|; infinite if one has a NaN or an infinity where b has not */
    double rel_l2;  /* |a - b|_2 / |a|_2 */
    double cosine;  /* a.b / |a||b|; 1 if both are zero */
    double scale;   /* the s for which s a is nearest to b */
};

/* errors[i] of pairs[i], whose values are numbered as in the traces. Runs both sessions, in two
 * threads. */
enum fovea_status diff_lockstep(const struct diff_side *a, const struct diff_side *b,
                                const struct diff_pair *pairs, size_t n_pairs,
                                struct diff_error *errors, struct fovea_error *err);

/* Of two tensors of `count` elements. */
void diff_measure(const float *a, const float *b, int64_t count, struct diff_error *out);

#endif
