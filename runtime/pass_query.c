/*
 * query: attention of one constant query, as in the pooling heads of ViTs,
 * without projections of keys and values.
 *
 * With keys x W + b and values z V + c, head h of a query q has the scores
 *
 *     q_h (x W_h + b_h)^T  =  (q_h W_h^T) x^T + q_h b_h
 *
 * of which the last term is the same for every token, so that softmax does not
 * see it; and since its weights p add up to 1,
 *
 *     p (z V_h + c_h)  =  (p z) V_h + c_h.
 *
 * q_h W_h^T is a constant. So the heads become queries of one attention over x
 * and z themselves, and what it makes of each head is projected by that head's
 * part of V: two products of all tokens with matrices are gone.
 */
#include "runtime/match.h"
#include "runtime/passes.h"
#include "runtime/rewrite.h"

#include <string.h>

/* dims of "fovea".Attention */
enum { BATCH, HEADS, Q_TOKENS, KV_TOKENS, HEAD_DIM, VALUE_DIM, N_DIMS };
/* a view of its operands */
enum { OFFSET, BY_BATCH, BY_HEAD, BY_TOKEN, BY_CHANNEL, N_VIEW };

struct match {
    struct fovea_node *node, *keys, *values; /* attention; the Linears that make k and v */
    const int64_t *dims, *q, *k, *v, *mask;
    int64_t queries; /* images that have a query of their own: 1 or all */
};

/* ---- matching ------------------------------------------------------------------ */

/* The Linear behind input `index`, if nothing but the attention reads it. */
static struct fovea_node *find_linear(const struct fovea_node *node, int index) {
    const struct fovea_value *value = node->in[index];
    struct fovea_node *linear = value->producer;
    if (!fovea_node_is_own(linear, "Linear") || linear->n_epilogue > 0 || value->is_output ||
        linear->in[0]->t.rank != 3 || !linear->in[1]->constant) {
        return NULL;
    }
    const struct fovea_value *bias = fovea_node_input(linear, 2);
    for (size_t i = 0; i < value->n_uses; i++) {
        if (value->uses[i].node != node) {
            return NULL;
        }
    }
    return !bias || bias->constant ? linear : NULL;
}

/* Whether the view has the tokens of all images of the Linear, and heads side by side. */
static bool views_heads(const struct match *m, const struct fovea_node *linear, const int64_t *view,
                        int64_t head_dim) {
    const struct fovea_tensor *t = &linear->out[0]->t;
    bool images = m->dims[BATCH] == 1 ||
                  (view[BY_BATCH] == t->dims[1] * t->dims[2] && m->dims[BATCH] == t->dims[0]);
    bool heads = m->dims[HEADS] == 1 || view[BY_HEAD] == head_dim;
    return images && heads && t->dims[0] == m->dims[BATCH] && t->dims[1] == m->dims[KV_TOKENS] &&
           (view[BY_TOKEN] == t->dims[2] || t->dims[1] == 1) &&
           (view[BY_CHANNEL] == 1 || head_dim == 1) &&
           view[OFFSET] + m->dims[HEADS] * head_dim <= t->dims[2];
}

/* Whether q is dense, one row of heads an image or one for all. */
static bool views_query(struct match *m) {
    int64_t row = m->dims[HEADS] * m->dims[HEAD_DIM];
    m->queries = m->dims[BATCH] > 1 && m->q[BY_BATCH] != 0 ? m->dims[BATCH] : 1;
    return m->q[OFFSET] == 0 && fovea_tensor_count(&m->node->in[0]->t) == row * m->queries &&
           (m->queries == 1 || m->q[BY_BATCH] == row) &&
           (m->dims[HEADS] == 1 || m->q[BY_HEAD] == m->dims[HEAD_DIM]) &&
           (m->dims[HEAD_DIM] == 1 || m->q[BY_CHANNEL] == 1);
}

/* Whether the output is [batch, heads, channels] in that order. */
static bool writes_rows(const struct match *m) {
    size_t count;
    const int64_t *out = fovea_attr_ints(m->node, "out", &count);
    return (m->dims[BATCH] == 1 || out[0] == m->dims[HEADS] * m->dims[VALUE_DIM]) &&
           (m->dims[HEADS] == 1 || out[1] == m->dims[VALUE_DIM]);
}

static bool match_query(struct fovea_node *node, struct match *m, const char **why) {
    size_t count;
    *why = NULL;
    if (!fovea_node_is_own(node, "Attention") || !node->in[0]->constant) {
        return false;
    }
    *m = (struct match){
        .node = node,
        .keys = find_linear(node, 1),
        .values = find_linear(node, 2),
        .dims = fovea_attr_ints(node, "dims", &count),
        .q = fovea_attr_ints(node, "q", &count),
        .k = fovea_attr_ints(node, "k", &count),
        .v = fovea_attr_ints(node, "v", &count),
        .mask = fovea_attr_ints(node, "mask", &count),
    };
    if (!m->keys || !m->values) {
        *why = "keys or values are no Linear of constant weights, or are read elsewhere";
    } else if (m->dims[Q_TOKENS] != 1) {
        *why = "it has more than one query";
    } else if (!views_query(m) || !writes_rows(m) ||
               !views_heads(m, m->keys, m->k, m->dims[HEAD_DIM]) ||
               !views_heads(m, m->values, m->v, m->dims[VALUE_DIM])) {
        *why = "query, keys, values or result are in an unusual order";
    } else if (m->dims[HEADS] * 2 > m->dims[HEADS] * (m->dims[HEAD_DIM] + m->dims[VALUE_DIM])) {
        *why = "its heads are too small for the products to become cheaper";
    }
    return !*why;
}

/* ---- constants -------------------------------------------------------------------- */

struct maker {
    struct fovea_graph *graph;
    const struct match *m;
};

/* Bounds of a slice are inputs; until opset 9 they were attributes. */
static enum fovea_status make_slice(struct fovea_graph *graph, struct fovea_value *x,
                                    const int64_t numbers[3], struct fovea_node **out,
                                    struct fovea_error *err) {
    static const char *const names[3] = {"starts", "ends", "axes"};
    struct fovea_value *in[4] = {x};
    bool inputs = graph->opset >= 10;
    enum fovea_status st = FOVEA_OK;
    for (int i = 0; !st && inputs && i < 3; i++) {
        st = fovea_rewrite_ints(graph, &numbers[i], 1, &in[i + 1], err);
    }
    if (!st) {
        st = fovea_rewrite_node(graph, NULL, "", "Slice", x->name, in, inputs ? 4 : 1, out, err);
    }
    for (int i = 0; !st && !inputs && i < 3; i++) {
        st = fovea_rewrite_set_ints(*out, names[i], &numbers[i], 1, err);
    }
    return st;
}

/* Columns [from, from + count) of axis `axis` of a constant. */
static enum fovea_status slice(const struct maker *mk, struct fovea_value *x, int64_t axis,
                               int64_t from, int64_t count, struct fovea_value **out,
                               struct fovea_error *err) {
    const int64_t numbers[3] = {from, from + count, axis};
    struct fovea_node *node;
    if (from == 0 && x->t.dims[axis] == count) {
        *out = x;
        return FOVEA_OK;
    }
    enum fovea_status st = make_slice(mk->graph, x, numbers, &node, err);
    return st ? st : fovea_derive_finish(node, out, err);
}

/* The heads' part of a Linear's weights as [heads, head_dim, inputs] or [heads, inputs, head_dim].
 */
static enum fovea_status head_weights(const struct maker *mk, const struct fovea_node *linear,
                                      int64_t from, int64_t head_dim, bool inputs_last,
                                      struct fovea_value **out, struct fovea_error *err) {
    bool trans_b = fovea_attr_int(linear, "trans_b", 0) != 0;
    int64_t heads = mk->m->dims[HEADS], inputs = linear->in[0]->t.dims[2];
    struct fovea_value *w = linear->in[1];
    enum fovea_status st = slice(mk, w, trans_b ? 0 : 1, from, heads * head_dim, &w, err);
    if (!st) {
        const int64_t rows[3] = {heads, head_dim, inputs}, columns[3] = {inputs, heads, head_dim};
        st = fovea_derive_reshape(mk->graph, w, 3, trans_b ? rows : columns, &w, err);
    }
    /* rows: [heads, head_dim, inputs]; columns: [inputs, heads, head_dim] */
    const int64_t swap[3] = {0, 2, 1}, to_rows[3] = {1, 2, 0}, to_columns[3] = {1, 0, 2};
    const int64_t *perm =
        trans_b ? (inputs_last ? NULL : swap) : (inputs_last ? to_rows : to_columns);
    if (!st && perm) {
        st = fovea_derive_transpose(mk->graph, w, perm, &w, err);
    }
    *out = w;
    return st;
}

/* The queries seen from x: [queries, heads, inputs]. */
static enum fovea_status make_queries(const struct maker *mk, struct fovea_value **out,
                                      struct fovea_error *err) {
    const struct match *m = mk->m;
    const int64_t dims[4] = {m->queries, m->dims[HEADS], 1, m->dims[HEAD_DIM]};
    struct fovea_value *q, *w, *u = NULL;
    enum fovea_status st = fovea_derive_reshape(mk->graph, m->node->in[0], 4, dims, &q, err);
    if (!st) {
        st = head_weights(mk, m->keys, m->k[OFFSET], m->dims[HEAD_DIM], true, &w, err);
    }
    if (!st) {
        st = fovea_derive_op(mk->graph, "MatMul", q, w, &u, err);
    }
    *out = u;
    return st;
}

/* ---- making the nodes ---------------------------------------------------------------- */

static enum fovea_status set_operands(const struct match *m, struct fovea_node *node,
                                      struct fovea_error *err) {
    int64_t tokens = m->dims[KV_TOKENS], heads = m->dims[HEADS];
    int64_t x = m->keys->in[0]->t.dims[2], z = m->values->in[0]->t.dims[2];
    bool one = m->dims[BATCH] == 1;
    const int64_t dims[N_DIMS] = {m->dims[BATCH], 1, heads, tokens, x, z};
    const int64_t q[N_VIEW] = {0, m->queries == 1 ? 0 : heads * x, 0, x, 1};
    const int64_t k[N_VIEW] = {0, one ? 0 : tokens * x, 0, x, 1};
    const int64_t v[N_VIEW] = {0, one ? 0 : tokens * z, 0, z, 1};
    const int64_t shape[4] = {m->dims[BATCH], heads, 1, z}, out[3] = {heads * z, 0, z};
    enum fovea_status st = fovea_rewrite_set_ints(node, "dims", dims, N_DIMS, err);
    if (!st) {
        st = fovea_rewrite_set_ints(node, "q", q, N_VIEW, err);
    }
    if (!st) {
        st = fovea_rewrite_set_ints(node, "k", k, N_VIEW, err);
    }
    if (!st) {
        st = fovea_rewrite_set_ints(node, "v", v, N_VIEW, err);
    }
    if (!st && m->mask) { /* [.., head, query, key]: heads are queries now */
        const int64_t mask[N_VIEW] = {m->mask[0], m->mask[1], 0, m->mask[2], m->mask[4]};
        st = fovea_rewrite_set_ints(node, "mask", mask, N_VIEW, err);
    }
    if (!st) {
        st = fovea_rewrite_set_ints(node, "shape", shape, 4, err);
    }
    if (!st) {
        st = fovea_rewrite_set_ints(node, "out", out, 3, err);
    }
    return st ? st
              : fovea_rewrite_set_float(node, "scale", fovea_attr_float(m->node, "scale", 1), err);
}

static enum fovea_status make_pooling(const struct maker *mk, struct fovea_value **out,
                                      struct fovea_error *err) {
    const struct match *m = mk->m;
    struct fovea_value *in[4] = {NULL, m->keys->in[0], m->values->in[0],
                                 fovea_node_input(m->node, 3)};
    struct fovea_node *node;
    enum fovea_status st = make_queries(mk, &in[0], err);
    if (!st) {
        st = fovea_rewrite_node(mk->graph, m->node, "fovea", "Attention", m->node->name, in,
                                in[3] ? 4 : 3, &node, err);
    }
    if (!st) {
        st = set_operands(m, node, err);
    }
    if (!st) {
        st = fovea_rewrite_finish(node, NULL, err);
    }
    if (!st) {
        *out = node->out[0];
    }
    return st;
}

/* x op constant */
static enum fovea_status make_op(const struct maker *mk, const char *type, struct fovea_value *x,
                                 struct fovea_value *constant, struct fovea_value **out,
                                 struct fovea_error *err) {
    struct fovea_node *node;
    enum fovea_status st = fovea_rewrite_node(mk->graph, mk->m->node, "", type, mk->m->values->name,
                                              (struct fovea_value *[]){x, constant}, 2, &node, err);
    if (!st) {
        st = fovea_rewrite_finish(node, NULL, err);
    }
    if (!st) {
        *out = node->out[0];
    }
    return st;
}

/* [batch, heads, 1, values] of what was pooled for each head. */
static enum fovea_status make_projection(const struct maker *mk, struct fovea_value *pooled,
                                         struct fovea_value **out, struct fovea_error *err) {
    const struct match *m = mk->m;
    int64_t heads = m->dims[HEADS], dim = m->dims[VALUE_DIM];
    struct fovea_value *w, *bias = fovea_node_input(m->values, 2), *y = NULL;
    enum fovea_status st = head_weights(mk, m->values, m->v[OFFSET], dim, false, &w, err);
    if (!st) {
        st = make_op(mk, "MatMul", pooled, w, &y, err);
    }
    if (!st && bias) {
        st = slice(mk, bias, 0, m->v[OFFSET], heads * dim, &bias, err);
    }
    if (!st && bias) {
        st = fovea_derive_reshape(mk->graph, bias, 3, (int64_t[]){heads, 1, dim}, &bias, err);
    }
    if (!st && bias) {
        st = make_op(mk, "Add", y, bias, &y, err);
    }
    *out = y;
    return st;
}

static enum fovea_status rewrite(struct fovea_graph *graph, const struct match *m,
                                 struct fovea_error *err) {
    const struct maker mk = {graph, m};
    const struct fovea_tensor *t = &m->node->out[0]->t;
    struct fovea_value *pooled, *y;
    struct fovea_node *reshape;
    enum fovea_status st = make_pooling(&mk, &pooled, err);
    if (!st) {
        st = make_projection(&mk, pooled, &y, err);
    }
    if (!st) {
        st = fovea_rewrite_reshape(graph, m->node, m->node->name, y, t->rank, t->dims, &reshape,
                                   err);
    }
    return st ? st : fovea_rewrite_finish(reshape, m->node->out[0], err);
}

enum fovea_status fovea_pass_query(struct fovea_graph *graph, struct fovea_pass_context *context,
                                   struct fovea_error *err) {
    enum fovea_status st = FOVEA_OK;
    for (struct fovea_node *node = graph->first; !st && node; node = node->next) {
        struct match match;
        const char *why;
        if (match_query(node, &match, &why)) {
            fovea_pass_hit(context, node, "of one constant query: no projections of all tokens");
            st = rewrite(graph, &match, err);
        } else if (why) {
            fovea_pass_miss(context, node, why);
        }
    }
    return st;
}
