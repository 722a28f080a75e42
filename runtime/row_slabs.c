/* Evaluating nodes slab by slab: see row_slabs.h. */
#include "runtime/row_slabs.h"

#include "runtime/compute.h"
#include "runtime/op.h"

#include <stdlib.h>

enum {
    SLAB_BYTES = 128 * 1024, /* of the largest value: a handful of them fit a second cache */
    LEAST_SLABS = 2,
};

/* An operand of a node as the node sees it meanwhile: a copy, with the rows of a slab. */
struct operand {
    struct fovea_value *own, value;
    unsigned char *first; /* contents of row 0 */
    size_t step;          /* bytes from a row to the next; 0: there is memory for a slab only */
    bool by_rows;
};

struct step {
    struct fovea_node *node;
    struct operand *operands; /* its inputs, then its output */
};

struct evaluation {
    const struct fovea_slabs *slabs;
    struct step *steps;
    struct operand *operands; /* of all steps */
    void *scratch;
    size_t scratch_bytes;
};

/* ---- which nodes ----------------------------------------------------------- */

static int64_t rows_of(const struct fovea_value *value) {
    return value->t.rank > 0 ? value->t.dims[0] : 0;
}

static size_t row_bytes(const struct fovea_value *value) {
    return fovea_tensor_bytes(&value->t) / (size_t)rows_of(value);
}

/* Rows of `in` belong to rows of `out`; else all of it is read for any of them. */
static bool is_by_rows(const struct fovea_value *in, const struct fovea_value *out) {
    return in->t.rank == out->t.rank && rows_of(in) == rows_of(out);
}

static bool joins(const struct fovea_node *node, const struct fovea_value *first) {
    const struct fovea_value *out = node->n_out == 1 ? node->out[0] : NULL;
    if (!(node->op->flags & FOVEA_OP_BY_ROWS) || node->n_epilogue > 0 || !out ||
        !is_by_rows(out, first) || out->layout != FOVEA_PLAIN) {
        return false;
    }
    for (int i = 0; i < node->n_in; i++) {
        const struct fovea_value *in = node->in[i];
        if (in && (in->t.rank > out->t.rank || in->layout != FOVEA_PLAIN)) {
            return false;
        }
    }
    return true;
}

static size_t widest_row(const struct fovea_node *node) {
    size_t most = row_bytes(node->out[0]);
    for (int i = 0; i < node->n_in; i++) {
        if (node->in[i] && is_by_rows(node->in[i], node->out[0])) {
            size_t bytes = row_bytes(node->in[i]);
            most = bytes > most ? bytes : most;
        }
    }
    return most;
}

struct fovea_slabs fovea_slabs_find(struct fovea_node *const *nodes, size_t n) {
    struct fovea_slabs slabs = {.nodes = nodes};
    const struct fovea_value *first = nodes[0]->n_out == 1 ? nodes[0]->out[0] : NULL;
    size_t most = 1;
    if (!first || rows_of(first) < 2) {
        return slabs;
    }
    for (; slabs.n < n && joins(nodes[slabs.n], first); slabs.n++) {
        size_t bytes = widest_row(nodes[slabs.n]);
        most = bytes > most ? bytes : most;
    }
    slabs.rows = most < SLAB_BYTES ? (int64_t)(SLAB_BYTES / most) : 1;
    if (slabs.n < 2 || rows_of(first) < LEAST_SLABS * slabs.rows) {
        slabs.n = 0;
    }
    return slabs;
}

size_t fovea_slab_bytes(const struct fovea_slabs *slabs, const struct fovea_node *node) {
    return row_bytes(node->out[0]) * (size_t)slabs->rows;
}

/* ---- operands in the place of the nodes' own ---------------------------------- */

static void take_operand(struct operand *o, struct fovea_value **at,
                         const struct fovea_value *out) {
    *o = (struct operand){.own = *at};
    if (!*at) {
        return;
    }
    o->value = **at;
    o->first = (*at)->t.data;
    o->by_rows = is_by_rows(*at, out);
    o->step = o->by_rows ? row_bytes(*at) : 0;
    *at = &o->value;
}

static void exchange(struct evaluation *e) {
    struct operand *next = e->operands;
    for (size_t i = 0; i < e->slabs->n; i++) {
        struct fovea_node *node = e->slabs->nodes[i];
        const struct fovea_value *out = node->out[0];
        e->steps[i] = (struct step){node, next};
        for (int k = 0; k < node->n_in; k++) {
            take_operand(next++, &node->in[k], out);
        }
        take_operand(next++, &node->out[0], out);
    }
}

/* What lies in memory of a slab, lies there for whoever reads it, too. */
static void mark_short(struct evaluation *e, const bool *whole) {
    for (size_t i = 0; i < e->slabs->n; i++) {
        const struct step *step = &e->steps[i];
        const struct fovea_value *out = step->operands[step->node->n_in].own;
        for (size_t j = i; !whole[i] && j < e->slabs->n; j++) {
            for (int k = 0; k <= e->steps[j].node->n_in; k++) {
                struct operand *o = &e->steps[j].operands[k];
                o->step = o->own == out ? 0 : o->step;
            }
        }
    }
}

static void restore(struct evaluation *e) {
    for (size_t i = 0; i < e->slabs->n; i++) {
        const struct step *step = &e->steps[i];
        for (int k = 0; k < step->node->n_in; k++) {
            step->node->in[k] = step->operands[k].own;
        }
        step->node->out[0] = step->operands[step->node->n_in].own;
    }
}

/* ---- running -------------------------------------------------------------------- */

static void move_to(struct evaluation *e, int64_t begin, int64_t rows) {
    for (size_t i = 0; i < e->slabs->n; i++) {
        const struct step *step = &e->steps[i];
        for (int k = 0; k <= step->node->n_in; k++) {
            struct operand *o = &step->operands[k];
            if (o->own && o->by_rows) {
                o->value.t.dims[0] = rows;
                o->value.t.data = o->first + (size_t)begin * o->step;
            }
        }
    }
}

static void release(const struct evaluation *e) {
    for (size_t i = 0; i < e->slabs->n; i++) {
        struct fovea_node *node = e->slabs->nodes[i];
        if (node->prepared && node->op->release) {
            node->op->release(node);
        }
        node->prepared = false;
    }
}

/* Prepare all nodes for the rows that their operands have. */
static enum fovea_status prepare(struct evaluation *e, struct fovea_error *err) {
    for (size_t i = 0; i < e->slabs->n; i++) {
        struct fovea_node *node = e->slabs->nodes[i];
        enum fovea_status st =
            fovea_node_prepare(node, node->graph->engine, &node->graph->budget, err);
        if (st) {
            fovea_error_prefix_node(err, node);
            return st;
        }
        if (node->scratch_bytes > e->scratch_bytes) {
            free(e->scratch);
            e->scratch_bytes = node->scratch_bytes;
            e->scratch = fovea_aligned_alloc(e->scratch_bytes);
        }
        if (e->scratch_bytes > 0 && !e->scratch) {
            return fovea_fail_memory(err, e->scratch_bytes, "scratch");
        }
    }
    return FOVEA_OK;
}

static enum fovea_status run(const struct evaluation *e, struct fovea_error *err) {
    enum fovea_status st = FOVEA_OK;
    for (size_t i = 0; !st && i < e->slabs->n; i++) {
        const struct fovea_node *node = e->slabs->nodes[i];
        const struct fovea_run with = {.engine = node->graph->engine, .scratch = e->scratch};
        st = node->op->run(node, &with, err);
        if (st) {
            fovea_error_prefix_node(err, node);
        }
    }
    return st;
}

static enum fovea_status run_all(struct evaluation *e, int64_t n_rows, struct fovea_error *err) {
    enum fovea_status st = FOVEA_OK;
    int64_t prepared = 0;
    for (int64_t begin = 0; !st && begin < n_rows; begin += e->slabs->rows) {
        int64_t left = n_rows - begin, rows = left < e->slabs->rows ? left : e->slabs->rows;
        move_to(e, begin, rows);
        if (rows != prepared) {
            release(e);
            st = prepare(e, err);
            prepared = rows;
        }
        st = st ? st : run(e, err);
    }
    release(e);
    return st;
}

enum fovea_status fovea_slabs_evaluate(const struct fovea_slabs *slabs, const bool *whole,
                                       struct fovea_error *err) {
    size_t n_operands = 0;
    for (size_t i = 0; i < slabs->n; i++) {
        n_operands += (size_t)slabs->nodes[i]->n_in + 1;
    }
    struct evaluation e = {.slabs = slabs};
    e.steps = calloc(slabs->n, sizeof(*e.steps));
    e.operands = calloc(n_operands, sizeof(*e.operands));
    enum fovea_status st = FOVEA_OK;
    if (!e.steps || !e.operands) {
        st = fovea_fail_memory(err, n_operands * sizeof(*e.operands), "folding");
    } else {
        int64_t rows = rows_of(slabs->nodes[0]->out[0]);
        exchange(&e);
        mark_short(&e, whole);
        st = run_all(&e, rows, err);
        restore(&e);
    }
    free(e.scratch);
    free(e.operands);
    free(e.steps);
    return st;
}
