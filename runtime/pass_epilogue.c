/*
 * epilogue: what follows a convolution or matmul is done while its result is
 * still in registers: an activation, a residual sum, a gate.
 *
 * The operator moves to where the last node it takes in stood, so that a
 * residual from another branch is ready.
 *
 * A Concat of images along their channels has no registers, but writes each
 * value once: where factors, offsets and activations follow, as in a DenseNet,
 * it becomes a Join, which does them on the way.
 */
#include "runtime/match.h"
#include "runtime/op.h"
#include "runtime/passes.h"
#include "runtime/rewrite.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Activations of one input, by operator; alpha and beta by attribute name and default. */
static const struct activation {
    const char *domain, *type;
    enum fovea_act act;
    const char *alpha_name;
    float alpha;
    const char *beta_name;
    float beta;
} activations[] = {
    {"", "Relu", FOVEA_ACT_RELU, NULL, 0, NULL, 0},
    {"", "LeakyRelu", FOVEA_ACT_LEAKY_RELU, "alpha", 0.01f, NULL, 0},
    {"", "Elu", FOVEA_ACT_ELU, "alpha", 1, NULL, 0},
    {"", "Gelu", FOVEA_ACT_GELU_ERF, NULL, 0, NULL, 0},
    {"fovea", "Gelu", FOVEA_ACT_GELU_ERF, NULL, 0, NULL, 0},
    {"", "Sigmoid", FOVEA_ACT_SIGMOID, NULL, 0, NULL, 0},
    {"", "Tanh", FOVEA_ACT_TANH, NULL, 0, NULL, 0},
    {"", "Swish", FOVEA_ACT_SWISH, "alpha", 1, NULL, 0},
    {"fovea", "Swish", FOVEA_ACT_SWISH, "alpha", 1, NULL, 0},
    {"", "HardSwish", FOVEA_ACT_HARD_SWISH, NULL, 0, NULL, 0},
    {"", "HardSigmoid", FOVEA_ACT_HARD_SIGMOID, "alpha", 0.2f, "beta", 0.5f},
};

/* Bounds of a Clip, if they are constants: infinite where absent. */
static bool clip_step(const struct fovea_node *node, struct fovea_epilogue_step *step) {
    double low = fovea_attr_float(node, "min", -INFINITY);
    double high = fovea_attr_float(node, "max", INFINITY);
    const struct fovea_value *min = fovea_node_input(node, 1), *max = fovea_node_input(node, 2);
    if (!fovea_node_is(node, "Clip") || (min && !fovea_value_scalar(min, &low)) ||
        (max && !fovea_value_scalar(max, &high)) || !(low <= high)) {
        return false;
    }
    *step = (struct fovea_epilogue_step){.kind = FOVEA_EPILOGUE_ACT,
                                         .act = FOVEA_ACT_CLIP,
                                         .alpha = (float)low,
                                         .beta = (float)high,
                                         .scale = 1};
    return true;
}

static bool activation_step(const struct fovea_node *node, struct fovea_epilogue_step *step) {
    for (size_t i = 0; i < sizeof(activations) / sizeof(activations[0]); i++) {
        const struct activation *a = &activations[i];
        if (strcmp(node->domain, a->domain) != 0 || strcmp(node->type, a->type) != 0) {
            continue;
        }
        *step = (struct fovea_epilogue_step){
            .kind = FOVEA_EPILOGUE_ACT,
            .act = a->act,
            .alpha = a->alpha_name ? fovea_attr_float(node, a->alpha_name, a->alpha) : 0,
            .beta = a->beta_name ? fovea_attr_float(node, a->beta_name, a->beta) : 0,
            .scale = 1};
        if (a->act == FOVEA_ACT_GELU_ERF &&
            strcmp(fovea_attr_string(node, "approximate", "none"), "tanh") == 0) {
            step->act = FOVEA_ACT_GELU_TANH;
        }
        return true;
    }
    return clip_step(node, step);
}

/*
 * Whether `t` meets every element of `y`, or lies along its channels alone: the
 * broadcasts that primitives do in registers. Others would take a pass of
 * their own, and elementwise operators do that better.
 */
static bool is_full_or_channels(const struct fovea_tensor *t, const struct fovea_tensor *y,
                                int channels) {
    bool full = t->rank == y->rank, along = true;
    for (int i = 0; i < t->rank; i++) {
        int axis = i + y->rank - t->rank;
        full = full && t->dims[i] == y->dims[axis];
        along = along && (t->dims[i] == 1 || axis == channels);
    }
    return full || along;
}

/* The operand of Add or Mul, if it broadcasts into the result without growing it. */
static struct fovea_value *other_operand(const struct fovea_node *node,
                                         const struct fovea_node *user) {
    const struct fovea_value *result = node->out[0];
    struct fovea_value *other = user->in[0] == result ? user->in[1] : user->in[0];
    const struct fovea_tensor *t = &other->t, *y = &result->t;
    bool joins = fovea_node_is_own(node, "Join") || fovea_node_is(node, "Concat");
    int channels = fovea_node_is(node, "Conv") || joins ? 1 : y->rank - 1;
    bool fits = other != result && t->dtype == FOVEA_F32 &&
                fovea_tensor_same_shape(&user->out[0]->t, y) && fovea_tensor_count(t) > 0;
    /* A Join takes numbers and channels only: whatever else reads as much as it writes. */
    bool few =
        other->constant && (fovea_tensor_count(t) == 1 || fovea_tensor_count(t) == y->dims[1]);
    return fits && (!joins || few) && is_full_or_channels(t, y, channels) ? other : NULL;
}

/* What epilogue step `user` is for `node`, and its operand (NULL for an activation). */
static bool step_of(const struct fovea_node *node, const struct fovea_node *user,
                    struct fovea_epilogue_step *step, struct fovea_value **operand) {
    const struct fovea_value *result = node->out[0];
    *operand = NULL;
    if (user->n_out == 1 && user->in[0] == result && activation_step(user, step)) {
        return true;
    }
    bool adds = fovea_node_is(user, "Add"), multiplies = fovea_node_is(user, "Mul");
    if (!adds && !multiplies) {
        return false;
    }
    *operand = other_operand(node, user);
    *step = (struct fovea_epilogue_step){.kind = adds ? FOVEA_EPILOGUE_ADD : FOVEA_EPILOGUE_MUL};
    return *operand != NULL;
}

/* A number that multiplies an activation is the activation's scale. */
static bool join_scale(struct fovea_node *node, const struct fovea_epilogue_step *step,
                       const struct fovea_value *operand) {
    double scalar;
    if (node->n_epilogue == 0 || step->kind != FOVEA_EPILOGUE_MUL) {
        return false;
    }
    struct fovea_epilogue_step *last = &node->epilogue[node->n_epilogue - 1];
    if (last->kind != FOVEA_EPILOGUE_ACT || !fovea_value_scalar(operand, &scalar)) {
        return false;
    }
    last->scale *= (float)scalar;
    return true;
}

static void note_taken(struct fovea_pass_context *context, const struct fovea_node *node,
                       const struct fovea_node *user) {
    char text[128];
    snprintf(text, sizeof(text), "done by '%s' (%s)", fovea_quote(node->name).text, node->type);
    fovea_pass_hit(context, user, text);
}

/* Take the only reader of the result into the epilogue. */
static enum fovea_status take_user(struct fovea_graph *graph, struct fovea_node *node,
                                   bool *changed, struct fovea_pass_context *context,
                                   struct fovea_error *err) {
    struct fovea_node *user = fovea_value_only_user(node->out[0]);
    struct fovea_epilogue_step step;
    struct fovea_value *operand;
    enum fovea_status st = FOVEA_OK;
    *changed = false;
    if (!user || !step_of(node, user, &step, &operand)) {
        return FOVEA_OK;
    }
    if (!join_scale(node, &step, operand)) {
        if (node->n_epilogue == FOVEA_MAX_EPILOGUE) {
            fovea_pass_miss(context, user, "the epilogue is full");
            return FOVEA_OK;
        }
        if (operand) {
            st = fovea_node_add_input(node, operand, &step.input, err);
        }
        if (st) {
            return st;
        }
        node->epilogue[node->n_epilogue++] = step;
    }
    fovea_graph_move_node(graph, node, user);
    note_taken(context, node, user);
    st = fovea_value_replace(graph, user->out[0], node->out[0], err);
    fovea_graph_remove_node(graph, user);
    *changed = true;
    return st;
}

/* A Concat becomes a Join if something follows that an epilogue may take. */
static enum fovea_status make_join(struct fovea_graph *graph, struct fovea_node **node,
                                   struct fovea_error *err) {
    struct fovea_node *concat = *node, *join;
    struct fovea_epilogue_step step;
    struct fovea_value *operand;
    int64_t axis = fovea_attr_int(concat, "axis", 0);
    if (!fovea_node_is(concat, "Concat") || concat->out[0]->t.rank != 4 ||
        concat->out[0]->t.dtype != FOVEA_F32 || (axis != 1 && axis != -3)) {
        return FOVEA_OK;
    }
    struct fovea_node *user = fovea_value_only_user(concat->out[0]);
    if (!user || !step_of(concat, user, &step, &operand)) {
        return FOVEA_OK;
    }
    enum fovea_status st = fovea_rewrite_node(graph, concat, "fovea", "Join", concat->name,
                                              concat->in, concat->n_in, &join, err);
    if (!st) {
        st = fovea_rewrite_finish(join, concat->out[0], err);
    }
    if (st) {
        return st;
    }
    fovea_graph_remove_node(graph, concat);
    *node = join;
    return FOVEA_OK;
}

/*
 * Bias is input 2 of the operators that have an epilogue, but for Join. It must
 * be there, present or absent, before an epilogue's operand is appended.
 */
static enum fovea_status reserve_bias(struct fovea_node *node, struct fovea_error *err) {
    int index;
    return node->n_in < 3 && node->op->max_in != FOVEA_VARIADIC
               ? fovea_node_add_input(node, NULL, &index, err)
               : FOVEA_OK;
}

enum fovea_status fovea_pass_epilogue(struct fovea_graph *graph, struct fovea_pass_context *context,
                                      struct fovea_error *err) {
    struct fovea_node *node = graph->first;
    while (node) {
        /* The node may move towards the end: what follows it now is next. */
        struct fovea_node *next = node->next;
        enum fovea_status st = make_join(graph, &node, err);
        if (st) {
            return st;
        }
        bool changed = (node->op->flags & FOVEA_OP_EPILOGUE) && node->out[0]->t.dtype == FOVEA_F32;
        st = changed ? reserve_bias(node, err) : FOVEA_OK;
        while (!st && changed) {
            struct fovea_node *user = fovea_value_only_user(node->out[0]);
            st = take_user(graph, node, &changed, context, err);
            if (changed && user == next) {
                next = node->next; /* the node that came next was taken in */
            }
        }
        if (st) {
            return st;
        }
        node = next;
    }
    return FOVEA_OK;
}
