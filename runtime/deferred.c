/* Evaluating deferred nodes: see deferred.h. */
#include "runtime/deferred.h"

#include "runtime/compute.h"
#include "runtime/deferred_order.h"
#include "runtime/op.h"
#include "runtime/plan.h"
#include "runtime/row_slabs.h"

#include <stdlib.h>
#include <string.h>

bool fovea_node_is_deferrable(const struct fovea_node *node) {
    size_t bytes = 0;
    bool reads_deferred = false;
    for (int i = 0; i < node->n_in; i++) {
        if (node->in[i]) {
            bytes += fovea_tensor_bytes(&node->in[i]->t);
            reads_deferred |= !node->in[i]->t.data;
        }
    }
    for (int i = 0; i < node->n_out; i++) {
        const struct fovea_value *out = node->out[i];
        if (out && (out->t.dtype != FOVEA_F32 || fovea_tensor_count(&out->t) == 1)) {
            return false;
        }
        bytes += out ? fovea_tensor_bytes(&out->t) : 0;
    }
    return !(node->op->flags & FOVEA_OP_SHAPE_ONLY) &&
           (reads_deferred || bytes > node->graph->defer_bytes);
}

void fovea_workspace_visit_leaves(const struct fovea_workspace *workspace,
                                  void (*visit)(void *context, const struct fovea_value *leaf),
                                  void *context) {
    for (size_t i = 0; i < workspace->n_order; i++) {
        const struct fovea_node *node = workspace->order[i];
        for (int k = 0; k < node->n_in; k++) {
            if (node->in[k] && !fovea_value_is_missing(node->in[k])) {
                visit(context, node->in[k]);
            }
        }
    }
}

/* ---- evaluating ------------------------------------------------------------- */

/* Whether output 0 of `node` can be its input's memory under another shape. */
static bool is_view(const struct fovea_node *node) {
    return (node->op->flags & FOVEA_OP_VIEW) && node->n_out == 1 &&
           node->in[0]->t.dtype == node->out[0]->t.dtype && node->in[0]->layout == FOVEA_PLAIN;
}

static bool is_made_here(const struct fovea_value *value) {
    return value->pending > 0;
}

static void *target_of(const struct fovea_value *value, const struct fovea_wanted *wanted) {
    return value->target > 0 ? wanted[value->target - 1].target : NULL;
}

/* How many inputs of `node` lie in the memory of `root`; 0 if one has another shape or order. */
static size_t readings(const struct fovea_node *node, const struct fovea_value *root) {
    const struct fovea_value *out = node->out[0];
    size_t n = 0;
    for (int i = 0; i < node->n_in; i++) {
        struct fovea_value *in = node->in[i];
        if (in && fovea_value_root(in) == root) {
            if (in->layout != out->layout || in->t.dtype != out->t.dtype ||
                !fovea_tensor_same_shape(&in->t, &out->t)) {
                return 0;
            }
            n++;
        }
    }
    return n;
}

/* An input that nothing reads after `node`, and that output 0 may be written over, or NULL. */
static struct fovea_value *dying_input(const struct fovea_node *node,
                                       const struct fovea_wanted *wanted) {
    if (!(node->op->flags & FOVEA_OP_IN_PLACE) || node->n_out != 1) {
        return NULL;
    }
    for (int i = 0; i < node->n_in; i++) {
        struct fovea_value *root = node->in[i] ? fovea_value_root(node->in[i]) : NULL;
        if (root && is_made_here(root) && !target_of(root, wanted) &&
            readings(node, root) == root->pending) {
            return node->in[i];
        }
    }
    return NULL;
}

/* Output 0 lies where `from` does. What is not made here keeps no count: others read it too. */
static void share(struct fovea_value *from, struct fovea_value *out) {
    struct fovea_value *root = fovea_value_root(from);
    out->t.data = from->t.data;
    out->alias_of = root;
    if (is_made_here(root)) {
        root->pending += out->pending;
    }
}

static void drop_reader(struct fovea_value *value, struct fovea_workspace *w) {
    struct fovea_value *root = fovea_value_root(value);
    if (is_made_here(root) && --root->pending == 0) {
        fovea_workspace_give(w, root->t.data);
    }
}

static enum fovea_status alloc_outputs(const struct fovea_node *node,
                                       const struct fovea_wanted *wanted, struct fovea_workspace *w,
                                       struct fovea_error *err) {
    for (int i = 0; i < node->n_out; i++) {
        struct fovea_value *out = node->out[i];
        if (!out) {
            continue;
        }
        out->t.data = target_of(out, wanted);
        enum fovea_status st = FOVEA_OK;
        if (!out->t.data) {
            st = fovea_workspace_take(w, fovea_tensor_bytes(&out->t), &out->t.data, err);
        }
        if (st) {
            return st;
        }
    }
    return FOVEA_OK;
}

/* Have the outputs of a node, in memory of their own or not. */
static enum fovea_status make_outputs(struct fovea_node *node, const struct fovea_wanted *wanted,
                                      struct fovea_workspace *w, struct fovea_error *err) {
    bool free_to_lie = node->out[0] && !target_of(node->out[0], wanted);
    struct fovea_value *over = free_to_lie ? dying_input(node, wanted) : NULL;
    bool view = free_to_lie && is_view(node);
    enum fovea_status st = FOVEA_OK;
    if (view || over) {
        share(view ? node->in[0] : over, node->out[0]);
    } else {
        st = alloc_outputs(node, wanted, w, err);
    }
    if (!st && !view && !w->rehearses) {
        st = fovea_node_compute(node, node->graph->engine, &node->graph->budget, err);
    }
    return st;
}

/* Let go of what an evaluated node has read, and hand over what it made. */
static enum fovea_status finish_node(const struct fovea_node *node, struct fovea_workspace *w,
                                     fovea_wanted_fn done, void *context, struct fovea_error *err) {
    enum fovea_status st = FOVEA_OK;
    for (int i = 0; i < node->n_in; i++) {
        if (node->in[i]) {
            drop_reader(node->in[i], w);
        }
    }
    for (int i = 0; !st && i < node->n_out; i++) {
        struct fovea_value *out = node->out[i];
        if (!out) {
            continue;
        }
        if (out->target > 0 && done) {
            st = done(context, out->target - 1, err);
        }
        /* One reader was counted for whoever wants it, and for nobody, who lets it go at once. */
        drop_reader(out, w);
    }
    return st;
}

/* ---- by slabs ------------------------------------------------------------------ */

/* Whether anybody but nodes of the slabs reads the output of one of them. */
static bool is_read_elsewhere(const struct fovea_slabs *slabs, const struct fovea_value *out) {
    size_t readings = 1; /* as count_readers counts */
    for (size_t i = 0; i < slabs->n; i++) {
        for (int k = 0; k < slabs->nodes[i]->n_in; k++) {
            readings += slabs->nodes[i]->in[k] == out;
        }
    }
    return out->target > 0 || out->pending != readings;
}

static enum fovea_status make_slabs(const struct fovea_slabs *slabs,
                                    const struct fovea_wanted *wanted, struct fovea_workspace *w,
                                    bool *whole, struct fovea_error *err) {
    enum fovea_status st = FOVEA_OK;
    for (size_t i = 0; !st && i < slabs->n; i++) {
        const struct fovea_node *node = slabs->nodes[i];
        whole[i] = is_read_elsewhere(slabs, node->out[0]);
        st = whole[i] ? alloc_outputs(node, wanted, w, err)
                      : fovea_workspace_take(w, fovea_slab_bytes(slabs, node),
                                             &node->out[0]->t.data, err);
    }
    return st || w->rehearses ? st : fovea_slabs_evaluate(slabs, whole, err);
}

static enum fovea_status evaluate_slabs(const struct fovea_slabs *slabs,
                                        const struct fovea_wanted *wanted,
                                        struct fovea_workspace *w, fovea_wanted_fn done,
                                        void *context, struct fovea_error *err) {
    bool *whole = calloc(slabs->n, sizeof(*whole));
    enum fovea_status st = whole ? make_slabs(slabs, wanted, w, whole, err)
                                 : fovea_fail_memory(err, slabs->n, "folding");
    free(whole);
    for (size_t i = 0; !st && i < slabs->n; i++) {
        st = finish_node(slabs->nodes[i], w, done, context, err);
    }
    return st;
}

/* Evaluate nodes from order[i] on; *i is behind them then. */
static enum fovea_status evaluate_next(struct fovea_workspace *w, size_t *i,
                                       const struct fovea_wanted *wanted, fovea_wanted_fn done,
                                       void *context, struct fovea_error *err) {
    struct fovea_node *node = w->order[*i];
    const struct fovea_slabs slabs = fovea_slabs_find(w->order + *i, w->n_order - *i);
    if (slabs.n > 0) {
        *i += slabs.n;
        return evaluate_slabs(&slabs, wanted, w, done, context, err);
    }
    ++*i;
    enum fovea_status st = make_outputs(node, wanted, w, err);
    return st ? st : finish_node(node, w, done, context, err);
}

/* Count for each value that will be made how often it is to be let go. */
static void count_readers(const struct fovea_workspace *w) {
    for (size_t i = 0; i < w->n_order; i++) {
        const struct fovea_node *node = w->order[i];
        for (int k = 0; k < node->n_out; k++) {
            if (node->out[k]) {
                node->out[k]->pending++;
            }
        }
        for (int k = 0; k < node->n_in; k++) {
            if (fovea_value_is_missing(node->in[k])) {
                node->in[k]->pending++;
            }
        }
    }
}

/* Everything that was made has no contents again. */
static void forget_all(struct fovea_workspace *w) {
    for (size_t i = 0; i < w->n_order; i++) {
        for (int k = 0; k < w->order[i]->n_out; k++) {
            struct fovea_value *out = w->order[i]->out[k];
            if (out) {
                out->t.data = NULL;
                out->alias_of = NULL;
                out->pending = 0;
            }
        }
    }
    fovea_workspace_give_all(w);
}

enum fovea_status fovea_deferred_evaluate(const struct fovea_wanted *wanted, size_t n_wanted,
                                          struct fovea_workspace *workspace, fovea_wanted_fn done,
                                          void *context, struct fovea_error *err) {
    enum fovea_status st = fovea_deferred_order(workspace, wanted, n_wanted, err);
    if (st) {
        return st;
    }
    for (size_t i = 0; i < n_wanted; i++) {
        wanted[i].value->target = i + 1;
    }
    count_readers(workspace);
    for (size_t i = 0; !st && i < workspace->n_order;) {
        st = evaluate_next(workspace, &i, wanted, done, context, err);
    }
    forget_all(workspace);
    for (size_t i = 0; i < n_wanted; i++) {
        wanted[i].value->target = 0;
    }
    return st;
}

/* Pages of a file are in memory while they are read. */
static void add_leaf(void *context, const struct fovea_value *leaf) {
    size_t *most = context, bytes = leaf->owned ? 0 : fovea_tensor_bytes(&leaf->t);
    *most = bytes > *most ? bytes : *most;
}

enum fovea_status fovea_deferred_bytes(const struct fovea_wanted *wanted, size_t n_wanted,
                                       size_t *bytes, struct fovea_error *err) {
    struct fovea_workspace rehearsal = {.rehearses = true};
    enum fovea_status st = fovea_deferred_evaluate(wanted, n_wanted, &rehearsal, NULL, NULL, err);
    if (!st) {
        size_t leaf = 0;
        fovea_workspace_visit_leaves(&rehearsal, add_leaf, &leaf);
        *bytes = rehearsal.peak_bytes + leaf;
    }
    fovea_workspace_finish(&rehearsal);
    return st;
}

/* ---- on demand -------------------------------------------------------------- */

/* Compute a constant into memory of the graph. */
static enum fovea_status materialise(struct fovea_value *value, struct fovea_budget *budget,
                                     struct fovea_error *err) {
    /* Any address will do to say that there is a target. */
    struct fovea_wanted wanted = {value, value};
    size_t bytes = fovea_tensor_bytes(&value->t), work;
    struct fovea_budget meanwhile = *budget;
    enum fovea_status st = fovea_deferred_bytes(&wanted, 1, &work, err);
    if (!st) {
        st = fovea_budget_spend(&meanwhile, bytes, "a constant", err);
    }
    if (!st) {
        st = fovea_budget_spend(&meanwhile, work, "computing a constant", err);
    }
    if (st) {
        return st;
    }
    wanted.target = fovea_aligned_alloc(bytes);
    if (!wanted.target) {
        return fovea_fail_memory(err, bytes, "a constant");
    }
    struct fovea_workspace workspace = {0};
    st = fovea_deferred_evaluate(&wanted, 1, &workspace, NULL, NULL, err);
    fovea_workspace_finish(&workspace);
    if (st) {
        free(wanted.target);
        return st;
    }
    budget->left -= bytes;
    fovea_value_set_constant(value, wanted.target, true);
    return FOVEA_OK;
}

enum fovea_status fovea_value_contents(struct fovea_value *value, struct fovea_error *err) {
    return fovea_value_is_missing(value) ? materialise(value, &value->deferred->graph->budget, err)
                                         : FOVEA_OK;
}
