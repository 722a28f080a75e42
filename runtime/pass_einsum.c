/*
 * einsum: a contraction of two operands as MatMul between transposes.
 *
 *     bqhd,bkhd->bhqk   Transpose, Transpose, MatMul
 *     abc,cde->abde     MatMul by [c, d e], Reshape
 *     abcd,cde->abe     Reshape to [a, b, c d], MatMul by [c d, e]
 *
 * Exporters of JAX models write every product so. Each label of the equation
 * is one of four kinds: batch (both operands and the result), row (the first
 * and the result), column (the second and the result), or summed (both
 * operands). The operands become [batch, rows, summed] and [batch, summed,
 * columns]; transposes that keep the order are not made.
 */
#include "runtime/infer.h"
#include "runtime/match.h"
#include "runtime/passes.h"
#include "runtime/rewrite.h"

#include <string.h>

/* Labels in an order. */
struct labels {
    char at[FOVEA_MAX_RANK];
    int n;
};

struct contraction {
    struct labels a, b, out;              /* as written */
    struct labels batch, rows, cols, sum; /* by kind */
    int64_t size[128];
};

static int find(const struct labels *labels, char label) {
    for (int i = 0; i < labels->n; i++) {
        if (labels->at[i] == label) {
            return i;
        }
    }
    return -1;
}

static void append(struct labels *to, const struct labels *more) {
    for (int i = 0; i < more->n && to->n < FOVEA_MAX_RANK; i++) {
        to->at[to->n++] = more->at[i];
    }
}

static int64_t product(const struct contraction *c, const struct labels *labels) {
    int64_t count = 1;
    for (int i = 0; i < labels->n; i++) {
        count *= c->size[(int)labels->at[i]];
    }
    return count;
}

/* Letters up to `end`, each once. */
static const char *read_term(const char *text, struct labels *out) {
    out->n = 0;
    for (; *text && *text != ',' && *text != '-'; text++) {
        bool letter = (*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z');
        if (*text == ' ') {
            continue;
        }
        if (!letter || find(out, *text) >= 0 || out->n == FOVEA_MAX_RANK) {
            return NULL;
        }
        out->at[out->n++] = *text;
    }
    return text;
}

static bool read_equation(const struct fovea_node *node, struct contraction *c) {
    const char *text = fovea_attr_string(node, "equation", "");
    text = read_term(text, &c->a);
    if (!text || *text++ != ',' || !(text = read_term(text, &c->b)) ||
        strncmp(text, "->", 2) != 0 || !(text = read_term(text + 2, &c->out)) || *text) {
        return false;
    }
    const struct labels *terms[2] = {&c->a, &c->b};
    for (int i = 0; i < 2; i++) {
        const struct fovea_tensor *t = &node->in[i]->t;
        for (int j = 0; j < terms[i]->n && t->rank == terms[i]->n; j++) {
            int64_t *size = &c->size[(int)terms[i]->at[j]];
            if (*size && *size != t->dims[j]) {
                return false; /* a dimension of 1 that is repeated */
            }
            *size = t->dims[j];
        }
    }
    return true;
}

static void add_label(struct labels *to, char label) {
    to->at[to->n++] = label;
}

/* Sort the labels by kind; false if one is of none of the four. */
static bool classify(struct contraction *c) {
    for (int i = 0; i < c->out.n; i++) {
        char label = c->out.at[i];
        if (find(&c->a, label) >= 0 && find(&c->b, label) >= 0) {
            add_label(&c->batch, label);
        }
    }
    for (int i = 0; i < c->a.n; i++) {
        if (find(&c->b, c->a.at[i]) < 0) {
            add_label(&c->rows, c->a.at[i]);
        }
    }
    for (int i = 0; i < c->b.n; i++) {
        bool in_a = find(&c->a, c->b.at[i]) >= 0, in_out = find(&c->out, c->b.at[i]) >= 0;
        if (!in_a) {
            add_label(&c->cols, c->b.at[i]);
        } else if (!in_out) {
            add_label(&c->sum, c->b.at[i]);
        }
    }
    bool all_kept = c->batch.n + c->rows.n + c->cols.n == c->out.n;
    for (int i = 0; i < c->out.n; i++) {
        all_kept &= find(&c->a, c->out.at[i]) >= 0 || find(&c->b, c->out.at[i]) >= 0;
    }
    return all_kept && c->sum.n > 0 && c->rows.n + c->batch.n > 0 &&
           c->batch.n + 2 <= FOVEA_MAX_RANK;
}

static bool match(const struct fovea_node *node, struct contraction *c) {
    memset(c, 0, sizeof(*c));
    return fovea_node_is(node, "Einsum") && node->n_in == 2 && node->out[0]->t.dtype == FOVEA_F32 &&
           read_equation(node, c) && classify(c) && fovea_tensor_count(&node->in[0]->t) > 0 &&
           fovea_tensor_count(&node->in[1]->t) > 0;
}

/* A made node's result in *value; evaluated now if its input is constant. */
static enum fovea_status settle(struct fovea_node *node, struct fovea_value **value,
                                struct fovea_error *err) {
    enum fovea_status st = fovea_rewrite_finish(node, NULL, err);
    *value = node->out[0];
    if (!st && node->in[0]->constant) {
        st = fovea_settle_node(node, err);
    }
    return st;
}

/* *value with its dimensions `from` in the order `to`. */
static enum fovea_status permute(struct fovea_node *before, const struct labels *from,
                                 const struct labels *to, struct fovea_value **value,
                                 struct fovea_error *err) {
    int64_t perm[FOVEA_MAX_RANK];
    bool moves = false;
    for (int i = 0; i < to->n; i++) {
        perm[i] = find(from, to->at[i]);
        moves |= perm[i] != i;
    }
    if (!moves) {
        return FOVEA_OK;
    }
    struct fovea_node *node;
    enum fovea_status st = fovea_rewrite_node(before->graph, before, "", "Transpose", before->name,
                                              value, 1, &node, err);
    if (!st) {
        st = fovea_rewrite_set_ints(node, "perm", perm, (size_t)to->n, err);
    }
    return st ? st : settle(node, value, err);
}

static enum fovea_status reshape(struct fovea_node *before, int rank, const int64_t *dims,
                                 struct fovea_value **value, struct fovea_error *err) {
    struct fovea_node *node;
    const struct fovea_tensor *t = &(*value)->t;
    if (t->rank == rank && memcmp(t->dims, dims, (size_t)rank * sizeof(*dims)) == 0) {
        return FOVEA_OK;
    }
    enum fovea_status st =
        fovea_rewrite_reshape(before->graph, before, before->name, *value, rank, dims, &node, err);
    return st ? st : settle(node, value, err);
}

/* The sizes of `labels` behind dims[0..n); the new n. */
static int add_sizes(const struct contraction *c, const struct labels *labels, int64_t *dims,
                     int n) {
    for (int i = 0; i < labels->n; i++) {
        dims[n++] = c->size[(int)labels->at[i]];
    }
    return n;
}

/* Operand `index` as [batch, first, second], each of the last two one dimension. */
static enum fovea_status operand(struct fovea_node *node, int index, const struct contraction *c,
                                 struct fovea_value **value, struct fovea_error *err) {
    const struct labels *first = index ? &c->sum : &c->rows, *second = index ? &c->cols : &c->sum;
    struct labels order = c->batch;
    int64_t dims[FOVEA_MAX_RANK + 2];
    int n = add_sizes(c, &c->batch, dims, 0);
    /* Without batch dimensions, rows may stay several: MatMul takes them. */
    if (index == 0 && c->batch.n == 0) {
        n = add_sizes(c, first, dims, n);
    } else {
        dims[n++] = product(c, first);
    }
    dims[n++] = product(c, second);
    append(&order, first);
    append(&order, second);
    *value = node->in[index];
    enum fovea_status st = permute(node, index ? &c->b : &c->a, &order, value, err);
    return st ? st : reshape(node, n, dims, value, err);
}

/* A bias over exactly the columns is added while they are one dimension: (x W + b). */
static enum fovea_status take_bias(struct fovea_node *node, const struct contraction *c,
                                   struct fovea_value **value, struct fovea_value **replaced,
                                   struct fovea_error *err) {
    struct fovea_node *user = fovea_value_only_user(node->out[0]);
    if (!fovea_node_is(user, "Add") || c->cols.n < 2) {
        return FOVEA_OK;
    }
    struct fovea_value *bias = user->in[0] == node->out[0] ? user->in[1] : user->in[0], *row;
    const struct fovea_tensor *t = &bias->t, *y = &node->out[0]->t;
    int64_t n = product(c, &c->cols);
    bool fits = bias->constant && t->dtype == FOVEA_F32 && t->rank >= c->cols.n &&
                t->rank <= y->rank && fovea_tensor_count(t) == n;
    for (int i = 1; fits && i <= c->cols.n; i++) {
        fits = t->dims[t->rank - i] == y->dims[y->rank - i];
    }
    if (!fits) {
        return FOVEA_OK;
    }
    struct fovea_node *add;
    enum fovea_status st = fovea_rewrite_copy(node->graph, bias, 1, &n, &row, err);
    if (!st) {
        st = fovea_rewrite_node(node->graph, node, "", "Add", user->name,
                                (struct fovea_value *[]){*value, row}, 2, &add, err);
    }
    *replaced = user->out[0];
    return st ? st : settle(add, value, err);
}

static enum fovea_status rewrite(struct fovea_graph *graph, struct fovea_node *node,
                                 const struct contraction *c, struct fovea_error *err) {
    struct fovea_value *in[2], *value, *replaced = node->out[0];
    struct fovea_node *matmul;
    struct labels made = c->batch;
    int64_t dims[FOVEA_MAX_RANK];
    append(&made, &c->rows);
    append(&made, &c->cols);
    enum fovea_status st = operand(node, 0, c, &in[0], err);
    if (!st) {
        st = operand(node, 1, c, &in[1], err);
    }
    if (!st) {
        st = fovea_rewrite_node(graph, node, "", "MatMul", node->name, in, 2, &matmul, err);
    }
    if (!st) {
        st = fovea_rewrite_finish(matmul, NULL, err);
    }
    if (st) {
        return st;
    }
    value = matmul->out[0];
    if (c->batch.n == 0 && memcmp(made.at, c->out.at, (size_t)made.n) == 0) {
        st = take_bias(node, c, &value, &replaced, err);
    }
    if (!st) {
        st = reshape(node, add_sizes(c, &made, dims, 0), dims, &value, err);
    }
    if (!st) {
        st = permute(node, &made, &c->out, &value, err);
    }
    return st ? st : fovea_value_replace(graph, replaced, value, err);
}

enum fovea_status fovea_pass_einsum(struct fovea_graph *graph, struct fovea_pass_context *context,
                                    struct fovea_error *err) {
    for (struct fovea_node *node = graph->first; node; node = node->next) {
        struct contraction contraction;
        if (!match(node, &contraction)) {
            continue;
        }
        enum fovea_status st = rewrite(graph, node, &contraction, err);
        if (st) {
            return st;
        }
        fovea_pass_hit(context, node, "a MatMul between transposes");
    }
    return FOVEA_OK;
}
