/* Checking and executing elementwise programs: see elementwise.h. */
#include "ops/elementwise_plan.h"
#include "runtime/parallel.h"

#include <string.h>

enum {
    PARALLEL_GRAIN = 16384, /* elements a thread must have to be worth waking */
};

enum fovea_status fovea_elementwise_check(const struct fovea_program *program,
                                          const struct fovea_node *node, enum fovea_dtype *types,
                                          struct fovea_error *err) {
    for (int i = 0; i < program->n_inputs; i++) {
        types[i] = node->in[i] ? node->in[i]->t.dtype : FOVEA_F32;
        types[i] = fovea_dtype_is_half(types[i]) ? FOVEA_F32 : types[i];
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
    /* The commonest of the other strides is 0, and without it the compiler has a fill. */
#define COPY(type)                                                                                 \
    if (stride == 0) {                                                                             \
        const type only = *(const type *)(const void *)src;                                        \
        for (int64_t i = 0; i < n; i++) {                                                          \
            ((type *)(void *)dst)[i] = only;                                                       \
        }                                                                                          \
        return;                                                                                    \
    }                                                                                              \
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
static int64_t locate(const struct fovea_elementwise *e, const struct fovea_operand *o,
                      int64_t index, int64_t *coordinates) {
    int64_t offset = 0;
    for (int d = e->rank - 1; d >= 0; d--) {
        coordinates[d] = index % e->dims[d];
        offset += coordinates[d] * o->strides[d];
        index /= e->dims[d];
    }
    return offset;
}

/* As copy_run, from a half type to f32. */
static void widen_run(float *dst, const uint16_t *src, int64_t stride, int64_t n,
                      enum fovea_dtype stored) {
    if (stride == 1) {
        fovea_convert(stored, src, FOVEA_F32, dst, n);
        return;
    }
    uint16_t run[FOVEA_TILE_BYTES / sizeof(float)];
    copy_run((unsigned char *)run, (const unsigned char *)src, stride, n, sizeof(*run));
    fovea_convert(stored, run, FOVEA_F32, dst, n);
}

/* Part of a row to where the program reads it. */
static void load_run(const struct fovea_operand *o, const unsigned char *from, int64_t stride,
                     int64_t n, size_t size, unsigned char *to) {
    if (fovea_dtype_is_half(o->stored)) {
        widen_run((float *)(void *)to, (const uint16_t *)(const void *)from, stride, n, o->stored);
    } else {
        copy_run(to, from, stride, n, size);
    }
}

/* Load [start, start + n) of an operand, row by row. */
static void gather(const struct fovea_elementwise *e, const struct fovea_operand *o,
                   const unsigned char *src, int64_t start, int64_t n, size_t size,
                   unsigned char *dst) {
    int64_t at[FOVEA_MAX_RANK];
    int inner = e->rank - 1;
    int64_t offset = locate(e, o, start, at);
    int64_t step = (int64_t)fovea_dtype_size(o->stored);
    while (n > 0) {
        int64_t run = e->dims[inner] - at[inner];
        run = run < n ? run : n;
        load_run(o, src + offset * step, o->strides[inner], run, size, dst);
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
    const struct fovea_operand *o = &e->operands[input];
    unsigned char *src = w->node->in[input]->t.data;
    size_t size = e->slots[input].size;
    int64_t step = (int64_t)fovea_dtype_size(o->stored);
    bool half = fovea_dtype_is_half(o->stored);
    unsigned char *buffer = w->buffers + (size_t)input * FOVEA_TILE_BYTES;
    if (o->linear) {
        if (!half) {
            return src + (size_t)start * size;
        }
        load_run(o, src + start * step, 1, n, size, buffer);
        return buffer;
    }
    int inner = e->rank - 1;
    int64_t at[FOVEA_MAX_RANK];
    bool one_row = e->row == e->dims[inner];
    if (!one_row) {
        gather(e, o, src, start, n, size, buffer);
        return buffer;
    }
    unsigned char *from = src + locate(e, o, start, at) * step;
    if (o->strides[inner] == 1 && !half) {
        return from;
    }
    if (o->strides[inner] == 0 && w->filled[input] == from && w->n_filled[input] >= n) {
        return buffer;
    }
    load_run(o, from, o->strides[inner], n, size, buffer);
    w->filled[input] = o->strides[inner] == 0 ? from : NULL;
    w->n_filled[input] = n;
    return buffer;
}

static void run_step(struct worker *w, const struct fovea_step *step, int64_t n) {
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
        const struct fovea_slot *slot = &e->slots[i];
        if (slot->place == FOVEA_IN_REGISTER) {
            w->at[i] = w->registers + (size_t)slot->index * FOVEA_TILE_BYTES;
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
        if (value >= 0 && e->slots[value].place == FOVEA_IN_REGISTER) {
            size_t size = fovea_dtype_size(e->stored[o]);
            unsigned char *out = w->node->out[o]->t.data;
            fovea_convert(e->slots[value].type, w->at[value], e->stored[o],
                          out + (size_t)start * size, n);
        }
    }
}

static void run_range(void *context, int64_t begin, int64_t end, int thread) {
    const struct task *task = context;
    const struct fovea_elementwise *e = task->e;
    unsigned char *scratch = task->scratch + (size_t)thread * e->bytes_per_thread;
    struct worker w = {.e = e, .node = task->node, .registers = scratch};
    w.buffers = w.registers + (size_t)e->n_registers * FOVEA_TILE_BYTES;
    w.at = (void **)(void *)(w.buffers + (size_t)e->n_inputs * FOVEA_TILE_BYTES);
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
