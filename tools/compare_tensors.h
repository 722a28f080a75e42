/*
 * How far a result is from the one expected.
 */
#ifndef FOVEA_TOOLS_COMPARE_TENSORS_H
#define FOVEA_TOOLS_COMPARE_TENSORS_H

#include "runtime/tensor.h"

/*
 * |got - want| <= atol + rtol * |want|. Negative: the default of the type.
 *
 * f16 and bf16 results carry the rounding of every layer, which is a share of
 * the tensor's size, not of each element's: a few small elements of a correct
 * result are outside any bound of this form. With the defaults such a tensor
 * also passes if rel_l2 is at most rtol, no element is outside four times its
 * bound, and at most 2 % of the elements (or two of a small tensor) are
 * outside at all.
 */
struct tolerance {
    double atol, rtol;
    double rel_l2; /* over 0: with atol and rtol at their defaults, this decides alone for floats */
};

struct comparison {
    double max_abs; /* largest |got - want|; infinite where only one is finite */
    double rel_l2;  /* |got - want|_2 / |want|_2 */
    int64_t n_bad;  /* elements outside the tolerance */
    bool passed;
    char message[480]; /* the worst of them in words; "" if n_bad is 0 */
};

/*
 * Compare tensors of one type and shape. NaN equals NaN, an infinity equals
 * itself. Integers and bool have to be equal. false and a message in `out` if
 * types or shapes differ.
 */
bool compare_tensors(const struct fovea_tensor *got, const struct fovea_tensor *want,
                     const struct tolerance *tolerance, struct comparison *out);

#endif
