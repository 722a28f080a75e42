/*
 * fovea.Attention: attention over strided views of its inputs, as the pass of
 * that name makes it. See attention.h.
 *
 * infer proves that every index the views can reach is inside its tensor.
 */
#include "ops/attention.h"
#include "ops/ops.h"

#include <math.h>
#include <string.h>

/* [offset, stride...] over dims[0..n), all within `count` elements. */
static enum fovea_status check_view(const char *name, const int64_t *view, const int64_t *dims,
                                    int n, int64_t count, struct fovea_error *err) {
    int64_t at = view[0];
    for (int i = 0; i <= n; i++) {
        if (view[i] < 0) {
            return fovea_fail(err, FOVEA_ERR_INVALID, "%s has %lld at %d; it must not be negative",
                              name, (long long)view[i], i);
        }
    }
    for (int i = 0; i < n && at < count; i++) {
        int64_t stride = view[i + 1], steps = dims[i] - 1;
        if (stride > 0 && steps > (count - 1 - at) / stride) {
            at = count;
        } else {
            at += stride * steps;
        }
    }
    if (at >= count) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "%s reaches beyond the %lld elements of its tensor", name,
                          (long long)count);
    }
    return FOVEA_OK;
}

/* Tokens and channels must be a matrix that oneDNN takes. */
static enum fovea_status check_matrix(const char *name, const int64_t *view, int64_t tokens,
                                      int64_t channels, struct fovea_error *err) {
    int64_t token = view[3], channel = view[4];
    bool by_token = (channel == 1 || channels == 1) && (token >= channels || tokens == 1);
    bool by_channel = (token == 1 || tokens == 1) && (channel >= tokens || channels == 1);
    if (by_token || by_channel) {
        return FOVEA_OK;
    }
    return fovea_fail(err, FOVEA_ERR_UNSUPPORTED,
                      "%s has strides %lld and %lld over %lld tokens of %lld channels; one must be "
                      "1, and the other at least that extent",
                      name, (long long)token, (long long)channel, (long long)tokens,
                      (long long)channels);
}

/* The list attribute `name` of exactly `want` integers. */
static enum fovea_status get_ints(const struct fovea_node *node, const char *name, size_t want,
                                  const int64_t **out, struct fovea_error *err) {
    size_t count;
    const int64_t *values = fovea_attr_ints(node, name, &count);
    if (count != want) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "attribute '%s' has %zu elements, not %zu", name,
                          count, want);
    }
    *out = values;
    return FOVEA_OK;
}

static void set_view(struct fovea_attention_view *view, const int64_t *numbers) {
    *view = (struct fovea_attention_view){
        .offset = numbers[0],
        .batch = numbers[1],
        .head = numbers[2],
        .token = numbers[3],
        .channel = numbers[4],
    };
}

/* Input `index` seen as [batch, heads, tokens, channels]. */
static enum fovea_status get_view(const struct fovea_node *node, int index, const char *name,
                                  const int64_t dims[4], struct fovea_attention_view *view,
                                  struct fovea_error *err) {
    const int64_t *numbers = NULL;
    enum fovea_status st = fovea_expect_dtype(node, index, FOVEA_DTYPES_FLOAT, err);
    if (!st && node->in[index]->t.dtype == FOVEA_F64) {
        st = fovea_fail(err, FOVEA_ERR_UNSUPPORTED, "input %d has type f64, not supported here",
                        index);
    }
    if (!st) {
        st = get_ints(node, name, 5, &numbers, err);
    }
    if (!st) {
        st = check_view(name, numbers, dims, 4, fovea_tensor_count(&node->in[index]->t), err);
    }
    if (!st && index < 3) {
        st = check_matrix(name, numbers, dims[2], dims[3], err);
    }
    if (!st) {
        set_view(view, numbers);
    }
    return st;
}

static enum fovea_status get_dims(const struct fovea_node *node, struct fovea_attention *a,
                                  struct fovea_error *err) {
    const int64_t *dims = NULL;
    enum fovea_status st = get_ints(node, "dims", 6, &dims, err);
    if (st) {
        return st;
    }
    for (int i = 0; i < 6; i++) {
        if (dims[i] < 1) {
            return fovea_fail(err, FOVEA_ERR_INVALID, "dims has %lld at %d; it must be at least 1",
                              (long long)dims[i], i);
        }
    }
    a->batch = dims[0];
    a->heads = a->kv_heads = dims[1];
    a->q_len = dims[2];
    a->kv_len = dims[3];
    a->head_dim = dims[4];
    a->v_head_dim = dims[5];
    return FOVEA_OK;
}

/* The output has exactly batch * heads * q_len * v_head_dim elements, and the strides stay in it.
 */
static enum fovea_status set_output(struct fovea_node *node, struct fovea_attention *a,
                                    struct fovea_error *err) {
    size_t rank;
    const int64_t *shape = fovea_attr_ints(node, "shape", &rank), *out = NULL;
    const int64_t dims[4] = {a->batch, a->heads, a->q_len, a->v_head_dim};
    enum fovea_status st = get_ints(node, "out", 3, &out, err);
    if (!st && rank > FOVEA_MAX_RANK) {
        st = fovea_fail(err, FOVEA_ERR_INVALID, "shape has %zu elements; at most %d make sense",
                        rank, FOVEA_MAX_RANK);
    }
    if (!st) {
        st = fovea_set_output(node, 0, FOVEA_F32, (int)rank, shape, err);
    }
    if (st) {
        return st;
    }
    int64_t count = fovea_tensor_count(&node->out[0]->t), rest = count;
    for (int i = 0; i < 4; i++) {
        if (rest % dims[i] != 0) {
            rest = 0;
        }
        rest /= dims[i];
    }
    if (rest != 1) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "the output %s has not %lld * %lld * %lld * %lld elements",
                          fovea_shape_text(&node->out[0]->t).text, (long long)dims[0],
                          (long long)dims[1], (long long)dims[2], (long long)dims[3]);
    }
    const int64_t view[5] = {0, out[0], out[1], out[2], 1};
    set_view(&a->y, view);
    return check_view("out", view, dims, 4, count, err);
}

static enum fovea_status infer(struct fovea_node *node, struct fovea_error *err) {
    struct fovea_attention *a = node->priv;
    memset(a, 0, sizeof(*a));
    enum fovea_status st = get_dims(node, a, err);
    if (!st) {
        st = set_output(node, a, err);
    }
    if (st) {
        return st;
    }
    const int64_t q[4] = {a->batch, a->heads, a->q_len, a->head_dim};
    const int64_t k[4] = {a->batch, a->heads, a->kv_len, a->head_dim};
    const int64_t v[4] = {a->batch, a->heads, a->kv_len, a->v_head_dim};
    const int64_t scores[4] = {a->batch, a->heads, a->q_len, a->kv_len};
    st = get_view(node, 0, "q", q, &a->q, err);
    if (!st) {
        st = get_view(node, 1, "k", k, &a->k, err);
    }
    if (!st) {
        st = get_view(node, 2, "v", v, &a->v, err);
    }
    a->masked = fovea_node_input(node, 3) != NULL;
    if (!st && a->masked) {
        st = get_view(node, 3, "mask", scores, &a->mask, err);
    }
    a->scale = fovea_attr_float(node, "scale", 1);
    if (!st && !isfinite(a->scale)) {
        st = fovea_fail(err, FOVEA_ERR_INVALID, "scale is %g; it must be finite", (double)a->scale);
    }
    return st;
}

static enum fovea_status prepare(struct fovea_node *node, struct fovea_engine *engine,
                                 struct fovea_error *err) {
    struct fovea_attention *a = node->priv;
    a->bf16 = node->in[0]->t.dtype == FOVEA_BF16;
    a->y_bf16 = node->out[0]->t.dtype == FOVEA_BF16;
    return fovea_attention_prepare(a, engine, &node->scratch_bytes, err);
}

static enum fovea_status run(const struct fovea_node *node, const struct fovea_run *run,
                             struct fovea_error *err) {
    const struct fovea_value *mask = fovea_node_input(node, 3);
    struct fovea_attention_operands operands = {
        .q = node->in[0]->t.data,
        .k = node->in[1]->t.data,
        .v = node->in[2]->t.data,
        .mask = mask ? mask->t.data : NULL,
        .y = node->out[0]->t.data,
    };
    return fovea_attention_run(node->priv, &operands, run->scratch, err);
}

static void release(struct fovea_node *node) {
    fovea_attention_release(node->priv);
}

static int64_t macs(const struct fovea_node *node) {
    return fovea_attention_macs(node->priv);
}

static const char *implementation(const struct fovea_node *node) {
    (void)node;
    return "attention";
}

static const struct fovea_attr_spec attrs[] = {
    {"dims", FOVEA_ATTR_INTS, true},
    {"k", FOVEA_ATTR_INTS, true},
    {"mask", FOVEA_ATTR_INTS, false},
    {"out", FOVEA_ATTR_INTS, true},
    {"q", FOVEA_ATTR_INTS, true},
    {"scale", FOVEA_ATTR_FLOAT, false},
    {"shape", FOVEA_ATTR_INTS, true},
    {"v", FOVEA_ATTR_INTS, true},
    {0},
};

const struct fovea_op fovea_op_attention = {
    .priv_size = sizeof(struct fovea_attention),
    .attrs = attrs,
    .min_in = 3,
    .max_in = 4,
    .min_out = 1,
    .max_out = 1,
    .layout = FOVEA_LAYOUT_PLAIN_ONLY,
    .bf16 = FOVEA_BF16_MULTIPLIES,
    .bf16_in = 7,
    .bf16_out = 1,
    .infer = infer,
    .prepare = prepare,
    .run = run,
    .release = release,
    .macs = macs,
    .implementation = implementation,
};
