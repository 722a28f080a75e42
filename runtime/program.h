/*
 * Programs of elementwise instructions: what one element of the result is made
 * of. Built from ONNX nodes, here; executed by ops/elementwise.c.
 *
 * A program is in single assignment form. Its values are numbered: 0 to
 * n_inputs - 1 are the inputs, n_inputs + i is the result of instruction i,
 * and an instruction reads only values with lower numbers than its own.
 * Inputs broadcast against each other as ONNX does; every output has the shape
 * that gives.
 *
 *     struct fovea_program p;                       gelu(x * s + r), and the sum
 *     fovea_program_init(&p, 3);
 *     st = fovea_program_add(&p, &(struct fovea_instr){FOVEA_DO_MUL, {0, 1}}, &m, err);
 *     st = fovea_program_add(&p, &(struct fovea_instr){FOVEA_DO_ADD, {m, 2}}, &a, err);
 *     st = fovea_program_add(&p, &(struct fovea_instr){FOVEA_DO_GELU, {a}}, &y, err);
 *     int outputs[] = {y, a};
 *     st = fovea_program_store(&p, outputs, 2, node, err);    into "fovea"."Elementwise"
 *     fovea_program_finish(&p);
 *
 * A node of type "fovea"."Elementwise" has the program in three attributes:
 *   code     ints, 5 an instruction: opcode, three arguments (-1: none), type
 *   params   floats, 2 an instruction: alpha, beta
 *   outputs  ints: the number of the value of each output; each the result of
 *            an instruction, no two the same
 * Inputs of such a node have any type; one type rules each instruction.
 */
#ifndef FOVEA_RUNTIME_PROGRAM_H
#define FOVEA_RUNTIME_PROGRAM_H

#include "runtime/graph.h"

/*
 * Arguments are called a, b, c. Unless said otherwise they and the result
 * share one type. Integers wrap; what C leaves undefined is defined:
 * division by 0 gives 0, a shift by the width or more gives 0.
 */
enum fovea_opcode {
    FOVEA_DO_ADD,
    FOVEA_DO_SUB,
    FOVEA_DO_MUL,
    FOVEA_DO_DIV,
    FOVEA_DO_MOD,  /* the sign of b */
    FOVEA_DO_FMOD, /* the sign of a */
    FOVEA_DO_POW,
    FOVEA_DO_MAX, /* NaN if either is */
    FOVEA_DO_MIN,
    FOVEA_DO_PRELU, /* a below 0: a b */
    FOVEA_DO_AND,   /* bool */
    FOVEA_DO_OR,
    FOVEA_DO_XOR,
    FOVEA_DO_EQUAL, /* any type, to bool */
    FOVEA_DO_GREATER,
    FOVEA_DO_LESS,
    FOVEA_DO_GREATER_EQUAL,
    FOVEA_DO_LESS_EQUAL,
    FOVEA_DO_BIT_AND, /* integers */
    FOVEA_DO_BIT_OR,
    FOVEA_DO_BIT_XOR,
    FOVEA_DO_SHIFT_LEFT,
    FOVEA_DO_SHIFT_RIGHT,
    FOVEA_DO_WHERE, /* a is bool: b or c */
    FOVEA_DO_NOT,   /* bool */
    FOVEA_DO_BIT_NOT,
    FOVEA_DO_IS_NAN, /* float to bool */
    FOVEA_DO_IS_INF, /* float to bool; alpha: -inf counts, beta: +inf counts */
    FOVEA_DO_ABS,
    FOVEA_DO_NEG,
    FOVEA_DO_SIGN,
    FOVEA_DO_RELU,
    FOVEA_DO_CLIP, /* to [alpha, beta]; beta where they cross */
    FOVEA_DO_CAST, /* to instr.type, from any */
    /* floats only */
    FOVEA_DO_FLOOR,
    FOVEA_DO_CEIL,
    FOVEA_DO_ROUND, /* ties to even */
    FOVEA_DO_SQRT,
    FOVEA_DO_RECIPROCAL,
    FOVEA_DO_EXP,
    FOVEA_DO_LOG,
    FOVEA_DO_SIN,
    FOVEA_DO_COS,
    FOVEA_DO_TAN,
    FOVEA_DO_ASIN,
    FOVEA_DO_ACOS,
    FOVEA_DO_ATAN,
    FOVEA_DO_SINH,
    FOVEA_DO_COSH,
    FOVEA_DO_TANH,
    FOVEA_DO_ASINH,
    FOVEA_DO_ACOSH,
    FOVEA_DO_ATANH,
    FOVEA_DO_ERF,
    FOVEA_DO_LEAKY_RELU,       /* alpha a below 0 */
    FOVEA_DO_ELU,              /* alpha (e^a - 1) below 0 */
    FOVEA_DO_SELU,             /* beta a; beta alpha (e^a - 1) below 0 */
    FOVEA_DO_CELU,             /* alpha (e^(a/alpha) - 1) below 0 */
    FOVEA_DO_THRESHOLDED_RELU, /* a above alpha, else 0 */
    FOVEA_DO_HARD_SIGMOID,     /* alpha a + beta in [0, 1] */
    FOVEA_DO_HARD_SWISH,
    FOVEA_DO_SIGMOID,
    FOVEA_DO_SOFTPLUS,
    FOVEA_DO_SOFTSIGN,
    FOVEA_DO_MISH,
    FOVEA_DO_SWISH, /* a sigmoid(alpha a) */
    FOVEA_DO_GELU,
    FOVEA_DO_GELU_TANH,
    FOVEA_DO_SHRINK, /* a + beta below -alpha, a - beta above alpha, else 0 */
    FOVEA_DO_AFFINE, /* alpha a + beta */
    FOVEA_DO_OVER,   /* a / alpha */
    FOVEA_N_OPCODES,
};

struct fovea_instr {
    enum fovea_opcode op;
    int arg[3]; /* values; unused ones are ignored */
    float alpha, beta;
    enum fovea_dtype type; /* of CAST: the result's */
};

struct fovea_program {
    int n_inputs, n_instrs, capacity;
    struct fovea_instr *instrs;
};

/* How many arguments `op` reads, 1 to 3. */
int fovea_opcode_arity(enum fovea_opcode op);

void fovea_program_init(struct fovea_program *program, int n_inputs);
void fovea_program_finish(struct fovea_program *program);

/* Append an instruction; `value` is the number of its result. */
enum fovea_status fovea_program_add(struct fovea_program *program, const struct fovea_instr *instr,
                                    int *value, struct fovea_error *err);

/*
 * The values' types, given those of the inputs in types[0 .. n_inputs - 1], in
 * the rest of `types` (n_inputs + n_instrs of them). FOVEA_ERR_UNSUPPORTED if
 * an instruction does not take the types it would get.
 */
enum fovea_status fovea_program_types(const struct fovea_program *program, enum fovea_dtype *types,
                                      struct fovea_error *err);

/* Whether fovea_program_append_node knows nodes of this operator. */
bool fovea_program_knows(const struct fovea_node *node);

/*
 * Append what an inferred ONNX node of an elementwise operator computes from
 * the values args[i] that stand for its inputs (-1: absent).
 * The node's types need not be f32. FOVEA_ERR_UNSUPPORTED if !knows.
 */
enum fovea_status fovea_program_append_node(struct fovea_program *program,
                                            const struct fovea_node *node, const int *args,
                                            int *value, struct fovea_error *err);

/* Write the program into the attributes of a "fovea"."Elementwise" node. */
enum fovea_status fovea_program_store(const struct fovea_program *program, const int *outputs,
                                      int n_outputs, struct fovea_node *node,
                                      struct fovea_error *err);

/* Read and check it again. `program` is uninitialised; finish it after success. */
enum fovea_status fovea_program_load(const struct fovea_node *node, struct fovea_program *program,
                                     struct fovea_error *err);

#endif
