/* Geometry, tiles and registers of an elementwise program: see elementwise_plan.h. */
#include "ops/elementwise_plan.h"

#include <stdlib.h>
#include <string.h>

enum {
    TILE_MOST = 1024, /* elements */
    SHORT_ROW = 128,  /* rows below this many elements are gathered, several to a tile */
};

/* ---- geometry ------------------------------------------------------------- */

/* The last step that reads `value`; -1: none does. */
static int last_use(const struct fovea_elementwise *e, int value) {
    int last = -1;
    for (int s = 0; s < e->n_steps; s++) {
        for (int k = 0; k < e->steps[s].n_args; k++) {
            last = e->steps[s].arg[k] == value ? s : last;
        }
    }
    return last;
}

static const struct fovea_value *first_output(const struct fovea_node *node) {
    for (int i = 0; i < node->n_out; i++) {
        if (node->out[i]) {
            return node->out[i];
        }
    }
    return NULL;
}

/* Strides of an input for each dimension of the result, 0 where it is broadcast. */
static void broadcast_strides(const struct fovea_value *in, const struct fovea_tensor *out,
                              int axis, int64_t *strides) {
    int64_t own[FOVEA_MAX_RANK];
    fovea_value_strides(in, own);
    memset(strides, 0, FOVEA_MAX_RANK * sizeof(*strides));
    if (axis >= 0) {
        strides[axis] = in->t.rank == 1 && in->t.dims[0] > 1 ? 1 : 0;
        return;
    }
    int missing = out->rank - in->t.rank;
    for (int d = 0; d < in->t.rank; d++) {
        if (missing + d >= 0) { /* a bound of shape [1] against a scalar has one more */
            strides[missing + d] = in->t.dims[d] == 1 ? 0 : own[d];
        }
    }
}

/* Dimension `d` of all operands continues in `next` as if they were one. */
static bool mergeable(const struct fovea_elementwise *e, int d, int64_t next_dim, int next) {
    for (int i = 0; i < e->n_inputs; i++) {
        const struct fovea_operand *o = &e->operands[i];
        if (o->present && o->strides[d] != o->strides[next] * next_dim) {
            return false;
        }
    }
    return true;
}

static void move_dim(struct fovea_elementwise *e, int from, int to) {
    for (int i = 0; i < e->n_inputs; i++) {
        e->operands[i].strides[to] = e->operands[i].strides[from];
    }
}

/* Drop dimensions of 1 and merge neighbours; e->dims and strides are in memory order. */
static void merge_dims(struct fovea_elementwise *e) {
    int rank = 0;
    for (int d = 0; d < e->rank; d++) {
        if (e->dims[d] == 1) {
            continue;
        }
        if (rank > 0 && mergeable(e, rank - 1, e->dims[d], d)) {
            e->dims[rank - 1] *= e->dims[d];
            move_dim(e, d, rank - 1);
            continue;
        }
        e->dims[rank] = e->dims[d];
        move_dim(e, d, rank);
        rank++;
    }
    if (rank == 0) {
        e->dims[0] = 1;
        move_dim(e, 0, 0);
        rank = 1;
    }
    e->rank = rank;
}

static void mark_linear(struct fovea_elementwise *e) {
    for (int i = 0; i < e->n_inputs; i++) {
        struct fovea_operand *o = &e->operands[i];
        int64_t stride = 1;
        o->linear = o->present;
        for (int d = e->rank - 1; d >= 0; d--) {
            o->linear &= o->strides[d] == stride || e->dims[d] == 1;
            stride *= e->dims[d];
        }
    }
}

static void set_geometry(struct fovea_elementwise *e, const struct fovea_node *node,
                         const int *axes) {
    const struct fovea_value *out = first_output(node);
    static const int channels_last[4] = {0, 2, 3, 1};
    bool permuted = out->layout == FOVEA_CHANNELS_LAST && out->t.rank == 4;
    e->rank = out->t.rank;
    e->count = fovea_tensor_count(&out->t);
    for (int d = 0; d < e->rank; d++) {
        e->dims[d] = out->t.dims[permuted ? channels_last[d] : d];
    }
    for (int i = 0; i < e->n_inputs; i++) {
        int64_t strides[FOVEA_MAX_RANK];
        /* What is not read, such as CastLike's second input, need not have a shape that fits. */
        e->operands[i].present = node->in[i] && last_use(e, i) >= 0;
        if (!e->operands[i].present) {
            continue;
        }
        e->operands[i].stored = node->in[i]->t.dtype;
        broadcast_strides(node->in[i], &out->t, axes ? axes[i] : -1, strides);
        for (int d = 0; d < e->rank; d++) {
            e->operands[i].strides[d] = strides[permuted ? channels_last[d] : d];
        }
    }
    merge_dims(e);
    mark_linear(e);
}

/* Tiles are equal parts of a row; rows are the last dimension, or everything if that is short. */
static void set_tiles(struct fovea_elementwise *e) {
    size_t widest = 1;
    for (int i = 0; i < e->n_values; i++) {
        widest = e->slots[i].size > widest ? e->slots[i].size : widest;
    }
    int64_t most = (int64_t)(FOVEA_TILE_BYTES / widest);
    most = most > TILE_MOST ? TILE_MOST : most;
    e->row = e->dims[e->rank - 1];
    if (e->row < SHORT_ROW) {
        e->row = e->count;
    }
    int64_t n = (e->row + most - 1) / most;
    e->tile = n > 0 ? (e->row + n - 1) / n : 1;
    e->tiles_per_row = n > 0 ? (e->row + e->tile - 1) / e->tile : 1;
}

/* ---- registers ------------------------------------------------------------ */

/*
 * An output may share memory with an input of its shape. It may be written as
 * soon as it is known if no later step reads such an input.
 */
static bool reads_inputs_after(const struct fovea_elementwise *e, int step) {
    for (int s = step + 1; s < e->n_steps; s++) {
        for (int k = 0; k < e->steps[s].n_args; k++) {
            int value = e->steps[s].arg[k];
            if (value < e->n_inputs && e->operands[value].linear) {
                return true;
            }
        }
    }
    return false;
}

static void place_result(struct fovea_elementwise *e, int step, bool *busy) {
    struct fovea_slot *slot = &e->slots[e->steps[step].result];
    for (int o = 0; o < e->n_outputs; o++) {
        bool as_it_is = e->stored[o] == slot->type;
        if (e->outputs[o] == e->steps[step].result && as_it_is && !reads_inputs_after(e, step)) {
            *slot = (struct fovea_slot){FOVEA_IN_OUTPUT, o, slot->type, slot->size};
            return;
        }
    }
    int r = 0;
    while (busy[r]) {
        r++;
    }
    busy[r] = true;
    slot->place = FOVEA_IN_REGISTER;
    slot->index = r;
    e->n_registers = r + 1 > e->n_registers ? r + 1 : e->n_registers;
}

/* Values that an output copies at the end of the tile stay; others go after their last use. */
static void release_args(struct fovea_elementwise *e, int step, bool *busy) {
    for (int k = 0; k < e->steps[step].n_args; k++) {
        int value = e->steps[step].arg[k];
        bool kept = false;
        for (int o = 0; o < e->n_outputs; o++) {
            kept |= e->outputs[o] == value;
        }
        if (!kept && e->slots[value].place == FOVEA_IN_REGISTER && last_use(e, value) == step) {
            busy[e->slots[value].index] = false;
        }
    }
}

/* The result's register differs from the arguments', whose elements may be of another size. */
static enum fovea_status assign_registers(struct fovea_elementwise *e, struct fovea_error *err) {
    bool *busy = calloc((size_t)e->n_steps + 1, sizeof(*busy));
    if (!busy) {
        return fovea_fail_memory(err, (size_t)e->n_steps + 1, "elementwise registers");
    }
    for (int i = 0; i < e->n_inputs; i++) {
        e->slots[i].place = FOVEA_IN_INPUT;
        e->slots[i].index = i;
    }
    for (int s = 0; s < e->n_steps; s++) {
        place_result(e, s, busy);
        release_args(e, s, busy);
        int result = e->steps[s].result;
        if (e->slots[result].place == FOVEA_IN_REGISTER && last_use(e, result) < 0) {
            bool output = false;
            for (int o = 0; o < e->n_outputs; o++) {
                output |= e->outputs[o] == result;
            }
            busy[e->slots[result].index] = output;
        }
    }
    free(busy);
    return FOVEA_OK;
}

/* ---- creation ------------------------------------------------------------- */

static void set_steps(struct fovea_elementwise *e, const struct fovea_program *program,
                      const enum fovea_dtype *types) {
    for (int i = 0; i < e->n_values; i++) {
        e->slots[i] = (struct fovea_slot){FOVEA_NOWHERE, 0, types[i], fovea_dtype_size(types[i])};
    }
    for (int i = 0; i < e->n_steps; i++) {
        const struct fovea_instr *instr = &program->instrs[i];
        struct fovea_step *step = &e->steps[i];
        enum fovea_dtype type = types[instr->arg[instr->op == FOVEA_DO_WHERE]];
        step->kernel = instr->op == FOVEA_DO_CAST ? NULL : fovea_kernel_find(instr->op, type);
        step->result = e->n_inputs + i;
        step->n_args = fovea_opcode_arity(instr->op);
        memcpy(step->arg, instr->arg, sizeof(step->arg));
        step->alpha = instr->alpha;
        step->beta = instr->beta;
    }
}

/* Registers, then a buffer for every input, then what a thread knows about those. */
static size_t bytes_per_thread(const struct fovea_elementwise *e) {
    size_t pointers = ((size_t)e->n_values + (size_t)e->n_inputs) * sizeof(void *);
    size_t lengths = (size_t)e->n_inputs * sizeof(int64_t);
    size_t lines = (pointers + lengths + FOVEA_ALIGNMENT - 1) / FOVEA_ALIGNMENT;
    return ((size_t)e->n_registers + (size_t)e->n_inputs) * FOVEA_TILE_BYTES +
           lines * FOVEA_ALIGNMENT;
}

static enum fovea_status build(struct fovea_elementwise *e, const struct fovea_program *program,
                               const int *axes, struct fovea_node *node, struct fovea_error *err) {
    enum fovea_dtype *types = calloc((size_t)e->n_values + 1, sizeof(*types));
    e->slots = calloc((size_t)e->n_values + 1, sizeof(*e->slots));
    e->steps = calloc((size_t)e->n_steps + 1, sizeof(*e->steps));
    e->operands = calloc((size_t)e->n_inputs + 1, sizeof(*e->operands));
    enum fovea_status st = FOVEA_OK;
    if (!types || !e->slots || !e->steps || !e->operands || !e->outputs || !e->stored) {
        st = fovea_fail_memory(err, (size_t)e->n_values * sizeof(*e->slots),
                               "an elementwise program");
    }
    if (!st) {
        st = fovea_elementwise_check(program, node, types, err);
    }
    if (!st) {
        set_steps(e, program, types);
        set_geometry(e, node, axes);
        set_tiles(e);
        st = assign_registers(e, err);
    }
    free(types);
    return st;
}

enum fovea_status fovea_elementwise_create(const struct fovea_program *program, const int *outputs,
                                           const int *axes, struct fovea_node *node,
                                           const struct fovea_engine *engine,
                                           struct fovea_elementwise **out,
                                           struct fovea_error *err) {
    struct fovea_elementwise *e = calloc(1, sizeof(*e));
    if (!e) {
        return fovea_fail_memory(err, sizeof(*e), "an elementwise program");
    }
    e->n_inputs = program->n_inputs;
    e->n_steps = program->n_instrs;
    e->n_values = program->n_inputs + program->n_instrs;
    e->n_outputs = node->n_out;
    e->outputs = malloc(((size_t)node->n_out + 1) * sizeof(*e->outputs));
    e->stored = calloc((size_t)node->n_out + 1, sizeof(*e->stored));
    for (int i = 0; e->outputs && e->stored && i < node->n_out; i++) {
        e->outputs[i] = node->out[i] ? outputs[i] : -1;
        e->stored[i] = node->out[i] ? node->out[i]->t.dtype : FOVEA_F32;
    }
    enum fovea_status st = build(e, program, axes, node, err);
    if (st) {
        fovea_elementwise_destroy(e);
        return st;
    }
    e->bytes_per_thread = bytes_per_thread(e);
    node->scratch_bytes = e->bytes_per_thread * (size_t)(engine->threads > 0 ? engine->threads : 1);
    *out = e;
    return FOVEA_OK;
}

void fovea_elementwise_destroy(struct fovea_elementwise *elementwise) {
    if (!elementwise) {
        return;
    }
    free(elementwise->slots);
    free(elementwise->steps);
    free(elementwise->operands);
    free(elementwise->outputs);
    free(elementwise->stored);
    free(elementwise);
}
