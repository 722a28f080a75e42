/* Graphs from bytes: see graph_maker.h. */
#include "tests/fuzz/graph_maker.h"

#include "ops/registry.h"
#include "tests/onnx_parts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MOST_NODES = 12, MOST_VALUES = 64, MOST_OUTPUTS = 3, MOST_ELEMENTS = 1 << 12, DEPTH = 2 };

/* ---- choices -------------------------------------------------------------- */

/* The bytes that choose; zeroes after their end. */
struct source {
    const uint8_t *at;
    size_t left;
};

static unsigned take(struct source *from) {
    if (from->left == 0) {
        return 0;
    }
    from->left--;
    return *from->at++;
}

static unsigned below(struct source *from, unsigned bound) {
    return take(from) % bound;
}

static const int64_t numbers[] = {
    1,  0,  2,  -1, 3,   4,   5,    8,    -2,    7,         13,        16,
    17, 21, 32, -3, 100, 255, 4096, -100, 65536, INT32_MAX, INT64_MIN, INT64_MAX,
};

/* Mostly small. */
static int64_t number(struct source *from) {
    unsigned choice = take(from);
    return numbers[choice < 224 ? choice % 10 : choice % (sizeof(numbers) / sizeof(numbers[0]))];
}

static float real(struct source *from) {
    static const float reals[] = {1,         0,          0.5f,   -1,    2,     1e-5f,    3,
                                  0.044715f, 0.7978846f, 1.702f, -0.0f, 1e30f, INFINITY, NAN};
    return reals[below(from, sizeof(reals) / sizeof(reals[0]))];
}

static const char *word(struct source *from) {
    static const char *const words[] = {"NOTSET",
                                        "SAME_UPPER",
                                        "SAME_LOWER",
                                        "VALID",
                                        "constant",
                                        "reflect",
                                        "edge",
                                        "wrap",
                                        "nearest",
                                        "linear",
                                        "cubic",
                                        "half_pixel",
                                        "pytorch_half_pixel",
                                        "align_corners",
                                        "asymmetric",
                                        "tf_crop_and_resize",
                                        "floor",
                                        "ceil",
                                        "round_prefer_floor",
                                        "round_prefer_ceil",
                                        "stretch",
                                        "not_larger",
                                        "not_smaller",
                                        "tanh",
                                        "none",
                                        "add",
                                        "mul",
                                        "min",
                                        "max",
                                        "DCR",
                                        "CRD",
                                        "LEFT",
                                        "RIGHT",
                                        "ij,jk->ik",
                                        "bhid,bhjd->bhij",
                                        "...i->...",
                                        "ii->i",
                                        ""};
    return words[below(from, sizeof(words) / sizeof(words[0]))];
}

/* ---- a graph ---------------------------------------------------------------- */

struct maker {
    struct source from;
    struct onnx_parts parts;
    char values[MOST_VALUES][8];
    unsigned n_values, n_names;
    int opset;
    unsigned depth;  /* of subgraphs being written */
    bool continuous; /* no operator yet where a little difference may become a large one */
};

static const char *new_name(struct maker *m) {
    char *name = m->values[m->n_values % MOST_VALUES];
    snprintf(name, sizeof(m->values[0]), "v%u", m->n_names++ % 1000000);
    m->n_values++;
    return name;
}

static const char *any_value(struct maker *m) {
    unsigned there = m->n_values < MOST_VALUES ? m->n_values : MOST_VALUES;
    unsigned back = below(&m->from, 16) % there; /* mostly recent ones */
    return m->values[(m->n_values - 1 - back) % MOST_VALUES];
}

static int dims_of(struct maker *m, int64_t *dims) {
    static const int64_t sides[] = {2, 1, 3, 4, 8, 5, 7, 16, 6, 17, 0};
    unsigned choice = take(&m->from);
    int rank = choice < 128 ? 4 : (int)(choice % 6);
    for (int i = 0; i < rank; i++) {
        dims[i] = sides[below(&m->from, sizeof(sides) / sizeof(sides[0]))];
    }
    return rank;
}

static void contents(struct maker *m, struct pb *pb, int type, int64_t count) {
    size_t begin = pb_begin(pb, 9);
    unsigned start = take(&m->from);
    for (int64_t i = 0; i < count; i++) {
        float f = (float)((start + (unsigned)i * 7) % 13) / 4 - 1;
        int64_t n = (int64_t)f;
        switch (type) {
        case ONNX_FLOAT:
            pb_raw(pb, &f, sizeof(f));
            break;
        case ONNX_INT64:
            n = count <= 8 ? number(&m->from) : n;
            pb_raw(pb, &n, sizeof(n));
            break;
        default:
            n = n > 0;
            pb_raw(pb, &n, 1);
        }
    }
    pb_end(pb, begin);
}

/* A tensor's fields but for its name. */
static void tensor(struct maker *m, struct pb *pb, uint32_t field, const char *name) {
    static const int types[] = {ONNX_FLOAT, ONNX_FLOAT, ONNX_FLOAT, ONNX_INT64,
                                ONNX_INT64, ONNX_BOOL,  ONNX_UINT8};
    int64_t dims[8], count = 1;
    int type = types[below(&m->from, sizeof(types) / sizeof(types[0]))];
    int rank = type == ONNX_INT64 ? 1 : dims_of(m, dims);
    if (type == ONNX_INT64) {
        unsigned choice = take(&m->from);
        rank = choice % 8 != 7;
        dims[0] = choice % 8;
    }
    size_t begin = pb_begin(pb, field);
    for (int i = 0; i < rank; i++) {
        dims[i] = count * dims[i] <= MOST_ELEMENTS ? dims[i] : 1;
        pb_int(pb, 1, dims[i]);
        count *= dims[i];
    }
    pb_int(pb, 2, type);
    if (name) {
        pb_text(pb, 8, name);
    }
    contents(m, pb, type, count);
    pb_end(pb, begin);
}

static void write_subgraph(struct maker *m, struct pb *pb);

static void attribute(struct maker *m, struct pb *pb, const struct fovea_attr_spec *spec) {
    static const int codes[] = {1, 2, 3, 4, 6, 7, 8, 5, 13}; /* AttributeProto.type by our kinds */
    unsigned count = spec->kind >= FOVEA_ATTR_FLOATS ? below(&m->from, 9) : 1;
    size_t begin = pb_begin(pb, 5);
    pb_text(pb, 1, spec->name);
    for (unsigned i = 0; i < count && spec->kind != FOVEA_ATTR_GRAPH; i++) {
        switch (spec->kind) {
        case FOVEA_ATTR_FLOAT:
            pb_float(pb, 2, real(&m->from));
            break;
        case FOVEA_ATTR_INT:
            pb_int(pb, 3, number(&m->from));
            break;
        case FOVEA_ATTR_STRING:
            pb_text(pb, 4, word(&m->from));
            break;
        case FOVEA_ATTR_TENSOR:
            tensor(m, pb, 5, NULL);
            break;
        case FOVEA_ATTR_FLOATS:
            pb_float(pb, 7, real(&m->from));
            break;
        case FOVEA_ATTR_INTS:
            pb_int(pb, 8, number(&m->from));
            break;
        case FOVEA_ATTR_STRINGS:
            pb_text(pb, 9, word(&m->from));
            break;
        case FOVEA_ATTR_GRAPH:
        case FOVEA_ATTR_NONE:
            break;
        }
    }
    if (spec->kind == FOVEA_ATTR_GRAPH) {
        write_subgraph(m, pb);
    }
    pb_int(pb, 20, codes[spec->kind]);
    pb_end(pb, begin);
}

static void operand(struct maker *m, struct pb *node) {
    unsigned choice = take(&m->from);
    if (choice % 32 == 31) {
        pb_text(node, 1, ""); /* absent */
    } else if (choice % 4 == 3) {
        const char *name = new_name(m);
        tensor(m, &m->parts.initializers, 5, name);
        pb_text(node, 1, name);
    } else {
        pb_text(node, 1, any_value(m));
    }
}

/* Where two ways of computing the same may rightly come to different results. */
static bool jumps(const char *type) {
    static const char *const types[] = {"ArgMax",
                                        "ArgMin",
                                        "Cast",
                                        "CastLike",
                                        "Ceil",
                                        "DequantizeLinear",
                                        "DynamicQuantizeLinear",
                                        "Equal",
                                        "Floor",
                                        "Greater",
                                        "GreaterOrEqual",
                                        "Hardmax",
                                        "If",
                                        "IsInf",
                                        "IsNaN",
                                        "Less",
                                        "LessOrEqual",
                                        "Loop",
                                        "Mod",
                                        "NonZero",
                                        "Not",
                                        "QuantizeLinear",
                                        "Round",
                                        "Sign",
                                        "TopK",
                                        "Where",
                                        "OneHot",
                                        "Gather",
                                        "GatherElements",
                                        "GatherND",
                                        "Resize",
                                        "Upsample",
                                        "Tan",
                                        "Reciprocal",
                                        "Div",
                                        "Log",
                                        "Sqrt",
                                        "Pow",
                                        "RandomNormal",
                                        "Acos",
                                        "Acosh",
                                        "Asin",
                                        "Atanh"};
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (strcmp(type, types[i]) == 0) {
            return true;
        }
    }
    return false;
}

static const struct fovea_op_entry *choose(struct maker *m) {
    size_t count;
    const struct fovea_op_entry *table = fovea_op_table(&count);
    size_t index = (take(&m->from) << 8 | take(&m->from)) % count;
    const struct fovea_op *op = fovea_op_find(table[index].domain, table[index].type, m->opset);
    return op && !table[index].domain[0] ? &table[index] : NULL;
}

static void node(struct maker *m, struct pb *pb) {
    const struct fovea_op_entry *entry = choose(m);
    if (!entry) {
        return;
    }
    const struct fovea_op *op = fovea_op_find("", entry->type, m->opset);
    int more = op->max_in > op->min_in ? (int)below(&m->from, 5) : 0;
    int n_in = op->min_in + more < op->max_in ? op->min_in + more : op->max_in;
    int n_out = op->max_out > op->min_out ? op->min_out + (int)below(&m->from, 3) : op->min_out;
    char name[16];
    size_t begin = pb_begin(pb, 1);
    for (int i = 0; i < n_in; i++) {
        operand(m, pb);
    }
    for (const struct fovea_attr_spec *spec = op->attrs; spec && spec->name; spec++) {
        if ((spec->required || take(&m->from) % 2) && spec->kind != FOVEA_ATTR_NONE &&
            (spec->kind != FOVEA_ATTR_GRAPH || m->depth < DEPTH)) {
            attribute(m, pb, spec);
        }
    }
    /* Last, so that no subgraph of it uses what it makes. */
    for (int i = 0; i < n_out && i < op->max_out && i < 8; i++) {
        pb_text(pb, 2, new_name(m));
    }
    snprintf(name, sizeof(name), "n%u", m->n_names);
    pb_text(pb, 3, name);
    pb_text(pb, 4, entry->type);
    pb_end(pb, begin);
    m->continuous = m->continuous && !jumps(entry->type);
}

/* A body with two inputs or none (Loop has them, If has not), and an output or two. */
static void write_subgraph(struct maker *m, struct pb *pb) {
    static const int types[] = {ONNX_INT64, ONNX_BOOL, ONNX_FLOAT};
    unsigned before = m->n_values, n_in = below(&m->from, 4), n_nodes = below(&m->from, 4);
    size_t begin = pb_begin(pb, 6);
    m->depth++;
    for (unsigned i = 0; i < n_in; i++) {
        onnx_value(pb, 11, new_name(m), types[i % 3], i % 3 == 2 ? 2 : 0, (int64_t[]){2, 3});
    }
    for (unsigned i = 0; i < n_nodes; i++) {
        node(m, pb);
    }
    for (unsigned i = 0; i <= n_in / 2; i++) {
        size_t value = pb_begin(pb, 12);
        pb_text(pb, 1, any_value(m));
        pb_end(pb, value);
    }
    pb_text(pb, 2, "body");
    m->depth--;
    m->n_values = before; /* out of scope; their names are not used again */
    pb_end(pb, begin);
}

/* An output has a type, and that of a value is not known here: it is made f32. */
static void output(struct maker *m, unsigned index, const char *value) {
    char name[16];
    snprintf(name, sizeof(name), "o%u", index);
    size_t cast = onnx_node_begin(&m->parts.nodes, "Cast", name, value, name);
    size_t to = pb_begin(&m->parts.nodes, 5);
    pb_text(&m->parts.nodes, 1, "to");
    pb_int(&m->parts.nodes, 3, ONNX_FLOAT);
    pb_int(&m->parts.nodes, 20, 2);
    pb_end(&m->parts.nodes, to);
    pb_end(&m->parts.nodes, cast);
    size_t begin = pb_begin(&m->parts.outputs, 12);
    pb_text(&m->parts.outputs, 1, name);
    size_t type = pb_begin(&m->parts.outputs, 2);
    size_t tensor_type = pb_begin(&m->parts.outputs, 1);
    pb_int(&m->parts.outputs, 1, ONNX_FLOAT);
    pb_end(&m->parts.outputs, tensor_type);
    pb_end(&m->parts.outputs, type);
    pb_end(&m->parts.outputs, begin);
}

static void graph(struct maker *m) {
    unsigned n_in = 1 + below(&m->from, 2), n_nodes = 1 + below(&m->from, MOST_NODES);
    m->opset = FOVEA_OPSET_MIN + (int)below(&m->from, FOVEA_OPSET_MAX - FOVEA_OPSET_MIN + 1);
    pb_int(&m->parts.head, 1, 8);
    onnx_opset(&m->parts.opsets, "", m->opset);
    for (unsigned i = 0; i < n_in; i++) {
        static const int types[] = {ONNX_FLOAT,  ONNX_FLOAT, ONNX_FLOAT, ONNX_INT64, ONNX_FLOAT16,
                                    ONNX_DOUBLE, ONNX_UINT8, ONNX_BOOL,  ONNX_INT32};
        int64_t dims[8];
        int type = types[below(&m->from, sizeof(types) / sizeof(types[0]))],
            rank = dims_of(m, dims);
        onnx_value(&m->parts.inputs, 11, new_name(m), type, rank, dims);
    }
    for (unsigned i = 0; i < n_nodes; i++) {
        node(m, &m->parts.nodes);
    }
    unsigned there = m->n_values < MOST_VALUES ? m->n_values : MOST_VALUES;
    for (unsigned i = 0; i < MOST_OUTPUTS && i < there; i++) {
        output(m, i, m->values[(m->n_values - 1 - i) % MOST_VALUES]);
    }
    pb_text(&m->parts.in_graph, 2, "g");
}

bool graph_make(const uint8_t *data, size_t size, struct pb *out) {
    struct maker m = {.from = {data, size}, .continuous = true};
    graph(&m);
    onnx_parts_encode(&m.parts, out);
    onnx_parts_finish(&m.parts);
    return m.continuous;
}
