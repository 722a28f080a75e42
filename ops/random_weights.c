/*
 * fovea.RandomWeights: weights for a network that has none, to measure it.
 *
 *     y[i] = mean + scale * sqrt(12) * (u(seed, i) - 1/2),   u uniform on [0, 1)
 *
 * so that `scale` is the standard deviation. u is the upper 24 bits of
 * SplitMix64 at place i of the sequence (Steele, Lea, Flood 2014: Fast
 * Splittable Pseudorandom Number Generators), exact in f32: the same seed
 * gives the same weights on every machine, in any order of computation. Made
 * late and forgotten once packed, like other deferred constants, which lets a
 * network of 7.5 GB run in little more.
 */
#include "ops/ops.h"

#include <math.h>

static enum fovea_status infer(struct fovea_node *node, struct fovea_error *err) {
    size_t rank;
    const int64_t *dims = fovea_attr_ints(node, "shape", &rank);
    if (rank > FOVEA_MAX_RANK) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "shape has %zu dimensions; the limit is %d", rank,
                          FOVEA_MAX_RANK);
    }
    return fovea_set_output(node, 0, FOVEA_F32, (int)rank, dims, err);
}

static uint64_t mix(uint64_t z) {
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static enum fovea_status run(const struct fovea_node *node, const struct fovea_run *run,
                             struct fovea_error *err) {
    (void)run;
    (void)err;
    float *y = node->out[0]->t.data;
    int64_t count = fovea_tensor_count(&node->out[0]->t);
    uint64_t start = mix((uint64_t)fovea_attr_int(node, "seed", 0));
    float mean = fovea_attr_float(node, "mean", 0);
    float width = fovea_attr_float(node, "scale", 1) * sqrtf(12.0F);
    for (int64_t i = 0; i < count; i++) {
        uint64_t bits = mix(start + (uint64_t)(i + 1) * UINT64_C(0x9E3779B97F4A7C15));
        y[i] = mean + width * ((float)(uint32_t)(bits >> 40) * 0x1p-24F - 0.5F);
    }
    return FOVEA_OK;
}

static const struct fovea_attr_spec attrs[] = {{"shape", FOVEA_ATTR_INTS, true},
                                               {"seed", FOVEA_ATTR_INT, false},
                                               {"mean", FOVEA_ATTR_FLOAT, false},
                                               {"scale", FOVEA_ATTR_FLOAT, false},
                                               {0}};

const struct fovea_op fovea_op_random_weights = {
    .attrs = attrs,
    .min_out = 1,
    .max_out = 1,
    .infer = infer,
    .run = run,
};
