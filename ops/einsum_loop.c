/* Einsum by a plain loop over all labels: see einsum_loop.h. */
#include "ops/einsum_loop.h"

#include "runtime/parallel.h"

#include <string.h>

struct job {
    const struct einsum_equation *equation;
    const int64_t (*strides)[EINSUM_MAX_LABELS];
    const void *in[EINSUM_MAX_INPUTS];
    void *out;
};

/* Offsets of all operands for the labels [from, to) at flat index `index`. */
static void add_offsets(const struct job *job, int from, int to, int64_t index, int64_t *offsets) {
    const struct einsum_equation *e = job->equation;
    for (int label = to - 1; label >= from; label--) {
        int64_t i = index % e->size[label];
        index /= e->size[label];
        for (int input = 0; input < e->n_in; input++) {
            offsets[input] += i * job->strides[input][label];
        }
    }
}

/* `total` is what sums are kept in; signed integers wrap as unsigned ones do. */
#define DEFINE_LOOP(name, type, total)                                                             \
    static void name(void *context, int64_t begin, int64_t end, int thread) {                      \
        const struct job *job = context;                                                           \
        const struct einsum_equation *e = job->equation;                                           \
        int64_t terms = 1;                                                                         \
        (void)thread;                                                                              \
        for (int label = e->out_rank; label < e->n_labels; label++) {                              \
            terms *= e->size[label];                                                               \
        }                                                                                          \
        for (int64_t i = begin; i < end; i++) {                                                    \
            int64_t base[EINSUM_MAX_INPUTS] = {0};                                                 \
            total sum = 0;                                                                         \
            add_offsets(job, 0, e->out_rank, i, base);                                             \
            for (int64_t j = 0; j < terms; j++) {                                                  \
                int64_t at[EINSUM_MAX_INPUTS];                                                     \
                total product = 1;                                                                 \
                memcpy(at, base, sizeof(at));                                                      \
                add_offsets(job, e->out_rank, e->n_labels, j, at);                                 \
                for (int input = 0; input < e->n_in; input++) {                                    \
                    product *= ((const type *)job->in[input])[at[input]];                          \
                }                                                                                  \
                sum += product;                                                                    \
            }                                                                                      \
            ((type *)job->out)[i] = (type)sum;                                                     \
        }                                                                                          \
    }
DEFINE_LOOP(loop_f32, float, double)
DEFINE_LOOP(loop_f64, double, double)
DEFINE_LOOP(loop_32, uint32_t, uint32_t)
DEFINE_LOOP(loop_64, uint64_t, uint64_t)

void einsum_sum(const struct fovea_node *node, const struct einsum_equation *equation,
                const int64_t strides[][EINSUM_MAX_LABELS]) {
    struct job job = {.equation = equation, .strides = strides, .out = node->out[0]->t.data};
    enum fovea_dtype dtype = node->in[0]->t.dtype;
    for (int i = 0; i < node->n_in; i++) {
        job.in[i] = node->in[i]->t.data;
    }
    fovea_parallel_fn loop = dtype == FOVEA_F32             ? loop_f32
                             : dtype == FOVEA_F64           ? loop_f64
                             : fovea_dtype_size(dtype) == 4 ? loop_32
                                                            : loop_64;
    fovea_parallel_for(fovea_tensor_count(&node->out[0]->t), 64, loop, &job);
}
