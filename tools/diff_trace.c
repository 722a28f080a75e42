/* See diff_trace.h. */
#include "tools/diff_trace.h"

#include "runtime/tensor.h"

#include <math.h>
#include <stdlib.h>

enum { SAMPLES = 1 << 18 };

bool diff_is_traced(const struct fovea_value *value) {
    return value && !value->constant && value->typed && fovea_dtype_is_float(value->t.dtype) &&
           fovea_tensor_count(&value->t) >= 2;
}

/* [N, H, W, C] to [N, C, H, W]. */
static void to_plain(const struct fovea_tensor *t, const float *from, float *to) {
    int64_t channels = t->dims[1], pixels = t->dims[2] * t->dims[3];
    for (int64_t n = 0; n < t->dims[0]; n++) {
        const float *image = from + n * channels * pixels;
        for (int64_t c = 0; c < channels; c++) {
            for (int64_t p = 0; p < pixels; p++) {
                *to++ = image[p * channels + c];
            }
        }
    }
}

float *diff_floats(const struct fovea_value *value) {
    const struct fovea_tensor *t = &value->t;
    size_t count = (size_t)fovea_tensor_count(t);
    float *plain = malloc(count * sizeof(*plain));
    if (!plain) {
        return NULL;
    }
    fovea_convert(t->dtype, t->data, FOVEA_F32, plain, (int64_t)count);
    if (value->layout == FOVEA_PLAIN) {
        return plain;
    }
    float *ordered = malloc(count * sizeof(*ordered));
    if (ordered) {
        to_plain(t, plain, ordered);
    }
    free(plain);
    return ordered;
}

/* ---- sketches ---------------------------------------------------------------------- */

/* Bits that look random, of a number (splitmix64's finaliser, Steele et al. 2014). */
static uint64_t mixed(uint64_t x) {
    x += 0x9e3779b97f4a7c15;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
}

static void make_sketch(const float *x, int64_t count, struct diff_value *v) {
    int64_t step = count / SAMPLES + 1;
    for (int64_t i = 0; i < count; i += step) {
        v->mean += (double)x[i];
        v->samples++;
    }
    v->mean /= (double)v->samples;
    for (int64_t i = 0; i < count; i += step) {
        uint64_t signs = mixed((uint64_t)i);
        double beyond = (double)x[i] - v->mean;
        for (int k = 0; k < DIFF_SKETCH; k++) {
            v->sketch[k] += signs >> k & 1 ? beyond : -beyond;
        }
    }
}

double diff_distance(const struct diff_value *a, const struct diff_value *b) {
    double apart = 0, left = 0, right = 0;
    for (int k = 0; k < DIFF_SKETCH; k++) {
        double d = a->sketch[k] - b->sketch[k];
        apart += d * d;
        left += a->sketch[k] * a->sketch[k];
        right += b->sketch[k] * b->sketch[k];
    }
    double means = a->mean - b->mean;
    apart += DIFF_SKETCH * means * means * (double)a->samples;
    double longer = fmax(left, right);
    return apart > 0 ? sqrt(apart / longer) : apart;
}

/* ---- the run ------------------------------------------------------------------------ */

static enum fovea_status add_value(struct diff_trace *trace, const struct fovea_node *node,
                                   const struct fovea_value *value, struct fovea_error *err) {
    if (trace->count == trace->room) {
        size_t room = trace->room ? 2 * trace->room : 256;
        struct diff_value *grown = realloc(trace->values, room * sizeof(*grown));
        if (!grown) {
            return fovea_fail_memory(err, room * sizeof(*grown), "a trace");
        }
        trace->values = grown;
        trace->room = room;
    }
    struct diff_value *added = &trace->values[trace->count];
    *added = (struct diff_value){.node = node, .value = value};
    float *floats = diff_floats(value);
    if (!floats) {
        return fovea_fail_memory(err, fovea_tensor_bytes(&value->t), "a tensor");
    }
    make_sketch(floats, fovea_tensor_count(&value->t), added);
    free(floats);
    trace->count++;
    return FOVEA_OK;
}

static enum fovea_status trace_step(void *context, const struct fovea_node *node,
                                    struct fovea_error *err) {
    enum fovea_status status = FOVEA_OK;
    for (int i = 0; !status && i < node->n_out; i++) {
        if (diff_is_traced(node->out[i])) {
            status = add_value(context, node, node->out[i], err);
        }
    }
    return status;
}

enum fovea_status diff_trace_run(const struct diff_side *side, struct diff_trace *out,
                                 struct fovea_error *err) {
    struct diff_trace trace = {0};
    fovea_session_watch(side->session, trace_step, &trace);
    enum fovea_status status =
        fovea_session_run(side->session, side->inputs, side->outputs, NULL, err);
    fovea_session_watch(side->session, NULL, NULL);
    if (status) {
        diff_trace_finish(&trace);
        return status;
    }
    *out = trace;
    return FOVEA_OK;
}

void diff_trace_finish(struct diff_trace *trace) {
    free(trace->values);
    *trace = (struct diff_trace){0};
}
