/* See arch_builder.h. */
#include "loaders/arch_builder.h"

#include "ops/registry.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Keep the first failure. Returns NULL, for the caller to return. */
static void *fail(struct fovea_arch_builder *b, enum fovea_status status) {
    b->status = b->status ? b->status : status;
    return NULL;
}

static void *fail_memory(struct fovea_arch_builder *b, size_t bytes) {
    return fail(b, fovea_fail_memory(b->err, bytes, "the graph"));
}

void fovea_arch_scope(struct fovea_arch_builder *b, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(b->scope, sizeof(b->scope), format, args);
    va_end(args);
}

/* ---- input and output ----------------------------------------------------- */

static struct fovea_io *make_io(struct fovea_arch_builder *b, struct fovea_value *value,
                                struct fovea_value ***list, int rank, const int64_t *dims) {
    struct fovea_arena *arena = &b->model->graph.arena;
    struct fovea_io *io = fovea_arena_alloc(arena, 1, sizeof(*io));
    *list = fovea_arena_alloc(arena, 1, sizeof(**list));
    if (!io || !*list) {
        return fail_memory(b, sizeof(*io));
    }
    (*list)[0] = value;
    io->name = value->name;
    io->dtype = FOVEA_F32;
    io->rank = rank;
    memcpy(io->dims, dims, (size_t)rank * sizeof(*dims));
    io->dim_names[0] = fovea_arena_copy_text(arena, "batch", 5);
    return io;
}

struct fovea_value *fovea_arch_input(struct fovea_arch_builder *b, int height, int width) {
    const int64_t dims[] = {-1, 3, height > 0 ? height : -1, width > 0 ? width : -1};
    struct fovea_graph *graph = &b->model->graph;
    fovea_graph_init(graph, fovea_op_find, FOVEA_ARCH_OPSET);
    struct fovea_value *x = fovea_graph_add_value(graph, "input");
    if (!x) {
        return fail_memory(b, sizeof(*x));
    }
    b->model->inputs = make_io(b, x, &graph->inputs, 4, dims);
    graph->n_inputs = b->model->inputs ? 1 : 0;
    x->is_input = true;
    fovea_tensor_set_shape(&x->t, FOVEA_F32, 4, dims);
    return b->status ? NULL : x;
}

void fovea_arch_output(struct fovea_arch_builder *b, struct fovea_value *x, int64_t classes) {
    const int64_t dims[] = {-1, classes};
    struct fovea_graph *graph = &b->model->graph;
    if (b->status) {
        return;
    }
    x->name = fovea_arena_copy_text(&graph->arena, "logits", 6);
    if (!x->name) {
        fail_memory(b, 7);
        return;
    }
    b->model->outputs = make_io(b, x, &graph->outputs, 2, dims);
    graph->n_outputs = b->model->outputs ? 1 : 0;
    x->t.dtype = FOVEA_F32;
    x->is_output = true;
}

/* ---- constants ------------------------------------------------------------- */

static struct fovea_value *constant(struct fovea_arch_builder *b, enum fovea_dtype dtype, int rank,
                                    const int64_t *dims, const void *data, size_t bytes) {
    struct fovea_value *value = NULL;
    if (b->status) {
        return NULL;
    }
    enum fovea_status status =
        fovea_graph_add_constant(&b->model->graph, dtype, rank, dims, &value, b->err);
    if (status) {
        return fail(b, status);
    }
    memcpy(value->t.data, data, bytes);
    return value;
}

struct fovea_value *fovea_arch_scalar(struct fovea_arch_builder *b, double number) {
    float f = (float)number;
    return constant(b, FOVEA_F32, 0, NULL, &f, sizeof(f));
}

struct fovea_value *fovea_arch_ints(struct fovea_arch_builder *b, const int64_t *numbers,
                                    size_t n) {
    const int64_t dims[] = {(int64_t)n};
    return constant(b, FOVEA_I64, 1, dims, numbers, n * sizeof(*numbers));
}

/* ---- nodes ------------------------------------------------------------------ */

static struct fovea_node *add_node(struct fovea_arch_builder *b, const char *domain,
                                   const char *type, struct fovea_value *const *in, int n_in) {
    char name[sizeof(b->scope) + 32];
    struct fovea_graph *graph = &b->model->graph;
    struct fovea_node *node;
    if (b->status) {
        return NULL;
    }
    snprintf(name, sizeof(name), "%s%s%s", b->scope, b->scope[0] ? "." : "", type);
    enum fovea_status status =
        fovea_graph_add_node(graph, NULL, domain, type, name, n_in, 1, &node, b->err);
    for (int i = 0; !status && i < n_in; i++) {
        status = fovea_node_set_input(node, i, in[i], b->err);
    }
    if (status) {
        return fail(b, status);
    }
    snprintf(name, sizeof(name), "%zu", graph->n_values);
    struct fovea_value *y = fovea_graph_add_value(graph, name);
    if (!y) {
        return fail_memory(b, sizeof(*y));
    }
    fovea_node_set_output(node, 0, y);
    b->model->n_nodes_loaded++;
    return node;
}

struct fovea_value *fovea_arch_op(struct fovea_arch_builder *b, const char *type,
                                  struct fovea_value *in0, struct fovea_value *in1,
                                  struct fovea_value *in2, struct fovea_value *in3) {
    struct fovea_value *const in[] = {in0, in1, in2, in3};
    int n_in = 0;
    while (n_in < 4 && in[n_in]) {
        n_in++;
    }
    struct fovea_node *node = add_node(b, "", type, in, n_in);
    return node ? node->out[0] : NULL;
}

static struct fovea_value *set_attr(struct fovea_arch_builder *b, struct fovea_value *x,
                                    const struct fovea_attr *attr) {
    if (b->status) {
        return NULL;
    }
    enum fovea_status status = fovea_node_set_attr(x->producer, attr, b->err);
    return status ? fail(b, status) : x;
}

struct fovea_value *fovea_arch_attr_int(struct fovea_arch_builder *b, struct fovea_value *x,
                                        const char *name, int64_t number) {
    const struct fovea_attr attr = {.name = name, .kind = FOVEA_ATTR_INT, .i = number};
    return set_attr(b, x, &attr);
}

struct fovea_value *fovea_arch_attr_float(struct fovea_arch_builder *b, struct fovea_value *x,
                                          const char *name, double number) {
    const struct fovea_attr attr = {.name = name, .kind = FOVEA_ATTR_FLOAT, .f = (float)number};
    return set_attr(b, x, &attr);
}

struct fovea_value *fovea_arch_attr_text(struct fovea_arch_builder *b, struct fovea_value *x,
                                         const char *name, const char *text) {
    const struct fovea_attr attr = {.name = name, .kind = FOVEA_ATTR_STRING, .s = text};
    return set_attr(b, x, &attr);
}

struct fovea_value *fovea_arch_attr_ints(struct fovea_arch_builder *b, struct fovea_value *x,
                                         const char *name, const int64_t *numbers, size_t n) {
    const struct fovea_attr attr = {
        .name = name, .kind = FOVEA_ATTR_INTS, .count = n, .ints = numbers};
    return set_attr(b, x, &attr);
}

struct fovea_value *fovea_arch_scale(struct fovea_arch_builder *b, struct fovea_value *x,
                                     double factor) {
    return factor == 1 ? x : FOVEA_ARCH_OP2(b, "Mul", x, fovea_arch_scalar(b, factor));
}

/* Hendrycks, Gimpel 2016: x/2 (1 + erf(x / sqrt 2)), or its approximation by tanh. */
struct fovea_value *fovea_arch_gelu(struct fovea_arch_builder *b, struct fovea_value *x,
                                    bool tanh) {
    struct fovea_value *bracket;
    if (tanh) {
        struct fovea_value *square = FOVEA_ARCH_OP2(b, "Mul", x, x);
        struct fovea_value *cube = FOVEA_ARCH_OP2(b, "Mul", square, x);
        struct fovea_value *sum = FOVEA_ARCH_OP2(b, "Add", x, fovea_arch_scale(b, cube, 0.044715));
        bracket = FOVEA_ARCH_OP1(b, "Tanh", fovea_arch_scale(b, sum, sqrt(2 / M_PI)));
    } else {
        struct fovea_value *argument = FOVEA_ARCH_OP2(b, "Div", x, fovea_arch_scalar(b, sqrt(2.0)));
        bracket = FOVEA_ARCH_OP1(b, "Erf", argument);
    }
    bracket = FOVEA_ARCH_OP2(b, "Add", bracket, fovea_arch_scalar(b, 1));
    return fovea_arch_scale(b, FOVEA_ARCH_OP2(b, "Mul", x, bracket), 0.5);
}

struct fovea_value *fovea_arch_reshape(struct fovea_arch_builder *b, struct fovea_value *x,
                                       const int64_t *dims, size_t rank) {
    return FOVEA_ARCH_OP2(b, "Reshape", x, fovea_arch_ints(b, dims, rank));
}

struct fovea_value *fovea_arch_transpose(struct fovea_arch_builder *b, struct fovea_value *x,
                                         const int64_t *perm, size_t rank) {
    return fovea_arch_attr_ints(b, FOVEA_ARCH_OP1(b, "Transpose", x), "perm", perm, rank);
}

struct fovea_value *fovea_arch_slice(struct fovea_arch_builder *b, struct fovea_value *x,
                                     int64_t axis, int64_t from, int64_t to) {
    return fovea_arch_op(b, "Slice", x, fovea_arch_ints(b, &from, 1), fovea_arch_ints(b, &to, 1),
                         fovea_arch_ints(b, &axis, 1));
}

struct fovea_value *fovea_arch_mean(struct fovea_arch_builder *b, struct fovea_value *x,
                                    const int64_t *axes, size_t n) {
    return FOVEA_ARCH_OP2(b, "ReduceMean", x, fovea_arch_ints(b, axes, n));
}

/* ---- parameters -------------------------------------------------------------- */

/* The shape that a form gives dimensions in PyTorch's order. */
static void dims_in_file(enum fovea_arch_form form, int rank, const int64_t *dims, int64_t *out) {
    static const int hwio[4] = {2, 3, 1, 0};
    for (int d = 0; d < rank; d++) {
        bool swap = form == FOVEA_ARCH_IN_OUT && d < 2;
        out[d] = dims[swap ? 1 - d : form == FOVEA_ARCH_HWIO ? hwio[d] : d];
    }
}

/* Matrices of 1x1 convolutions and of linear layers are the same; so are [1, n] and [n]. */
static bool same_but_for_ones(const struct fovea_tensor *t, int rank, const int64_t *dims) {
    int i = 0, k = 0;
    for (;;) {
        while (i < t->rank && t->dims[i] == 1) {
            i++;
        }
        while (k < rank && dims[k] == 1) {
            k++;
        }
        if (i == t->rank || k == rank) {
            return i == t->rank && k == rank;
        }
        if (t->dims[i++] != dims[k++]) {
            return false;
        }
    }
}

/* Random weights that keep activations of order one: gains near 1, matrices by their fan-in. */
static struct fovea_value *make_up(struct fovea_arch_builder *b, const char *name, int rank,
                                   const int64_t *dims) {
    struct fovea_node *node = add_node(b, "fovea", "RandomWeights", NULL, 0);
    if (!node) {
        return NULL;
    }
    struct fovea_value *y = node->out[0];
    size_t length = strlen(name);
    bool bias = length >= 4 && strcmp(name + length - 4, "bias") == 0;
    double fan_in = 1;
    for (int d = 1; d < rank; d++) {
        fan_in *= (double)dims[d];
    }
    bool gain = fan_in == 1 && !bias;
    fovea_arch_attr_ints(b, y, "shape", dims, (size_t)rank);
    fovea_arch_attr_int(b, y, "seed", (int64_t)b->params->seed++);
    fovea_arch_attr_float(b, y, "mean", gain ? 1 : 0);
    fovea_arch_attr_float(b, y, "scale", gain || bias ? 0.05 : 1 / sqrt(fan_in));
    return b->status ? NULL : y;
}

static struct fovea_value *borrow(struct fovea_arch_builder *b,
                                  const struct fovea_arch_param *param, int rank,
                                  const int64_t *dims) {
    struct fovea_value *value = fovea_graph_add_value(&b->model->graph, param->name);
    if (!value) {
        return fail_memory(b, sizeof(*value));
    }
    fovea_tensor_set_shape(&value->t, param->t.dtype, rank, dims);
    fovea_value_set_constant(value, param->t.data, false);
    b->model->parameter_bytes += fovea_tensor_bytes(&value->t);
    return value;
}

/* The parameter as it lies, with `dims` in PyTorch's order; its form in *form. */
static struct fovea_value *take(struct fovea_arch_builder *b, const char *name, int rank,
                                const int64_t *dims, enum fovea_arch_form *form) {
    struct fovea_tensor wanted = {0};
    int64_t in_file[FOVEA_MAX_RANK];
    if (b->status) {
        return NULL;
    }
    fovea_tensor_set_shape(&wanted, FOVEA_F32, rank, dims);
    enum fovea_status status = fovea_tensor_check_shape(&wanted, b->err);
    if (status) {
        fovea_error_prefix(b->err, "%s%s%s", b->scope, b->scope[0] ? "." : "", name);
        return fail(b, status);
    }
    struct fovea_arch_param *param =
        fovea_arch_params_find(b->params, "%s%s%s", b->scope, b->scope[0] ? "." : "", name);
    *form = param ? param->form : FOVEA_ARCH_PLAIN;
    b->params->n_elements += fovea_tensor_count(&wanted);
    if (!param) {
        if (!b->params->random) {
            fovea_arch_params_note(b->params, FOVEA_ARCH_MISSING, "%s%s%s %s", b->scope,
                                   b->scope[0] ? "." : "", name, fovea_shape_text(&wanted).text);
        }
        return make_up(b, name, rank, dims);
    }
    param->used = true;
    dims_in_file(*form, rank, dims, in_file);
    if (!same_but_for_ones(&param->t, rank, in_file) || !fovea_dtype_is_float(param->t.dtype)) {
        fovea_tensor_set_shape(&wanted, FOVEA_F32, rank, in_file);
        fovea_arch_params_note(b->params, FOVEA_ARCH_MISSHAPEN, "%s is %s %s; %s expected",
                               fovea_quote(param->source).text, fovea_dtype_name(param->t.dtype),
                               fovea_shape_text(&param->t).text, fovea_shape_text(&wanted).text);
        *form = FOVEA_ARCH_PLAIN;
        return make_up(b, name, rank, dims);
    }
    return borrow(b, param, rank, in_file);
}

struct fovea_value *fovea_arch_tensor(struct fovea_arch_builder *b, const char *name, int rank,
                                      const int64_t *dims) {
    static const int64_t swap[] = {1, 0}, oihw[] = {3, 2, 0, 1};
    enum fovea_arch_form form = FOVEA_ARCH_PLAIN;
    struct fovea_value *value = take(b, name, rank, dims, &form);
    if (form == FOVEA_ARCH_HWIO) {
        return fovea_arch_transpose(b, value, oihw, 4);
    }
    if (form == FOVEA_ARCH_PLAIN || b->status) {
        return value;
    }
    /* A matrix wanted as a 1x1 convolution. */
    const int64_t matrix[] = {dims[1], dims[0]};
    fovea_tensor_set_shape(&value->t, value->t.dtype, 2, matrix);
    return fovea_arch_reshape(b, fovea_arch_transpose(b, value, swap, 2), dims, (size_t)rank);
}

struct fovea_value *fovea_arch_vector(struct fovea_arch_builder *b, const char *name, int64_t n) {
    return fovea_arch_tensor(b, name, 1, &n);
}

struct fovea_value *fovea_arch_matrix(struct fovea_arch_builder *b, const char *name, int64_t in,
                                      int64_t out) {
    static const int64_t swap[] = {1, 0};
    const int64_t dims[] = {out, in};
    enum fovea_arch_form form = FOVEA_ARCH_PLAIN;
    struct fovea_value *value = take(b, name, 2, dims, &form);
    return form == FOVEA_ARCH_IN_OUT ? value : fovea_arch_transpose(b, value, swap, 2);
}

/* ---- layers -------------------------------------------------------------------- */

/* "name.part" */
static const char *part_name(char text[96], const char *name, const char *part) {
    snprintf(text, 96, "%s.%s", name, part);
    return text;
}

struct fovea_value *fovea_arch_linear(struct fovea_arch_builder *b, struct fovea_value *x,
                                      const char *name, int64_t in, int64_t out, bool bias) {
    char text[96];
    struct fovea_value *w = fovea_arch_matrix(b, part_name(text, name, "weight"), in, out);
    struct fovea_value *y = FOVEA_ARCH_OP2(b, "MatMul", x, w);
    if (!bias) {
        return y;
    }
    return FOVEA_ARCH_OP2(b, "Add", y, fovea_arch_vector(b, part_name(text, name, "bias"), out));
}

struct fovea_value *fovea_arch_layer_norm(struct fovea_arch_builder *b, struct fovea_value *x,
                                          const char *name, int64_t width, double eps) {
    char text[96];
    struct fovea_value *weight = fovea_arch_vector(b, part_name(text, name, "weight"), width);
    struct fovea_value *bias = fovea_arch_vector(b, part_name(text, name, "bias"), width);
    struct fovea_value *y = fovea_arch_op(b, "LayerNormalization", x, weight, bias, NULL);
    return fovea_arch_attr_float(b, fovea_arch_attr_int(b, y, "axis", -1), "epsilon", eps);
}
