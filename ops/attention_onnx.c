/*
 * Attention as ONNX defines it (opset 23): heads side by side in the last of
 * three dims or as the second of four, grouped queries, masks, a cache of
 * earlier keys and values, capped scores, and the scores as an output.
 *
 * The specification draws the cap behind the mask, which would let what is
 * masked leak through; like ONNX's reference implementation since, we cap
 * first. Causal masking lets query i see the cached keys and its first i + 1.
 */
#include "ops/attention.h"
#include "ops/ops.h"

#include <math.h>
#include <string.h>

enum { Q, K, V, MASK, PAST_KEY, PAST_VALUE };
enum { Y, PRESENT_KEY, PRESENT_VALUE, SCORES };

struct onnx_attention {
    struct fovea_attention a;
    struct fovea_attention_view new_k, new_v; /* in inputs K and V; a.k and a.v if not joined */
    int64_t new_len;                          /* tokens of these */
    bool joined;                              /* keys and values are first copied into one place */
    size_t core_scratch, key_bytes;
};

/* Shape of Q, K or V as [batch, heads, tokens, channels], and where it lies. */
struct operand {
    int64_t batch, heads, tokens, channels;
    struct fovea_attention_view view;
};

static enum fovea_status read_operand(const struct fovea_node *node, int index,
                                      const char *heads_attr, struct operand *out,
                                      struct fovea_error *err) {
    const struct fovea_tensor *t = &node->in[index]->t;
    int64_t heads = fovea_attr_int(node, heads_attr, 0);
    if (t->rank == 4) {
        *out = (struct operand){t->dims[0], t->dims[1], t->dims[2], t->dims[3], {0}};
        int64_t head = t->dims[2] * t->dims[3];
        out->view = (struct fovea_attention_view){0, t->dims[1] * head, head, t->dims[3], 1};
        return FOVEA_OK;
    }
    if (heads < 1 || t->dims[2] % heads != 0) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "%s is %lld; it must divide the %lld channels of input %d", heads_attr,
                          (long long)heads, (long long)t->dims[2], index);
    }
    *out = (struct operand){t->dims[0], heads, t->dims[1], t->dims[2] / heads, {0}};
    out->view =
        (struct fovea_attention_view){0, t->dims[1] * t->dims[2], out->channels, t->dims[2], 1};
    return FOVEA_OK;
}

static enum fovea_status check_operands(const struct operand *q, const struct operand *k,
                                        const struct operand *v, struct fovea_error *err) {
    if (q->batch != k->batch || q->batch != v->batch) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "batches of %lld, %lld and %lld do not agree",
                          (long long)q->batch, (long long)k->batch, (long long)v->batch);
    }
    if (k->heads < 1 || k->heads != v->heads || q->heads % k->heads != 0) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "%lld query heads cannot share %lld key heads and %lld value heads",
                          (long long)q->heads, (long long)k->heads, (long long)v->heads);
    }
    if (k->tokens != v->tokens) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "%lld keys for %lld values", (long long)k->tokens,
                          (long long)v->tokens);
    }
    if (q->channels != k->channels || q->channels < 1 || v->channels < 1) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "heads of size %lld (Q), %lld (K) and %lld (V) do not make a product",
                          (long long)q->channels, (long long)k->channels, (long long)v->channels);
    }
    return FOVEA_OK;
}

static enum fovea_status check_types(const struct fovea_node *node, struct fovea_error *err) {
    const unsigned floats = FOVEA_DTYPES_FLOAT & ~FOVEA_DTYPE_BIT(FOVEA_F64);
    enum fovea_status st = FOVEA_OK;
    for (int i = 0; !st && i <= PAST_VALUE; i++) {
        if (fovea_node_input(node, i)) {
            st = fovea_expect_dtype(node, i,
                                    i == MASK ? floats | FOVEA_DTYPE_BIT(FOVEA_BOOL) : floats, err);
        }
    }
    for (int i = Q; !st && i <= V; i++) {
        st = fovea_expect_rank(node, i, 3, 4, err);
        if (!st && node->in[i]->t.rank != node->in[Q]->t.rank) {
            st = fovea_fail(err, FOVEA_ERR_INVALID, "inputs 0 and %d have ranks %d and %d", i,
                            node->in[Q]->t.rank, node->in[i]->t.rank);
        }
    }
    return st;
}

/* The cache is of shape [batch, kv_heads, past, channels]. */
static enum fovea_status check_past(const struct fovea_node *node, int index,
                                    const struct operand *like, int64_t past,
                                    struct fovea_error *err) {
    const struct fovea_tensor *t = &node->in[index]->t;
    if (t->rank != 4 || t->dims[0] != like->batch || t->dims[1] != like->heads ||
        t->dims[2] != past || t->dims[3] != like->channels) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "input %d has shape %s; it must be [%lld,%lld,%lld,%lld]", index,
                          fovea_shape_text(t).text, (long long)like->batch, (long long)like->heads,
                          (long long)past, (long long)like->channels);
    }
    return FOVEA_OK;
}

static enum fovea_status read_past(const struct fovea_node *node, const struct operand *k,
                                   const struct operand *v, int64_t *past,
                                   struct fovea_error *err) {
    const struct fovea_value *key = fovea_node_input(node, PAST_KEY);
    *past = 0;
    if (!key != !fovea_node_input(node, PAST_VALUE)) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "past_key and past_value must come together");
    }
    if (!key) {
        return FOVEA_OK;
    }
    enum fovea_status st = fovea_expect_rank(node, PAST_KEY, 4, 4, err);
    if (st) {
        return st;
    }
    *past = key->t.dims[2];
    st = check_past(node, PAST_KEY, k, *past, err);
    return st ? st : check_past(node, PAST_VALUE, v, *past, err);
}

/* Strides of the mask against [batch, heads, q_len, kv_len]. */
static enum fovea_status read_mask(const struct fovea_node *node, struct fovea_attention *a,
                                   struct fovea_error *err) {
    const struct fovea_value *mask = fovea_node_input(node, MASK);
    const int64_t want[4] = {a->batch, a->heads, a->q_len, a->kv_len};
    int64_t strides[4] = {0}, stride = 1;
    if (!mask) {
        return FOVEA_OK;
    }
    const struct fovea_tensor *t = &mask->t;
    for (int i = t->rank - 1, to = 3; i >= 0; i--, to--) {
        if (to < 0 || (t->dims[i] != 1 && t->dims[i] != want[to])) {
            return fovea_fail(err, FOVEA_ERR_INVALID,
                              "the mask %s does not broadcast to [%lld,%lld,%lld,%lld]",
                              fovea_shape_text(t).text, (long long)want[0], (long long)want[1],
                              (long long)want[2], (long long)want[3]);
        }
        strides[to] = t->dims[i] == 1 ? 0 : stride;
        stride *= t->dims[i];
    }
    a->masked = true;
    a->mask_is_bool = t->dtype == FOVEA_BOOL;
    a->mask = (struct fovea_attention_view){0, strides[0], strides[1], strides[2], strides[3]};
    return FOVEA_OK;
}

static enum fovea_status read_attrs(const struct fovea_node *node, struct fovea_attention *a,
                                    struct fovea_error *err) {
    static const enum fovea_attention_stage stages[] = {
        FOVEA_ATTENTION_PRODUCT,
        FOVEA_ATTENTION_MASKED,
        FOVEA_ATTENTION_CAPPED,
        FOVEA_ATTENTION_WEIGHTS,
    };
    int64_t mode = fovea_attr_int(node, "qk_matmul_output_mode", 0);
    int64_t precision = fovea_attr_int(node, "softmax_precision", 1);
    a->scale = fovea_attr_float(node, "scale", (float)(1 / sqrt((double)a->head_dim)));
    a->softcap = fovea_attr_float(node, "softcap", 0);
    a->causal = fovea_attr_int(node, "is_causal", 0) != 0;
    if (mode < 0 || mode > 3) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "qk_matmul_output_mode is %lld; it must be 0 to 3", (long long)mode);
    }
    if (precision != 1 && precision != 10 && precision != 11 && precision != 16) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "softmax_precision is %lld; it must be 1, 10, 11 or 16 (a float type)",
                          (long long)precision);
    }
    if (!isfinite(a->scale) || !isfinite(a->softcap) || a->softcap < 0) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "scale is %g and softcap %g; they must be finite, softcap not negative",
                          (double)a->scale, (double)a->softcap);
    }
    a->stage = stages[mode];
    return FOVEA_OK;
}

static enum fovea_status set_outputs(struct fovea_node *node, const struct fovea_attention *a,
                                     struct fovea_error *err) {
    const int64_t y3[] = {a->batch, a->q_len, a->heads * a->v_head_dim};
    const int64_t y4[] = {a->batch, a->heads, a->q_len, a->v_head_dim};
    const int64_t key[] = {a->batch, a->kv_heads, a->kv_len, a->head_dim};
    const int64_t value[] = {a->batch, a->kv_heads, a->kv_len, a->v_head_dim};
    const int64_t scores[] = {a->batch, a->heads, a->q_len, a->kv_len};
    int rank = node->in[Q]->t.rank;
    enum fovea_status st = fovea_set_output(node, Y, FOVEA_F32, rank, rank == 4 ? y4 : y3, err);
    if (!st) {
        st = fovea_set_output(node, PRESENT_KEY, FOVEA_F32, 4, key, err);
    }
    if (!st) {
        st = fovea_set_output(node, PRESENT_VALUE, FOVEA_F32, 4, value, err);
    }
    return st ? st : fovea_set_output(node, SCORES, FOVEA_F32, 4, scores, err);
}

static bool wants(const struct fovea_node *node, int index) {
    return index < node->n_out && node->out[index];
}

/* Dense [batch, heads, tokens, channels]. */
static struct fovea_attention_view dense_view(int64_t heads, int64_t tokens, int64_t channels) {
    return (struct fovea_attention_view){0, heads * tokens * channels, tokens * channels, channels,
                                         1};
}

static void set_shapes(struct fovea_node *node, const struct operand *q, const struct operand *k,
                       const struct operand *v, int64_t past) {
    struct onnx_attention *p = node->priv;
    struct fovea_attention *a = &p->a;
    a->batch = q->batch;
    a->heads = q->heads;
    a->kv_heads = k->heads;
    a->q_len = q->tokens;
    a->kv_len = past + k->tokens;
    a->past = past;
    a->head_dim = q->channels;
    a->v_head_dim = v->channels;
    a->q = q->view;
    a->k = p->new_k = k->view;
    a->v = p->new_v = v->view;
    p->new_len = k->tokens;
    p->joined = past > 0 || wants(node, PRESENT_KEY) || wants(node, PRESENT_VALUE);
    if (p->joined) {
        a->k = dense_view(a->kv_heads, a->kv_len, a->head_dim);
        a->v = dense_view(a->kv_heads, a->kv_len, a->v_head_dim);
    }
    int64_t width = a->heads * a->v_head_dim;
    a->y = node->in[Q]->t.rank == 4
               ? dense_view(a->heads, a->q_len, a->v_head_dim)
               : (struct fovea_attention_view){0, a->q_len * width, a->v_head_dim, width, 1};
}

static enum fovea_status infer(struct fovea_node *node, struct fovea_error *err) {
    struct onnx_attention *p = node->priv;
    struct operand q, k, v;
    int64_t past = 0;
    memset(p, 0, sizeof(*p));
    enum fovea_status st = check_types(node, err);
    if (!st) {
        st = read_operand(node, Q, "q_num_heads", &q, err);
    }
    if (!st) {
        st = read_operand(node, K, "kv_num_heads", &k, err);
    }
    if (!st) {
        st = read_operand(node, V, "kv_num_heads", &v, err);
    }
    if (!st) {
        st = check_operands(&q, &k, &v, err);
    }
    if (!st) {
        st = read_past(node, &k, &v, &past, err);
    }
    if (st) {
        return st;
    }
    set_shapes(node, &q, &k, &v, past);
    st = read_attrs(node, &p->a, err);
    if (!st) {
        st = read_mask(node, &p->a, err);
    }
    return st ? st : set_outputs(node, &p->a, err);
}

static enum fovea_status prepare(struct fovea_node *node, struct fovea_engine *engine,
                                 struct fovea_error *err) {
    struct onnx_attention *p = node->priv;
    const struct fovea_attention *a = &p->a;
    enum fovea_status st = fovea_attention_prepare(&p->a, engine, &p->core_scratch, err);
    if (st) {
        return st;
    }
    /* Keys and values that nobody asked for as outputs are joined in scratch. */
    size_t tokens = (size_t)(a->batch * a->kv_heads * a->kv_len) * sizeof(float);
    size_t value_bytes = 0;
    if (p->joined && !wants(node, PRESENT_KEY)) {
        p->key_bytes = tokens * (size_t)a->head_dim;
    }
    if (p->joined && !wants(node, PRESENT_VALUE)) {
        value_bytes = tokens * (size_t)a->v_head_dim;
    }
    node->scratch_bytes = p->core_scratch + p->key_bytes + value_bytes;
    return FOVEA_OK;
}

/* The cache, then the new tokens, of every head. */
static void join(const struct onnx_attention *p, const float *past, const float *fresh,
                 const struct fovea_attention_view *view, int64_t channels, float *out) {
    const struct fovea_attention *a = &p->a;
    size_t row = (size_t)channels * sizeof(float);
    for (int64_t i = 0; i < a->batch * a->kv_heads; i++) {
        const float *from = fresh + i / a->kv_heads * view->batch + i % a->kv_heads * view->head;
        if (a->past > 0) {
            memcpy(out, past + i * a->past * channels, (size_t)a->past * row);
        }
        out += a->past * channels;
        for (int64_t t = 0; t < p->new_len; t++) {
            memcpy(out, from + t * view->token, row);
            out += channels;
        }
    }
}

static const float *data_of(const struct fovea_node *node, int index) {
    const struct fovea_value *value = fovea_node_input(node, index);
    return value ? value->t.data : NULL;
}

static enum fovea_status run(const struct fovea_node *node, const struct fovea_run *run,
                             struct fovea_error *err) {
    const struct onnx_attention *p = node->priv;
    struct fovea_attention_operands operands = {
        .q = data_of(node, Q),
        .k = data_of(node, K),
        .v = data_of(node, V),
        .mask = data_of(node, MASK),
        .y = node->out[Y]->t.data,
        .scores = wants(node, SCORES) ? node->out[SCORES]->t.data : NULL,
    };
    if (p->joined) {
        unsigned char *spare = (unsigned char *)run->scratch + p->core_scratch;
        float *keys = wants(node, PRESENT_KEY) ? node->out[PRESENT_KEY]->t.data : (void *)spare;
        float *values = wants(node, PRESENT_VALUE) ? node->out[PRESENT_VALUE]->t.data
                                                   : (void *)(spare + p->key_bytes);
        join(p, data_of(node, PAST_KEY), operands.k, &p->new_k, p->a.head_dim, keys);
        join(p, data_of(node, PAST_VALUE), operands.v, &p->new_v, p->a.v_head_dim, values);
        operands.k = keys;
        operands.v = values;
    }
    return fovea_attention_run(&p->a, &operands, run->scratch, err);
}

static void release(struct fovea_node *node) {
    struct onnx_attention *p = node->priv;
    fovea_attention_release(&p->a);
}

static int64_t macs(const struct fovea_node *node) {
    const struct onnx_attention *p = node->priv;
    return fovea_attention_macs(&p->a);
}

static const struct fovea_attr_spec attrs[] = {
    {"is_causal", FOVEA_ATTR_INT, false},         {"kv_num_heads", FOVEA_ATTR_INT, false},
    {"q_num_heads", FOVEA_ATTR_INT, false},       {"qk_matmul_output_mode", FOVEA_ATTR_INT, false},
    {"scale", FOVEA_ATTR_FLOAT, false},           {"softcap", FOVEA_ATTR_FLOAT, false},
    {"softmax_precision", FOVEA_ATTR_INT, false}, {0},
};

const struct fovea_op fovea_op_attention_onnx = {
    .priv_size = sizeof(struct onnx_attention),
    .attrs = attrs,
    .min_in = 3,
    .max_in = 6,
    .min_out = 1,
    .max_out = 4,
    .layout = FOVEA_LAYOUT_PLAIN_ONLY,
    .infer = infer,
    .prepare = prepare,
    .run = run,
    .release = release,
    .macs = macs,
};
