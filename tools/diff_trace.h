/*
 * What a run computes on its way: every float tensor that a step makes, in the
 * order of the steps, as a sketch of a few numbers, so that the tensors of two
 * runs can be told to be alike without keeping any.
 */
#ifndef FOVEA_TOOLS_DIFF_TRACE_H
#define FOVEA_TOOLS_DIFF_TRACE_H

#include "runtime/session.h"

enum { DIFF_SKETCH = 16 };

/* A session with something to run it on; all borrowed. */
struct diff_side {
    struct fovea_session *session;
    const struct fovea_tensor *inputs, *outputs; /* as for fovea_session_run */
};

struct diff_value {
    const struct fovea_node *node;
    const struct fovea_value *value;
    /*
     * Of the elements, or of 2^18 of them at even distances: their mean, and sums
     * of what they are beyond it, under random signs that depend on the
     * element's place. The distance of two sketches over the square root of
     * DIFF_SKETCH is, but for some 20 %, that of what they are of (Alon, Matias
     * and Szegedy 1996). NaN if an element is.
     */
    double sketch[DIFF_SKETCH], mean;
    int64_t samples;
};

struct diff_trace {
    struct diff_value *values;
    size_t count, room;
};

/* Whether a trace has the value, and a comparison looks at it: a float tensor of 2 elements. */
bool diff_is_traced(const struct fovea_value *value);

/*
 * The value's elements as f32 in the order of its dims, whatever its type and
 * layout; to be freed. NULL if out of memory.
 */
float *diff_floats(const struct fovea_value *value);

/* Run once. *out is the caller's to finish, and speaks of the session's graph. */
enum fovea_status diff_trace_run(const struct diff_side *side, struct diff_trace *out,
                                 struct fovea_error *err);
void diff_trace_finish(struct diff_trace *trace);

/*
 * How unlike two tensors are by their sketches: about |a - b| / |a|, the means
 * left out of |a|. So two softmaxes or gates are not alike for being near a half.
 */
double diff_distance(const struct diff_value *a, const struct diff_value *b);

#endif
