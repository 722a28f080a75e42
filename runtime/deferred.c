/* Evaluating deferred nodes: see deferred.h. */
#include "runtime/deferred.h"

#include "runtime/compute.h"
#include "runtime/op.h"
#include "runtime/pages.h"

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

/* Whether `value` is a constant whose contents are still to be computed. */
static bool is_missing(const struct fovea_value *value) {
    return value && value->deferred && !value->t.data;
}

/* ---- memory --------------------------------------------------------------- */

static struct fovea_block *find_block(struct fovea_workspace *w, const void *data) {
    for (size_t i = 0; i < w->n_blocks; i++) {
        if (w->blocks[i].data == data) {
            return &w->blocks[i];
        }
    }
    return NULL;
}

static void free_block(struct fovea_workspace *w, const struct fovea_block *block) {
    w->bytes -= block->bytes;
    if (!w->rehearses) {
        fovea_pages_free(block->data, block->bytes);
    }
}

/* Blocks that lie idle are given up before a larger one is made. */
static void free_idle(struct fovea_workspace *w) {
    size_t kept = 0;
    for (size_t i = 0; i < w->n_blocks; i++) {
        if (w->blocks[i].used) {
            w->blocks[kept++] = w->blocks[i];
        } else {
            free_block(w, &w->blocks[i]);
        }
    }
    w->n_blocks = kept;
}

static enum fovea_status add_block(struct fovea_workspace *w, size_t bytes, void **out,
                                   struct fovea_error *err) {
    if (w->n_blocks == w->cap_blocks) {
        size_t cap = w->cap_blocks ? 2 * w->cap_blocks : 8;
        struct fovea_block *blocks = realloc(w->blocks, cap * sizeof(*blocks));
        if (!blocks) {
            return fovea_fail_memory(err, cap * sizeof(*blocks), "folding");
        }
        w->blocks = blocks;
        w->cap_blocks = cap;
    }
    /* In a rehearsal addresses are only names, told apart by how many there have been. */
    void *data = w->rehearses ? (void *)++w->n_rehearsed : fovea_pages_alloc(bytes);
    if (!data) {
        return fovea_fail_memory(err, bytes, "a folded constant");
    }
    w->blocks[w->n_blocks++] = (struct fovea_block){data, bytes, true};
    w->bytes += bytes;
    w->peak_bytes = w->bytes > w->peak_bytes ? w->bytes : w->peak_bytes;
    *out = data;
    return FOVEA_OK;
}

static enum fovea_status take_block(struct fovea_workspace *w, size_t bytes, void **out,
                                    struct fovea_error *err) {
    struct fovea_block *best = NULL;
    for (size_t i = 0; i < w->n_blocks; i++) {
        struct fovea_block *block = &w->blocks[i];
        if (!block->used && block->bytes >= bytes && (!best || block->bytes < best->bytes)) {
            best = block;
        }
    }
    if (best) {
        best->used = true;
        *out = best->data;
        return FOVEA_OK;
    }
    free_idle(w);
    return add_block(w, bytes, out, err);
}

void fovea_workspace_finish(struct fovea_workspace *w) {
    for (size_t i = 0; i < w->n_blocks; i++) {
        free_block(w, &w->blocks[i]);
    }
    free(w->blocks);
    free(w->stack);
    free(w->order);
    memset(w, 0, sizeof(*w));
}

/* ---- in which order --------------------------------------------------------- */

static enum fovea_status push(struct fovea_node ***list, size_t *n, size_t *cap,
                              struct fovea_node *node, struct fovea_error *err) {
    if (*n == *cap) {
        size_t more = *cap ? 2 * *cap : 32;
        struct fovea_node **longer = realloc(*list, more * sizeof(*longer));
        if (!longer) {
            return fovea_fail_memory(err, more * sizeof(*longer), "folding");
        }
        *list = longer;
        *cap = more;
    }
    (*list)[(*n)++] = node;
    return FOVEA_OK;
}

enum { UNSEEN, OPEN, LISTED };

static enum fovea_status open_node(struct fovea_workspace *w, struct fovea_node *node,
                                   struct fovea_error *err) {
    node->visits = OPEN;
    for (int i = node->n_in - 1; i >= 0; i--) {
        struct fovea_value *in = node->in[i];
        if (is_missing(in) && in->deferred->visits == UNSEEN) {
            enum fovea_status st = push(&w->stack, &w->n_stack, &w->cap_stack, in->deferred, err);
            if (st) {
                return st;
            }
        }
    }
    return FOVEA_OK;
}

/* Search what `value` depends on, without recursion, into w->order: operands first. */
static enum fovea_status find_order(struct fovea_workspace *w, const struct fovea_value *value,
                                    struct fovea_error *err) {
    w->n_order = w->n_stack = 0;
    enum fovea_status st = push(&w->stack, &w->n_stack, &w->cap_stack, value->deferred, err);
    while (!st && w->n_stack > 0) {
        struct fovea_node *node = w->stack[w->n_stack - 1];
        if (node->visits == UNSEEN) {
            st = open_node(w, node, err);
            continue;
        }
        w->n_stack--;
        if (node->visits == OPEN) {
            node->visits = LISTED;
            st = push(&w->order, &w->n_order, &w->cap_order, node, err);
        }
    }
    for (size_t i = 0; i < w->n_stack; i++) {
        w->stack[i]->visits = UNSEEN;
    }
    for (size_t i = 0; i < w->n_order; i++) {
        w->order[i]->visits = UNSEEN;
    }
    return st;
}

void fovea_workspace_visit_leaves(const struct fovea_workspace *workspace,
                                  void (*visit)(void *context, const struct fovea_value *leaf),
                                  void *context) {
    for (size_t i = 0; i < workspace->n_order; i++) {
        const struct fovea_node *node = workspace->order[i];
        for (int k = 0; k < node->n_in; k++) {
            if (node->in[k] && !is_missing(node->in[k])) {
                visit(context, node->in[k]);
            }
        }
    }
}

/* ---- evaluating ------------------------------------------------------------- */

static struct fovea_value *root_of(struct fovea_value *value) {
    while (value->alias_of) {
        value = value->alias_of;
    }
    return value;
}

/* Count for each value that will be made how many steps of the order read it. */
static void count_readers(const struct fovea_workspace *w) {
    for (size_t i = 0; i < w->n_order; i++) {
        const struct fovea_node *node = w->order[i];
        for (int k = 0; k < node->n_out; k++) {
            if (node->out[k]) {
                node->out[k]->pending = 0;
            }
        }
        for (int k = 0; k < node->n_in; k++) {
            if (is_missing(node->in[k])) {
                node->in[k]->pending++;
            }
        }
    }
}

/* Whether output 0 of `node` can be its input's memory under another shape. */
static bool is_view(const struct fovea_node *node, const struct fovea_value *target) {
    return (node->op->flags & FOVEA_OP_VIEW) && node->out[0] != target && node->n_out == 1 &&
           node->in[0]->t.dtype == node->out[0]->t.dtype && node->in[0]->layout == FOVEA_PLAIN;
}

static bool is_made_here(const struct fovea_value *value) {
    return value->pending > 0;
}

/* How many inputs of `node` lie in the memory of `root`; 0 if one has another shape or order. */
static size_t readings(const struct fovea_node *node, const struct fovea_value *root) {
    const struct fovea_value *out = node->out[0];
    size_t n = 0;
    for (int i = 0; i < node->n_in; i++) {
        struct fovea_value *in = node->in[i];
        if (in && root_of(in) == root) {
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
static struct fovea_value *dying_input(const struct fovea_node *node) {
    if (!(node->op->flags & FOVEA_OP_IN_PLACE) || node->n_out != 1) {
        return NULL;
    }
    for (int i = 0; i < node->n_in; i++) {
        struct fovea_value *root = node->in[i] ? root_of(node->in[i]) : NULL;
        if (root && is_made_here(root) && readings(node, root) == root->pending) {
            return node->in[i];
        }
    }
    return NULL;
}

/* Output 0 lies where `from` does. What is not made here keeps no count: others read it too. */
static void share(struct fovea_value *from, struct fovea_value *out) {
    struct fovea_value *root = root_of(from);
    out->t.data = from->t.data;
    out->alias_of = root;
    if (is_made_here(root)) {
        root->pending += out->pending;
    }
}

static void drop_reader(struct fovea_value *value, struct fovea_workspace *w) {
    struct fovea_value *root = root_of(value);
    if (is_made_here(root) && --root->pending == 0) {
        struct fovea_block *block = find_block(w, root->t.data);
        if (block) {
            block->used = false;
        }
    }
}

static enum fovea_status alloc_outputs(const struct fovea_node *node,
                                       const struct fovea_value *target, void *memory,
                                       struct fovea_workspace *w, struct fovea_error *err) {
    for (int i = 0; i < node->n_out; i++) {
        struct fovea_value *out = node->out[i];
        if (!out) {
            continue;
        }
        if (out == target && memory) {
            out->t.data = memory;
            continue;
        }
        enum fovea_status st = take_block(w, fovea_tensor_bytes(&out->t), &out->t.data, err);
        if (st) {
            return st;
        }
    }
    return FOVEA_OK;
}

static enum fovea_status evaluate_node(struct fovea_node *node, const struct fovea_value *target,
                                       void *memory, struct fovea_workspace *w,
                                       struct fovea_error *err) {
    enum fovea_status st = FOVEA_OK;
    struct fovea_value *over = node->out[0] == target && memory ? NULL : dying_input(node);
    bool view = is_view(node, memory ? target : NULL);
    if (view || over) {
        share(view ? node->in[0] : over, node->out[0]);
    } else {
        st = alloc_outputs(node, target, memory, w, err);
    }
    if (!st && !view && !w->rehearses) {
        st = fovea_node_compute(node, node->graph->engine, &node->graph->budget, err);
    }
    for (int i = 0; i < node->n_in; i++) {
        if (node->in[i]) {
            drop_reader(node->in[i], w);
        }
    }
    for (int i = 0; i < node->n_out; i++) {
        struct fovea_block *unread =
            node->out[i] && node->out[i]->pending == 0 ? find_block(w, node->out[i]->t.data) : NULL;
        if (unread && !node->out[i]->alias_of) {
            unread->used = false;
        }
    }
    return st;
}

/* Everything that was made has no contents again, but for `kept`. */
static void forget_all_but(const struct fovea_value *kept, const struct fovea_workspace *w) {
    for (size_t i = 0; i < w->n_order; i++) {
        for (int k = 0; k < w->order[i]->n_out; k++) {
            struct fovea_value *out = w->order[i]->out[k];
            if (out && out != kept) {
                out->t.data = NULL;
                out->alias_of = NULL;
                out->pending = 0;
            }
        }
    }
}

enum fovea_status fovea_deferred_evaluate(struct fovea_value *value,
                                          struct fovea_workspace *workspace, void *target,
                                          struct fovea_error *err) {
    enum fovea_status st = find_order(workspace, value, err);
    if (st) {
        return st;
    }
    count_readers(workspace);
    value->pending++; /* the caller */
    for (size_t i = 0; !st && i < workspace->n_order; i++) {
        st = evaluate_node(workspace->order[i], value, target, workspace, err);
    }
    forget_all_but(value, workspace);
    if (st) {
        fovea_deferred_forget(value, workspace);
        for (size_t i = 0; i < workspace->n_blocks; i++) {
            workspace->blocks[i].used = false;
        }
    }
    return st;
}

void fovea_deferred_forget(struct fovea_value *value, struct fovea_workspace *workspace) {
    struct fovea_block *block = find_block(workspace, value->t.data);
    if (block) {
        block->used = false;
    }
    value->t.data = NULL;
    value->alias_of = NULL;
    value->pending = 0;
}

enum fovea_status fovea_deferred_bytes(struct fovea_value *value, bool has_target, size_t *bytes,
                                       struct fovea_error *err) {
    struct fovea_workspace rehearsal = {.rehearses = true};
    enum fovea_status st = FOVEA_OK;
    if (is_missing(value)) {
        st = fovea_deferred_evaluate(value, &rehearsal, has_target ? &rehearsal : NULL, err);
    }
    if (!st && rehearsal.n_order > 0) {
        fovea_deferred_forget(value, &rehearsal);
    }
    if (!st) {
        *bytes = rehearsal.peak_bytes;
    }
    fovea_workspace_finish(&rehearsal);
    return st;
}

/* ---- on demand -------------------------------------------------------------- */

/* Compute a constant into memory of the graph. */
static enum fovea_status materialise(struct fovea_value *value, struct fovea_budget *budget,
                                     struct fovea_error *err) {
    size_t bytes = fovea_tensor_bytes(&value->t), work;
    enum fovea_status st = fovea_deferred_bytes(value, true, &work, err);
    struct fovea_budget meanwhile = *budget;
    if (!st) {
        st = fovea_budget_spend(&meanwhile, bytes, "a constant", err);
    }
    if (!st) {
        st = fovea_budget_spend(&meanwhile, work, "computing a constant", err);
    }
    if (st) {
        return st;
    }
    void *data = fovea_aligned_alloc(bytes);
    if (!data) {
        return fovea_fail_memory(err, bytes, "a constant");
    }
    struct fovea_workspace workspace = {0};
    st = fovea_deferred_evaluate(value, &workspace, data, err);
    fovea_workspace_finish(&workspace);
    if (st) {
        free(data);
        return st;
    }
    value->pending = 0;
    budget->left -= bytes;
    fovea_value_set_constant(value, data, true);
    return FOVEA_OK;
}

enum fovea_status fovea_value_contents(struct fovea_value *value, struct fovea_error *err) {
    return is_missing(value) ? materialise(value, &value->deferred->graph->budget, err) : FOVEA_OK;
}
