/* Elementwise programs: building, checking, storing in a node. See program.h. */
#include "runtime/program.h"

#include "runtime/op.h"

#include <limits.h>
#include <stdlib.h>

#define BOOL FOVEA_DTYPE_BIT(FOVEA_BOOL)

/* What types an instruction takes, all its arguments alike (WHERE: b and c). */
static const struct {
    unsigned char arity;
    bool to_bool;
    unsigned types;
} opcodes[FOVEA_N_OPCODES] = {
    [FOVEA_DO_ADD] = {2, false, FOVEA_DTYPES_NUMBER},
    [FOVEA_DO_SUB] = {2, false, FOVEA_DTYPES_NUMBER},
    [FOVEA_DO_MUL] = {2, false, FOVEA_DTYPES_NUMBER},
    [FOVEA_DO_DIV] = {2, false, FOVEA_DTYPES_NUMBER},
    [FOVEA_DO_MOD] = {2, false, FOVEA_DTYPES_INT},
    [FOVEA_DO_FMOD] = {2, false, FOVEA_DTYPES_NUMBER},
    [FOVEA_DO_POW] = {2, false, FOVEA_DTYPES_NUMBER},
    [FOVEA_DO_MAX] = {2, false, FOVEA_DTYPES_NUMBER},
    [FOVEA_DO_MIN] = {2, false, FOVEA_DTYPES_NUMBER},
    [FOVEA_DO_PRELU] = {2, false, FOVEA_DTYPES_NUMBER},
    [FOVEA_DO_AND] = {2, true, BOOL},
    [FOVEA_DO_OR] = {2, true, BOOL},
    [FOVEA_DO_XOR] = {2, true, BOOL},
    [FOVEA_DO_EQUAL] = {2, true, FOVEA_DTYPES_ALL},
    [FOVEA_DO_GREATER] = {2, true, FOVEA_DTYPES_NUMBER},
    [FOVEA_DO_LESS] = {2, true, FOVEA_DTYPES_NUMBER},
    [FOVEA_DO_GREATER_EQUAL] = {2, true, FOVEA_DTYPES_NUMBER},
    [FOVEA_DO_LESS_EQUAL] = {2, true, FOVEA_DTYPES_NUMBER},
    [FOVEA_DO_BIT_AND] = {2, false, FOVEA_DTYPES_INT},
    [FOVEA_DO_BIT_OR] = {2, false, FOVEA_DTYPES_INT},
    [FOVEA_DO_BIT_XOR] = {2, false, FOVEA_DTYPES_INT},
    [FOVEA_DO_SHIFT_LEFT] = {2, false, FOVEA_DTYPES_INT},
    [FOVEA_DO_SHIFT_RIGHT] = {2, false, FOVEA_DTYPES_INT},
    [FOVEA_DO_WHERE] = {3, false, FOVEA_DTYPES_ALL},
    [FOVEA_DO_NOT] = {1, true, BOOL},
    [FOVEA_DO_BIT_NOT] = {1, false, FOVEA_DTYPES_INT},
    [FOVEA_DO_IS_NAN] = {1, true, FOVEA_DTYPES_FLOAT},
    [FOVEA_DO_IS_INF] = {1, true, FOVEA_DTYPES_FLOAT},
    [FOVEA_DO_ABS] = {1, false, FOVEA_DTYPES_NUMBER},
    [FOVEA_DO_NEG] = {1, false, FOVEA_DTYPES_NUMBER},
    [FOVEA_DO_SIGN] = {1, false, FOVEA_DTYPES_NUMBER},
    [FOVEA_DO_RELU] = {1, false, FOVEA_DTYPES_NUMBER},
    [FOVEA_DO_CLIP] = {1, false, FOVEA_DTYPES_FLOAT},
    [FOVEA_DO_CAST] = {1, false, FOVEA_DTYPES_ALL},
};

int fovea_opcode_arity(enum fovea_opcode op) {
    return opcodes[op].arity ? opcodes[op].arity : 1;
}

static unsigned opcode_types(enum fovea_opcode op) {
    return opcodes[op].arity ? opcodes[op].types : FOVEA_DTYPES_FLOAT;
}

void fovea_program_init(struct fovea_program *program, int n_inputs) {
    *program = (struct fovea_program){.n_inputs = n_inputs};
}

void fovea_program_finish(struct fovea_program *program) {
    free(program->instrs);
    *program = (struct fovea_program){0};
}

enum fovea_status fovea_program_add(struct fovea_program *program, const struct fovea_instr *instr,
                                    int *value, struct fovea_error *err) {
    if (program->n_instrs == program->capacity) {
        int capacity = program->capacity ? 2 * program->capacity : 8;
        size_t bytes = (size_t)capacity * sizeof(*instr);
        struct fovea_instr *instrs = realloc(program->instrs, bytes);
        if (!instrs) {
            return fovea_fail_memory(err, bytes, "an elementwise program");
        }
        program->instrs = instrs;
        program->capacity = capacity;
    }
    program->instrs[program->n_instrs] = *instr;
    *value = program->n_inputs + program->n_instrs++;
    return FOVEA_OK;
}

/* ---- types --------------------------------------------------------------- */

static enum fovea_status instr_type(const struct fovea_instr *instr, int index,
                                    const enum fovea_dtype *types, enum fovea_dtype *out,
                                    struct fovea_error *err) {
    int first = instr->op == FOVEA_DO_WHERE, arity = fovea_opcode_arity(instr->op);
    enum fovea_dtype type = types[instr->arg[first]];
    if (first && types[instr->arg[0]] != FOVEA_BOOL) {
        return fovea_fail(err, FOVEA_ERR_UNSUPPORTED, "condition has type %s; it must be bool",
                          fovea_dtype_name(types[instr->arg[0]]));
    }
    for (int i = first; i < arity; i++) {
        if (types[instr->arg[i]] != type) {
            return fovea_fail(err, FOVEA_ERR_INVALID,
                              "operands have types %s and %s; they must be the same",
                              fovea_dtype_name(type), fovea_dtype_name(types[instr->arg[i]]));
        }
    }
    if (!(opcode_types(instr->op) & FOVEA_DTYPE_BIT(type))) {
        return fovea_fail(err, FOVEA_ERR_UNSUPPORTED,
                          "operands have type %s, not supported here (instruction %d)",
                          fovea_dtype_name(type), index);
    }
    *out = opcodes[instr->op].to_bool ? FOVEA_BOOL : type;
    if (instr->op == FOVEA_DO_CAST) {
        *out = instr->type;
    }
    return FOVEA_OK;
}

enum fovea_status fovea_program_types(const struct fovea_program *program, enum fovea_dtype *types,
                                      struct fovea_error *err) {
    for (int i = 0; i < program->n_instrs; i++) {
        enum fovea_status st =
            instr_type(&program->instrs[i], i, types, &types[program->n_inputs + i], err);
        if (st) {
            return st;
        }
    }
    return FOVEA_OK;
}

/* ---- in a node ----------------------------------------------------------- */

enum { CODE_WIDTH = 5 };

static enum fovea_status set_attrs(const struct fovea_program *program, const int *outputs,
                                   int n_outputs, int64_t *ints, float *params,
                                   struct fovea_node *node, struct fovea_error *err) {
    for (int i = 0; i < program->n_instrs; i++) {
        const struct fovea_instr *instr = &program->instrs[i];
        int64_t *code = ints + (ptrdiff_t)i * CODE_WIDTH;
        int arity = fovea_opcode_arity(instr->op);
        code[0] = instr->op;
        for (int k = 0; k < 3; k++) {
            code[1 + k] = k < arity ? instr->arg[k] : -1;
        }
        code[4] = instr->type;
        float *scales = params + (ptrdiff_t)i * 2;
        scales[0] = instr->alpha;
        scales[1] = instr->beta;
    }
    size_t n = (size_t)program->n_instrs;
    struct fovea_attr attr = {
        .name = "code", .kind = FOVEA_ATTR_INTS, .count = n * CODE_WIDTH, .ints = ints};
    enum fovea_status st = fovea_node_set_attr(node, &attr, err);
    attr = (struct fovea_attr){
        .name = "params", .kind = FOVEA_ATTR_FLOATS, .count = 2 * n, .floats = params};
    if (!st) {
        st = fovea_node_set_attr(node, &attr, err);
    }
    for (int i = 0; i < n_outputs; i++) {
        ints[i] = outputs[i];
    }
    attr = (struct fovea_attr){
        .name = "outputs", .kind = FOVEA_ATTR_INTS, .count = (size_t)n_outputs, .ints = ints};
    return st ? st : fovea_node_set_attr(node, &attr, err);
}

enum fovea_status fovea_program_store(const struct fovea_program *program, const int *outputs,
                                      int n_outputs, struct fovea_node *node,
                                      struct fovea_error *err) {
    size_t n_ints = (size_t)program->n_instrs * CODE_WIDTH + (size_t)n_outputs;
    int64_t *ints = malloc(n_ints * sizeof(*ints));
    float *params = malloc(((size_t)program->n_instrs * 2 + 1) * sizeof(*params));
    enum fovea_status st = FOVEA_OK;
    if (!ints || !params) {
        st = fovea_fail_memory(err, n_ints * sizeof(*ints), "an elementwise program");
    } else {
        st = set_attrs(program, outputs, n_outputs, ints, params, node, err);
    }
    free(ints);
    free(params);
    return st;
}

static enum fovea_status load_instr(const int64_t *code, const float *params, int value,
                                    struct fovea_instr *out, struct fovea_error *err) {
    if (code[0] < 0 || code[0] >= FOVEA_N_OPCODES || code[4] < 0 || code[4] >= FOVEA_N_DTYPES) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "code has opcode %lld of type %lld",
                          (long long)code[0], (long long)code[4]);
    }
    *out = (struct fovea_instr){.op = (enum fovea_opcode)code[0],
                                .alpha = params[0],
                                .beta = params[1],
                                .type = (enum fovea_dtype)code[4]};
    for (int i = 0; i < fovea_opcode_arity(out->op); i++) {
        if (code[1 + i] < 0 || code[1 + i] >= value) {
            return fovea_fail(err, FOVEA_ERR_INVALID, "code has an argument %lld, not below %d",
                              (long long)code[1 + i], value);
        }
        out->arg[i] = (int)code[1 + i];
    }
    return FOVEA_OK;
}

static enum fovea_status check_outputs(const struct fovea_node *node, int first, int end,
                                       struct fovea_error *err) {
    size_t count;
    const int64_t *outputs = fovea_attr_ints(node, "outputs", &count);
    if (count != (size_t)node->n_out) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "outputs names %zu values; the node has %d",
                          count, node->n_out);
    }
    for (size_t i = 0; i < count; i++) {
        bool twice = false;
        for (size_t j = 0; j < i; j++) {
            twice |= outputs[j] == outputs[i];
        }
        if (twice || outputs[i] < first || outputs[i] >= end) {
            return fovea_fail(err, FOVEA_ERR_INVALID, "outputs has %lld, twice or outside %d to %d",
                              (long long)outputs[i], first, end - 1);
        }
    }
    return FOVEA_OK;
}

enum fovea_status fovea_program_load(const struct fovea_node *node, struct fovea_program *program,
                                     struct fovea_error *err) {
    size_t n_ints;
    const int64_t *ints = fovea_attr_ints(node, "code", &n_ints);
    const struct fovea_attr *params = fovea_node_attr(node, "params");
    size_t n = n_ints / CODE_WIDTH;
    if (!params || n_ints % CODE_WIDTH || params->count != 2 * n || n == 0 ||
        n > (size_t)(INT_MAX / CODE_WIDTH) - (size_t)node->n_in) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "code has %zu integers and params %zu floats",
                          n_ints, params ? params->count : 0);
    }
    enum fovea_status st = check_outputs(node, node->n_in, node->n_in + (int)n, err);
    struct fovea_program loaded;
    fovea_program_init(&loaded, node->n_in);
    for (size_t i = 0; !st && i < n; i++) {
        struct fovea_instr instr;
        int value = node->n_in + (int)i;
        st = load_instr(ints + i * CODE_WIDTH, params->floats + 2 * i, value, &instr, err);
        if (!st) {
            st = fovea_program_add(&loaded, &instr, &value, err);
        }
    }
    if (st) {
        fovea_program_finish(&loaded);
        return st;
    }
    *program = loaded;
    return FOVEA_OK;
}
