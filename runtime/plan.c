/* Placing values in the arena: see plan.h. */
#include "runtime/plan.h"

#include "runtime/op.h"
#include "runtime/space.h"

#include <stdlib.h>

struct planner {
    struct fovea_graph *graph;
    size_t *last_use; /* by value number of a root: index of the last step that reads it */
    struct fovea_space space;
};

enum { NO_STEP = 0 }; /* steps are counted from 1; graph inputs are written at step 0 */

#define UNPLACED SIZE_MAX

struct fovea_value *fovea_value_root(struct fovea_value *value) {
    while (value->alias_of) {
        value = value->alias_of;
    }
    return value;
}

size_t fovea_value_offset(const struct fovea_value *value) {
    size_t offset = value->offset;
    while (value->alias_of) {
        value = value->alias_of;
        offset += value->offset;
    }
    return offset;
}

static size_t rounded(size_t bytes) {
    size_t lines = (bytes + FOVEA_ALIGNMENT - 1) / FOVEA_ALIGNMENT;
    return (lines ? lines : 1) * FOVEA_ALIGNMENT;
}

/* ---- lifetimes ------------------------------------------------------------ */

/* A view shares its input's memory, unless that is constant or laid out otherwise. */
static bool can_alias(const struct fovea_node *node) {
    const struct fovea_value *from = node->in[0], *to = node->out[0];
    return (node->op->flags & FOVEA_OP_VIEW) && to && !from->constant &&
           fovea_tensor_bytes(&from->t) == fovea_tensor_bytes(&to->t);
}

static void make_alias(struct fovea_value *value, struct fovea_value *of, size_t offset) {
    value->alias_of = of;
    value->offset = offset;
}

/* What a node cuts or joins, and how many bytes an index of the axis has in it. */
struct whole {
    struct fovea_value *value;
    int axis;
    size_t stride;
};

/* False where parts do not lie in one piece: another dimension is outside of the axis. */
static bool find_whole(const struct fovea_node *node, struct fovea_value *value,
                       struct whole *out) {
    int64_t strides[FOVEA_MAX_RANK];
    int axis;
    if (fovea_tensor_bytes(&value->t) == 0 ||
        fovea_resolve_axis(fovea_attr_int(node, "axis", 0), value->t.rank, &axis, NULL)) {
        return false;
    }
    fovea_value_strides(value, strides);
    for (int d = 0; d < value->t.rank; d++) {
        if (d != axis && value->t.dims[d] > 1 && strides[d] > strides[axis]) {
            return false;
        }
    }
    size_t stride = (size_t)strides[axis] * fovea_dtype_size(value->t.dtype);
    *out = (struct whole){value, axis, stride};
    return true;
}

/* Kernels count on the alignment of values. */
static bool fits(const struct whole *whole, const struct fovea_value *part, size_t start) {
    return start % FOVEA_ALIGNMENT == 0 && part->layout == whole->value->layout &&
           part->t.dtype == whole->value->t.dtype;
}

/*
 * Parts that are cut share the memory of the whole, unless much of that would
 * be kept for little.
 */
static void alias_cut(const struct fovea_node *node) {
    struct whole whole;
    size_t sum = 0;
    if (node->in[0]->constant || !find_whole(node, node->in[0], &whole)) {
        return;
    }
    for (int i = 0; i < node->n_out; i++) {
        sum += node->out[i] ? fovea_tensor_bytes(&node->out[i]->t) : 0;
    }
    if (sum < fovea_tensor_bytes(&fovea_value_root(whole.value)->t) / 2) {
        return;
    }
    size_t start = 0; /* of an absent part the size is not known */
    for (int i = 0; i < node->n_out && node->out[i]; i++) {
        if (fits(&whole, node->out[i], start)) {
            make_alias(node->out[i], whole.value, start);
        }
        start += (size_t)node->out[i]->t.dims[whole.axis] * whole.stride;
    }
}

static void note_use(struct planner *p, struct fovea_value *value, size_t step) {
    if (value && !value->constant) {
        struct fovea_value *root = fovea_value_root(value);
        if (p->last_use[root->number] < step) {
            p->last_use[root->number] = step;
        }
    }
}

static void find_lifetimes(struct planner *p) {
    struct fovea_graph *graph = p->graph;
    size_t step = 0;
    for (struct fovea_node *node = graph->first; node; node = node->next) {
        step++;
        if (can_alias(node)) {
            make_alias(node->out[0], node->in[0], 0);
        }
        if (node->op->flags & FOVEA_OP_CUTS) {
            alias_cut(node);
        }
        for (int i = 0; i < node->n_in; i++) {
            note_use(p, node->in[i], step);
        }
        for (int i = 0; i < node->n_out; i++) {
            note_use(p, node->out[i], step); /* an unread output dies at once */
        }
    }
    for (size_t i = 0; i < graph->n_outputs; i++) {
        note_use(p, graph->outputs[i], step + 1);
    }
}

/*
 * Inputs that die with the node that joins them are made where they end up. The
 * whole then lives from the first of them on, and they no longer.
 */
static void alias_joined(const struct planner *p, const struct fovea_node *node, size_t step) {
    struct whole whole;
    size_t start = 0;
    if (!node->out[0] || !find_whole(node, node->out[0], &whole)) {
        return;
    }
    for (int i = 0; i < node->n_in; i++) {
        struct fovea_value *in = node->in[i], *part = fovea_value_root(in);
        bool ends = !in->constant && part->producer && p->last_use[part->number] == step;
        if (ends && fits(&whole, in, start) && part != fovea_value_root(whole.value) &&
            fovea_tensor_bytes(&part->t) == fovea_tensor_bytes(&in->t)) {
            make_alias(part, whole.value, start);
        }
        start += (size_t)in->t.dims[whole.axis] * whole.stride;
    }
}

static void find_joined(const struct planner *p) {
    size_t step = 0;
    for (struct fovea_node *node = p->graph->first; node; node = node->next) {
        step++;
        if (node->op->flags & FOVEA_OP_JOINS) {
            alias_joined(p, node, step);
        }
    }
}

/* ---- placing ---------------------------------------------------------------- */

/* Whether the step also reads the memory of input `index` in another shape or order. */
static bool is_read_otherwise(const struct fovea_node *node, int index) {
    struct fovea_value *root = fovea_value_root(node->in[index]);
    for (int i = 0; i < node->n_in; i++) {
        struct fovea_value *in = node->in[i];
        if (in && !in->constant && fovea_value_root(in) == root &&
            (in->layout != node->in[index]->layout ||
             !fovea_tensor_same_shape(&in->t, &node->in[index]->t))) {
            return true;
        }
    }
    return false;
}

/* Whether any other input of the step lies in the memory of input `index`. */
static bool is_read_twice(const struct fovea_node *node, int index) {
    struct fovea_value *root = fovea_value_root(node->in[index]);
    for (int i = 0; i < node->n_in; i++) {
        struct fovea_value *in = node->in[i];
        if (i != index && in && !in->constant && fovea_value_root(in) == root) {
            return true;
        }
    }
    return false;
}

/* Whether the step reads input `index` no later than it writes the same element of output 0. */
static bool may_overwrite(const struct fovea_node *node, int index) {
    if (node->op->flags & FOVEA_OP_IN_PLACE) {
        return !is_read_otherwise(node, index);
    }
    return node->overwritten_input == index && index > 0 && !is_read_twice(node, index);
}

/* An input that dies at `step` and that output 0 may be written over. */
static struct fovea_value *in_place_target(const struct planner *p, const struct fovea_node *node,
                                           size_t step) {
    const struct fovea_value *out = node->out[0];
    for (int i = 0; out && i < node->n_in; i++) {
        struct fovea_value *in = node->in[i];
        if (!in || in->constant || in->t.dtype != out->t.dtype || in->layout != out->layout ||
            !fovea_tensor_same_shape(&in->t, &out->t) || !may_overwrite(node, i)) {
            continue;
        }
        struct fovea_value *root = fovea_value_root(in);
        if (p->last_use[root->number] == step &&
            fovea_tensor_bytes(&root->t) == fovea_tensor_bytes(&out->t)) {
            return root;
        }
    }
    return NULL;
}

static void place(struct planner *p, struct fovea_value *value) {
    value->offset = fovea_space_take(&p->space, rounded(fovea_tensor_bytes(&value->t)));
}

static enum fovea_status free_if_dead(struct planner *p, struct fovea_value *value, size_t step,
                                      struct fovea_error *err) {
    if (!value || value->constant || value->alias_of || p->last_use[value->number] != step) {
        return FOVEA_OK;
    }
    p->last_use[value->number] = NO_STEP; /* freed once, however often it is read */
    return fovea_space_release(&p->space, value->offset, rounded(fovea_tensor_bytes(&value->t)),
                               err);
}

static enum fovea_status place_step(struct planner *p, struct fovea_node *node, size_t step,
                                    struct fovea_error *err) {
    struct fovea_value *target = in_place_target(p, node, step);
    if (target && !node->out[0]->alias_of) {
        /* The output takes the root's place and its lifetime. */
        make_alias(node->out[0], target, 0);
        p->last_use[target->number] = p->last_use[node->out[0]->number];
    }
    for (int i = 0; i < node->n_out; i++) {
        struct fovea_value *root = node->out[i] ? fovea_value_root(node->out[i]) : NULL;
        if (root && root->offset == UNPLACED) {
            place(p, root);
        }
    }
    enum fovea_status st = FOVEA_OK;
    for (int i = 0; !st && i < node->n_in; i++) {
        if (node->in[i] && !node->in[i]->constant) {
            st = free_if_dead(p, fovea_value_root(node->in[i]), step, err);
        }
    }
    for (int i = 0; !st && i < node->n_out; i++) {
        if (node->out[i]) {
            st = free_if_dead(p, fovea_value_root(node->out[i]), step, err);
        }
    }
    return st;
}

static enum fovea_status place_all(struct planner *p, struct fovea_error *err) {
    struct fovea_graph *graph = p->graph;
    for (size_t i = 0; i < graph->n_inputs; i++) {
        if (!graph->inputs[i]->constant) {
            place(p, graph->inputs[i]);
        }
    }
    size_t step = 0;
    for (struct fovea_node *node = graph->first; node; node = node->next) {
        enum fovea_status st = place_step(p, node, ++step, err);
        if (st) {
            return st;
        }
    }
    return FOVEA_OK;
}

static void add_up(const struct fovea_graph *graph, struct fovea_plan *plan) {
    for (const struct fovea_node *node = graph->first; node; node = node->next) {
        plan->n_steps++;
        plan->packed_bytes += node->packed_bytes;
        if (node->scratch_bytes > plan->scratch_bytes) {
            plan->scratch_bytes = node->scratch_bytes;
        }
    }
    for (const struct fovea_value *value = graph->values; value; value = value->next) {
        if (value->constant && fovea_value_is_read(value) && !fovea_value_is_packed(value)) {
            size_t bytes = fovea_tensor_bytes(&value->t);
            plan->constant_bytes += bytes;
            plan->mapped_bytes += value->t.data && !value->owned ? bytes : 0;
        }
    }
}

size_t fovea_plan_bytes(const struct fovea_plan *plan) {
    return plan->arena_bytes + plan->scratch_bytes;
}

size_t fovea_plan_peak(const struct fovea_plan *plan) {
    size_t run = fovea_plan_bytes(plan) + plan->mapped_bytes;
    return plan->base_bytes + plan->new_bytes +
           (run > plan->transient_bytes ? run : plan->transient_bytes);
}

enum fovea_status fovea_plan_graph(struct fovea_graph *graph, struct fovea_plan *out,
                                   struct fovea_error *err) {
    struct planner p = {.graph = graph};
    p.last_use = calloc(graph->n_values + 1, sizeof(*p.last_use));
    if (!p.last_use) {
        return fovea_fail_memory(err, (graph->n_values + 1) * sizeof(*p.last_use), "a plan");
    }
    for (struct fovea_value *value = graph->values; value; value = value->next) {
        make_alias(value, NULL, UNPLACED);
    }
    find_lifetimes(&p);
    find_joined(&p);
    enum fovea_status st = place_all(&p, err);
    if (!st) {
        struct fovea_plan plan = {.arena_bytes = p.space.end};
        add_up(graph, &plan);
        *out = plan;
    }
    fovea_space_finish(&p.space);
    free(p.last_use);
    return st;
}
