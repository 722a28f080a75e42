/*
 * Small graphs built in C, and run with passes on and off. For tests of what
 * the runtime does with whole graphs.
 *
 *     struct graph_build b;
 *     build_init(&b, 17);
 *     struct fovea_value *x = build_input(&b, FOVEA_F32, 2, (int64_t[]){2, 8});
 *     build_output(&b, OP(&b, "Relu", x));
 *     CHECK_OK(build_compare(&b, "on", &result), b.err);
 *     CHECK_STR(result.ops, "Relu");
 *     build_finish(&b);
 *
 * A failure while building is kept in b.err and makes every later call fail.
 */
#ifndef FOVEA_TESTS_GRAPH_BUILD_H
#define FOVEA_TESTS_GRAPH_BUILD_H

#include "runtime/model.h"
#include "runtime/session.h"

enum { BUILD_MAX_IO = 8 };

struct graph_build {
    struct fovea_model *model;
    struct fovea_graph *graph; /* of the model */
    struct fovea_value *inputs[BUILD_MAX_IO], *outputs[BUILD_MAX_IO];
    size_t n_inputs, n_outputs;
    uint32_t seed; /* of the next random constant */
    enum fovea_status status;
    struct fovea_error err;
};

void build_init(struct graph_build *b, int opset);
void build_finish(struct graph_build *b);

/* build_init, and an f32 input. */
struct fovea_value *build_begin(struct graph_build *b, int opset, int rank, const int64_t *dims);

struct fovea_value *build_input(struct graph_build *b, enum fovea_dtype dtype, int rank,
                                const int64_t *dims);
void build_output(struct graph_build *b, struct fovea_value *value);

/* Constants: given, random in [-1, 1), one number (rank 0), integers. */
struct fovea_value *build_floats(struct graph_build *b, int rank, const int64_t *dims,
                                 const float *values);
struct fovea_value *build_random(struct graph_build *b, int rank, const int64_t *dims);
struct fovea_value *build_scalar(struct graph_build *b, float number);
struct fovea_value *build_ints(struct graph_build *b, const int64_t *values, size_t count);

/* A node of ai.onnx with new outputs; inputs may be NULL. NULL after a failure. */
struct fovea_node *build_node(struct graph_build *b, const char *type,
                              struct fovea_value *const *in, size_t n_in, size_t n_out);
struct fovea_value *build_op(struct graph_build *b, const char *type, struct fovea_value *const *in,
                             size_t n_in);

#define DIMS(...) ((int64_t[]){__VA_ARGS__})

/* The one output of a new node of these inputs. */
#define OP(b, type, ...)                                                                           \
    build_op((b), (type), (struct fovea_value *const[]){__VA_ARGS__},                              \
             sizeof((struct fovea_value *const[]){__VA_ARGS__}) / sizeof(struct fovea_value *))

/* The same of a and c, or of c and a. */
struct fovea_value *build_commuted(struct graph_build *b, const char *type, struct fovea_value *a,
                                   struct fovea_value *c, bool swap);

/* Attributes of the node that makes `value`; give `value` back. */
struct fovea_value *build_attr(struct graph_build *b, struct fovea_value *value,
                               const struct fovea_attr *attr);
struct fovea_value *build_set_int(struct graph_build *b, struct fovea_value *value,
                                  const char *name, int64_t number);
struct fovea_value *build_set_float(struct graph_build *b, struct fovea_value *value,
                                    const char *name, float number);
struct fovea_value *build_set_ints(struct graph_build *b, struct fovea_value *value,
                                   const char *name, const int64_t *numbers, size_t count);
struct fovea_value *build_set_string(struct graph_build *b, struct fovea_value *value,
                                     const char *name, const char *text);

struct fovea_value *build_reshape(struct graph_build *b, struct fovea_value *x, size_t rank,
                                  const int64_t *dims);
struct fovea_value *build_transpose(struct graph_build *b, struct fovea_value *x, size_t rank,
                                    const int64_t *perm);

/* The model with its inputs and outputs declared; owned by `b`. NULL after a failure. */
const struct fovea_model *build_model(struct graph_build *b);

/* Reproducible contents for every input of `b` (owned by the caller), dims as built. */
enum fovea_status build_fill_inputs(struct graph_build *b, struct fovea_tensor *inputs);

/* One run: outputs (to be freed), the operators that were left, the passes' counts. */
struct build_run {
    struct fovea_tensor outputs[BUILD_MAX_IO];
    size_t n_outputs;
    char ops[512]; /* types in order, ones of ours as "fovea.Type" */
    struct fovea_pass_log log;
    struct fovea_plan plan;
};
enum fovea_status build_run(struct graph_build *b, const struct fovea_tensor *inputs,
                            const struct fovea_session_options *options, struct build_run *out);
void build_run_finish(struct build_run *run);

/*
 * Run without passes, with `passes`, and with those and every constant that
 * can be deferred; `ops`, `log` and `plan` are the second's. `error` is the
 * largest difference over the largest magnitude of the first two, infinite
 * where types or shapes differ, or where the third gives other bits.
 */
struct build_result {
    double error;
    char ops[512];
    struct fovea_pass_log log;
    struct fovea_plan plan;
};
enum fovea_status build_compare(struct graph_build *b, const char *passes,
                                struct build_result *out);

/*
 * Compare with `passes`, check that results agree within `tolerance`, that the
 * graph then has the operators `ops` (NULL: any), and finish `b`.
 */
void build_expect(const char *file, int line, struct graph_build *b, const char *passes,
                  double tolerance, const char *ops);
#define EXPECT_OPS(b, passes, ops) build_expect(__FILE__, __LINE__, (b), (passes), 1e-5, (ops))

/* How often pass `name` fired; -1 if it did not run. */
int build_count(const struct build_result *result, const char *name);

#endif
