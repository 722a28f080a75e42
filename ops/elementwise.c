/* The elementwise engine: see elementwise.h. */
#include "ops/elementwise.h"

#include "ops/kernels.h"
#include "runtime/parallel.h"

#include <stdlib.h>
#include <string.h>

enum {
    TILE_BYTES = 4096,      /* of one register: a dozen of them fit a first-level cache of 48 KiB */
    TILE_MOST = 1024,       /* elements */
    SHORT_ROW = 128,        /* rows below this many elements are gathered, several to a tile */
    PARALLEL_GRAIN = 16384, /* elements a thread must have to be worth waking */
};

/* Where a value of the program is during a tile. */
enum place {
    IN_INPUT,
    IN_REGISTER,
    IN_OUTPUT, /* straight in the result's memory */
    NOWHERE,
};

struct slot {
    enum place place;
    int index; /* of the input, register or output */
    enum fovea_dtype type;
    size_t size;
};

struct step {
    fovea_kernel_fn kernel; /* NULL: a conversion */
    int result, n_args, arg[3];
    float alpha, beta;
};

/* How an input lies in memory, against the merged dimensions of the result. */
struct operand {
    bool linear;  /* just as the result */
    bool present; /* the program may be given fewer than all */
    int64_t strides[FOVEA_MAX_RANK];
};

struct fovea_elementwise {
    int n_inputs, n_steps, n_outputs, n_values, n_registers;
    struct slot *slots;       /* by value */
    struct step *steps;       /* by instruction */
    struct operand *operands; /* by input */
    int *outputs;             /* values */
    int rank;                 /* merged dimensions, at least 1 */
    int64_t dims[FOVEA_MAX_RANK];
    int64_t count, row, tile, tiles_per_row;
    size_t bytes_per_thread;
};

/* ---- geometry ------------------------------------------------------------- */

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
        const struct operand *o = &e->operands[i];
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
        struct operand *o = &e->operands[i];
        int64_t stride = 1;
        o->linear = true;
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
        e->operands[i].present = node->in[i] != NULL;
        if (!node->in[i]) {
            continue;
        }
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
    int64_t most = (int64_t)(TILE_BYTES / widest);
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

static int last_use(const struct fovea_elementwise *e, int value) {
    int last = -1;
    for (int s = 0; s < e->n_steps; s++) {
        for (int k = 0; k < e->steps[s].n_args; k++) {
            last = e->steps[s].arg[k] == value ? s : last;
        }
    }
    return last;
}

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
    struct slot *slot = &e->slots[e->steps[step].result];
    for (int o = 0; o < e->n_outputs; o++) {
        if (e->outputs[o] == e->steps[step].result && !reads_inputs_after(e, step)) {
            *slot = (struct slot){IN_OUTPUT, o, slot->type, slot->size};
            return;
        }
    }
    int r = 0;
    while (busy[r]) {
        r++;
    }
    busy[r] = true;
    slot->place = IN_REGISTER;
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
        if (!kept && e->slots[value].place == IN_REGISTER && last_use(e, value) == step) {
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
        e->slots[i].place = IN_INPUT;
        e->slots[i].index = i;
    }
    for (int s = 0; s < e->n_steps; s++) {
        place_result(e, s, busy);
        release_args(e, s, busy);
        int result = e->steps[s].result;
        if (e->slots[result].place == IN_REGISTER && last_use(e, result) < 0) {
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

enum fovea_status fovea_elementwise_check(const struct fovea_program *program,
                                          const struct fovea_node *node, enum fovea_dtype *types,
                                          struct fovea_error *err) {
    for (int i = 0; i < program->n_inputs; i++) {
        types[i] = node->in[i] ? node->in[i]->t.dtype : FOVEA_F32;
    }
    enum fovea_status st = fovea_program_types(program, types, err);
    for (int i = 0; !st && i < program->n_instrs; i++) {
        const struct fovea_instr *instr = &program->instrs[i];
        enum fovea_dtype type = types[instr->arg[instr->op == FOVEA_DO_WHERE]];
        for (int k = 0; k < fovea_opcode_arity(instr->op); k++) {
            if (instr->arg[k] < program->n_inputs && !node->in[instr->arg[k]]) {
                return fovea_fail(err, FOVEA_ERR_INVALID, "input %d is absent", instr->arg[k]);
            }
        }
        if (instr->op != FOVEA_DO_CAST && !fovea_kernel_find(instr->op, type)) {
            return fovea_fail(err, FOVEA_ERR_UNSUPPORTED,
                              "operands have type %s, not supported here", fovea_dtype_name(type));
        }
    }
    return st;
}

enum fovea_status fovea_elementwise_shape(const struct fovea_node *node, int *rank, int64_t *dims,
                                          struct fovea_error *err) {
    struct fovea_tensor shape = {.rank = 0};
    for (int i = 0; i < node->n_in; i++) {
        if (node->in[i]) {
            enum fovea_status st =
                fovea_broadcast_shape(&shape, &node->in[i]->t, &shape.rank, shape.dims, err);
            if (st) {
                return st;
            }
        }
    }
    *rank = shape.rank;
    memcpy(dims, shape.dims, sizeof(shape.dims));
    return FOVEA_OK;
}

static void set_steps(struct fovea_elementwise *e, const struct fovea_program *program,
                      const enum fovea_dtype *types) {
    for (int i = 0; i < e->n_values; i++) {
        e->slots[i] = (struct slot){NOWHERE, 0, types[i], fovea_dtype_size(types[i])};
    }
    for (int i = 0; i < e->n_steps; i++) {
        const struct fovea_instr *instr = &program->instrs[i];
        struct step *step = &e->steps[i];
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
    return ((size_t)e->n_registers + (size_t)e->n_inputs) * TILE_BYTES + lines * FOVEA_ALIGNMENT;
}

static enum fovea_status build(struct fovea_elementwise *e, const struct fovea_program *program,
                               const int *axes, struct fovea_node *node, struct fovea_error *err) {
    enum fovea_dtype *types = calloc((size_t)e->n_values + 1, sizeof(*types));
    e->slots = calloc((size_t)e->n_values + 1, sizeof(*e->slots));
    e->steps = calloc((size_t)e->n_steps + 1, sizeof(*e->steps));
    e->operands = calloc((size_t)e->n_inputs + 1, sizeof(*e->operands));
    enum fovea_status st = FOVEA_OK;
    if (!types || !e->slots || !e->steps || !e->operands || !e->outputs) {
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
    for (int i = 0; e->outputs && i < node->n_out; i++) {
        e->outputs[i] = node->out[i] ? outputs[i] : -1;
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
    free(elementwise);
}

/* ---- execution ------------------------------------------------------------ */

struct task {
    const struct fovea_elementwise *e;
    const struct fovea_node *node;
    unsigned char *scratch;
};

/* What one thread works with; all of it in its part of the scratch memory. */
struct worker {
    const struct fovea_elementwise *e;
    const struct fovea_node *node;
    unsigned char *registers, *buffers;
    void **at;           /* by value: where this tile of it is */
    const void **filled; /* by input: the scalar its buffer repeats, or NULL */
    int64_t *n_filled;
};

/* dst[i] = src[i * stride], elements of `size` bytes. */
static void copy_run(unsigned char *dst, const unsigned char *src, int64_t stride, int64_t n,
                     size_t size) {
    if (stride == 1) {
        memcpy(dst, src, (size_t)n * size);
        return;
    }
#define COPY(type)                                                                                 \
    for (int64_t i = 0; i < n; i++) {                                                              \
        ((type *)(void *)dst)[i] = ((const type *)(const void *)src)[i * stride];                  \
    }
    switch (size) {
    case 1:
        COPY(uint8_t)
        return;
    case 2:
        COPY(uint16_t)
        return;
    case 4:
        COPY(uint32_t)
        return;
    default:
        COPY(uint64_t)
        return;
    }
#undef COPY
}

/* Offset in elements of result element `index` in an operand; its coordinates. */
static int64_t locate(const struct fovea_elementwise *e, const struct operand *o, int64_t index,
                      int64_t *coordinates) {
    int64_t offset = 0;
    for (int d = e->rank - 1; d >= 0; d--) {
        coordinates[d] = index % e->dims[d];
        offset += coordinates[d] * o->strides[d];
        index /= e->dims[d];
    }
    return offset;
}

/* Copy [start, start + n) of an operand, row by row. */
static void gather(const struct fovea_elementwise *e, const struct operand *o,
                   const unsigned char *src, int64_t start, int64_t n, size_t size,
                   unsigned char *dst) {
    int64_t at[FOVEA_MAX_RANK];
    int inner = e->rank - 1;
    int64_t offset = locate(e, o, start, at);
    while (n > 0) {
        int64_t run = e->dims[inner] - at[inner];
        run = run < n ? run : n;
        copy_run(dst, src + offset * (int64_t)size, o->strides[inner], run, size);
        dst += (size_t)run * size;
        n -= run;
        offset -= at[inner] * o->strides[inner];
        at[inner] = 0;
        for (int d = inner - 1; d >= 0; d--) {
            offset += o->strides[d];
            if (++at[d] < e->dims[d]) {
                break;
            }
            offset -= at[d] * o->strides[d];
            at[d] = 0;
        }
    }
}

/* Where [start, start + n) of an input can be read as a contiguous run. */
static void *view_input(struct worker *w, int input, int64_t start, int64_t n) {
    const struct fovea_elementwise *e = w->e;
    const struct operand *o = &e->operands[input];
    unsigned char *src = w->node->in[input]->t.data;
    size_t size = e->slots[input].size;
    if (o->linear) {
        return src + (size_t)start * size;
    }
    unsigned char *buffer = w->buffers + (size_t)input * TILE_BYTES;
    int inner = e->rank - 1;
    int64_t at[FOVEA_MAX_RANK];
    bool one_row = e->row == e->dims[inner];
    if (!one_row) {
        gather(e, o, src, start, n, size, buffer);
        return buffer;
    }
    unsigned char *from = src + locate(e, o, start, at) * (int64_t)size;
    if (o->strides[inner] == 1) {
        return from;
    }
    if (o->strides[inner] == 0 && w->filled[input] == from && w->n_filled[input] >= n) {
        return buffer;
    }
    copy_run(buffer, from, o->strides[inner], n, size);
    w->filled[input] = o->strides[inner] == 0 ? from : NULL;
    w->n_filled[input] = n;
    return buffer;
}

static void run_step(struct worker *w, const struct step *step, int64_t n) {
    const void *args[3] = {NULL, NULL, NULL};
    for (int k = 0; k < step->n_args; k++) {
        args[k] = w->at[step->arg[k]];
    }
    void *result = w->at[step->result];
    if (step->kernel) {
        step->kernel(result, args[0], args[1], args[2], n, step->alpha, step->beta);
        return;
    }
    enum fovea_dtype from = w->e->slots[step->arg[0]].type;
    enum fovea_dtype to = w->e->slots[step->result].type;
    if (result != args[0]) {
        fovea_convert(from, args[0], to, result, n);
    }
}

static void run_tile(struct worker *w, int64_t start, int64_t n) {
    const struct fovea_elementwise *e = w->e;
    for (int i = 0; i < e->n_inputs; i++) {
        w->at[i] = e->operands[i].present ? view_input(w, i, start, n) : NULL;
    }
    for (int i = e->n_inputs; i < e->n_values; i++) {
        const struct slot *slot = &e->slots[i];
        if (slot->place == IN_REGISTER) {
            w->at[i] = w->registers + (size_t)slot->index * TILE_BYTES;
        } else {
            unsigned char *out = w->node->out[slot->index]->t.data;
            w->at[i] = out + (size_t)start * slot->size;
        }
    }
    for (int s = 0; s < e->n_steps; s++) {
        run_step(w, &e->steps[s], n);
    }
    for (int o = 0; o < e->n_outputs; o++) {
        int value = e->outputs[o];
        if (value >= 0 && e->slots[value].place == IN_REGISTER) {
            size_t size = e->slots[value].size;
            unsigned char *out = w->node->out[o]->t.data;
            memcpy(out + (size_t)start * size, w->at[value], (size_t)n * size);
        }
    }
}

static void run_range(void *context, int64_t begin, int64_t end, int thread) {
    const struct task *task = context;
    const struct fovea_elementwise *e = task->e;
    unsigned char *scratch = task->scratch + (size_t)thread * e->bytes_per_thread;
    struct worker w = {.e = e, .node = task->node, .registers = scratch};
    w.buffers = w.registers + (size_t)e->n_registers * TILE_BYTES;
    w.at = (void **)(void *)(w.buffers + (size_t)e->n_inputs * TILE_BYTES);
    w.filled = (const void **)(void *)(w.at + e->n_values);
    w.n_filled = (int64_t *)(void *)(w.filled + e->n_inputs);
    for (int i = 0; i < e->n_inputs; i++) {
        w.filled[i] = NULL;
        w.n_filled[i] = 0;
    }
    for (int64_t t = begin; t < end; t++) {
        int64_t within = t % e->tiles_per_row * e->tile;
        int64_t rest = e->row - within;
        run_tile(&w, t / e->tiles_per_row * e->row + within, rest < e->tile ? rest : e->tile);
    }
}

void fovea_elementwise_run(const struct fovea_elementwise *elementwise,
                           const struct fovea_node *node, const struct fovea_run *run) {
    const struct fovea_elementwise *e = elementwise;
    if (e->count == 0) {
        return;
    }
    struct task task = {.e = e, .node = node, .scratch = run->scratch};
    int64_t n_tiles = e->count / e->row * e->tiles_per_row;
    fovea_parallel_for(n_tiles, (PARALLEL_GRAIN + e->tile - 1) / e->tile, run_range, &task);
}

enum fovea_status fovea_elementwise_op_run(const struct fovea_node *node,
                                           const struct fovea_run *run, struct fovea_error *err) {
    const struct fovea_elementwise_priv *priv = node->priv;
    (void)err;
    fovea_elementwise_run(priv->elementwise, node, run);
    return FOVEA_OK;
}

void fovea_elementwise_op_release(struct fovea_node *node) {
    struct fovea_elementwise_priv *priv = node->priv;
    fovea_elementwise_destroy(priv->elementwise);
    priv->elementwise = NULL;
}
