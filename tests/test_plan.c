/*
 * The planner: whatever shares memory, a run must give the bits that separate
 * buffers give. Random graphs, the known hazards, and the size of the arena.
 */
#include "tests/check.h"
#include "tests/graph_build.h"
#include "tests/separate_buffers.h"

typedef struct fovea_value V;

/* ---- random graphs ------------------------------------------------------------ */

static uint32_t random_below(uint64_t *state, uint32_t n) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 33) % n;
}

enum { MAX_VALUES = 40 };

/* Every value has 96 elements, as one of these shapes: a half of one is whole cache lines. */
static const struct {
    size_t rank;
    int64_t dims[4];
} shapes[] = {{1, {96}}, {2, {8, 12}}, {2, {12, 8}}, {3, {2, 6, 8}}, {4, {1, 2, 6, 8}}};

static V *reshaped(struct graph_build *b, V *x, uint32_t to) {
    return build_reshape(b, x, shapes[to].rank, shapes[to].dims);
}

struct pool {
    V *values[MAX_VALUES];
    uint32_t shape[MAX_VALUES];
    uint32_t n;
};

static void add(struct pool *pool, V *value, uint32_t shape) {
    if (pool->n < MAX_VALUES) {
        pool->values[pool->n] = value;
        pool->shape[pool->n++] = shape;
    }
}

static void add_split(struct graph_build *b, struct pool *pool, V *x, uint64_t *state) {
    V *flat = reshaped(b, x, 3);
    struct fovea_node *node = build_node(b, "Split", &flat, 1, 2);
    if (node) {
        build_set_int(b, node->out[0], "axis", 0);
        V *joined = OP(b, "Concat", node->out[random_below(state, 2)], node->out[1]);
        add(pool, build_set_int(b, joined, "axis", 0), 3);
    }
}

/* Two values end to end, and cut again: in halves. */
static void add_joined(struct graph_build *b, struct pool *pool, V *x, V *z, uint64_t *state) {
    V *joined = OP(b, "Concat", reshaped(b, x, 0), reshaped(b, z, 0));
    build_set_int(b, joined, "axis", -1);
    if (random_below(state, 2)) {
        joined = OP(b, "Tanh", joined);
    }
    struct fovea_node *split = build_node(b, "Split", &joined, 1, 2);
    for (int i = 0; split && i < 2; i++) {
        add(pool, split->out[i], 0);
    }
}

static void grow(struct graph_build *b, struct pool *pool, uint64_t *state) {
    static const char *const unary[] = {"Relu", "Neg", "Tanh", "Identity"};
    static const char *const binary[] = {"Add", "Mul", "Sub", "Max"};
    uint32_t i = random_below(state, pool->n), j = random_below(state, pool->n);
    V *x = pool->values[i], *z = pool->values[j];
    uint32_t shape = pool->shape[i], other = random_below(state, 5);
    switch (random_below(state, 9)) {
    case 0:
    case 1:
        add(pool, OP(b, unary[random_below(state, 4)], x), shape);
        break;
    case 2:
        add(pool, reshaped(b, x, other), other);
        break;
    case 3: /* x + reshape(x) */
        add(pool, OP(b, "Add", x, reshaped(b, reshaped(b, x, other), shape)), shape);
        break;
    case 4: { /* a transpose that is not square, under the other name */
        V *moved = build_transpose(b, reshaped(b, x, 1), 2, DIMS(1, 0));
        add(pool, OP(b, "Add", moved, reshaped(b, z, 2)), 2);
        break;
    }
    case 5:
        add_split(b, pool, x, state);
        break;
    case 6:
        add_joined(b, pool, x, z, state);
        break;
    default:
        add(pool, OP(b, binary[random_below(state, 4)], x, reshaped(b, z, shape)), shape);
        break;
    }
}

static void build_random_graph(struct graph_build *b, uint64_t *state) {
    struct pool pool = {.n = 0};
    build_init(b, 13);
    uint32_t n_inputs = 1 + random_below(state, 3), n_nodes = 3 + random_below(state, 30);
    for (uint32_t i = 0; i < n_inputs; i++) {
        uint32_t shape = random_below(state, 5);
        V *x = build_input(b, FOVEA_F32, (int)shapes[shape].rank, shapes[shape].dims);
        add(&pool, x, shape);
    }
    for (uint32_t i = 0; i < n_nodes && pool.n < MAX_VALUES; i++) {
        grow(b, &pool, state);
    }
    uint32_t n_outputs = 1 + random_below(state, 4);
    for (uint32_t i = 0; i < n_outputs; i++) { /* inputs and repeats among them */
        uint32_t at = random_below(state, 3) ? pool.n - 1 - random_below(state, 3) % pool.n
                                             : random_below(state, pool.n);
        build_output(b, pool.values[at]);
    }
}

static void random_graphs__any__same_bits(void) {
    for (uint64_t seed = 1; seed <= 400; seed++) {
        struct graph_build b;
        uint64_t state = seed * 7919;
        build_random_graph(&b, &state);
        EXPECT_SAME_BITS(&b);
    }
}

static void random_graphs__with_passes__same_bits(void) {
    for (uint64_t seed = 1; seed <= 400; seed++) {
        struct graph_build b;
        uint64_t state = seed * 104729;
        build_random_graph(&b, &state);
        EXPECT_BITS(&b, "clean,elementwise", NULL, NULL);
    }
}

/* ---- known hazards --------------------------------------------------------------- */

static void in_place__same_memory_in_another_shape__not_overwritten(void) {
    struct graph_build b;
    build_init(&b, 13);
    V *x = build_input(&b, FOVEA_F32, 2, DIMS(1, 6));
    V *y = OP(&b, "Neg", x);
    V *column = build_reshape(&b, y, 2, DIMS(6, 1));
    build_output(&b, OP(&b, "Add", y, column)); /* [6,6] */
    EXPECT_SAME_BITS(&b);

    build_init(&b, 13); /* the same size, but read across: [6,6] + [36] as rows */
    x = build_input(&b, FOVEA_F32, 2, DIMS(6, 6));
    y = OP(&b, "Neg", x);
    V *moved = build_transpose(&b, y, 2, DIMS(1, 0));
    build_output(&b, OP(&b, "Sub", y, moved));
    EXPECT_SAME_BITS(&b);

    build_init(&b, 13); /* a broadcast of the memory that could be written over */
    x = build_input(&b, FOVEA_F32, 3, DIMS(1, 4, 1));
    y = OP(&b, "Neg", x);
    V *row = build_reshape(&b, y, 3, DIMS(1, 1, 4));
    build_output(&b, OP(&b, "Mul", row, y));
    EXPECT_SAME_BITS(&b);
}

static void in_place__value_read_later__not_overwritten(void) {
    struct graph_build b;
    build_init(&b, 13);
    V *x = build_input(&b, FOVEA_F32, 1, DIMS(100));
    V *y = OP(&b, "Neg", x);
    V *view = build_reshape(&b, y, 2, DIMS(10, 10));
    V *z = OP(&b, "Relu", y);
    V *again = build_reshape(&b, view, 1, DIMS(100));
    build_output(&b, OP(&b, "Add", z, again));
    EXPECT_SAME_BITS(&b);
}

/* relu(conv(x) + residual), 1x1, [2,16,6,5]: the addition may be done where the residual lies. */
static V *build_residual_conv(struct graph_build *b, V *x, V *residual) {
    V *y = OP(b, "Conv", x, build_random(b, 4, DIMS(16, 16, 1, 1)), build_random(b, 1, DIMS(16)));
    return OP(b, "Relu", OP(b, "Add", y, residual));
}

static void residual__of_a_convolution__same_as_without_passes(void) {
    struct graph_build b;
    build_init(&b, 13); /* dies with the convolution */
    V *x = build_input(&b, FOVEA_F32, 4, DIMS(2, 16, 6, 5));
    V *y = OP(&b, "Tanh", x), *residual = OP(&b, "MaxPool", y);
    build_set_ints(&b, residual, "kernel_shape", DIMS(1, 1), 2);
    build_output(&b, build_residual_conv(&b, y, residual));
    EXPECT_OPS(&b, "on", NULL);

    build_init(&b, 13); /* is read again later, and is an output */
    x = build_input(&b, FOVEA_F32, 4, DIMS(2, 16, 6, 5));
    y = OP(&b, "Tanh", x);
    residual = build_residual_conv(&b, y, y);
    build_output(&b, residual);
    V *z = build_residual_conv(&b, OP(&b, "Sigmoid", y), residual);
    build_output(&b, build_residual_conv(&b, z, residual));
    EXPECT_OPS(&b, "on", NULL);

    build_init(&b, 13); /* is also what the convolution reads, under another name */
    x = build_input(&b, FOVEA_F32, 4, DIMS(2, 16, 6, 5));
    y = OP(&b, "Tanh", x);
    V *same = build_reshape(&b, build_reshape(&b, y, 1, DIMS(960)), 4, DIMS(2, 16, 6, 5));
    build_output(&b, build_residual_conv(&b, y, same));
    EXPECT_OPS(&b, "on", NULL);
}

static void outputs__views_repeats_and_inputs__same_bits(void) {
    struct graph_build b;
    build_init(&b, 13);
    V *x = build_input(&b, FOVEA_F32, 2, DIMS(4, 6));
    V *view = build_reshape(&b, x, 1, DIMS(24)); /* a view of a graph input */
    V *y = OP(&b, "Relu", view);
    build_output(&b, view);
    build_output(&b, y);
    build_output(&b, y);                   /* one value, twice */
    build_output(&b, OP(&b, "Tanh", y));   /* an output that is read further on */
    build_output(&b, x);                   /* an input, untouched */
    build_output(&b, OP(&b, "Neg", view)); /* would like to write over the input */
    build_output(&b, build_random(&b, 1, DIMS(3)));
    EXPECT_SAME_BITS(&b);
}

static void outputs__unread_and_empty__same_bits(void) {
    struct graph_build b;
    build_init(&b, 13);
    V *x = build_input(&b, FOVEA_F32, 2, DIMS(4, 6));
    V *none = build_input(&b, FOVEA_F32, 2, DIMS(0, 6));
    struct fovea_node *split = build_node(&b, "Split", &x, 1, 2);
    OP(&b, "Relu", x); /* nobody reads it */
    V *y = split ? OP(&b, "Neg", split->out[1]) : NULL;
    build_output(&b, y);
    build_output(&b, OP(&b, "Relu", none));
    build_output(&b, build_set_int(&b, OP(&b, "Concat", none, x), "axis", 0));
    EXPECT_SAME_BITS(&b);
}

static void diamond__both_sides_alive__same_bits(void) {
    struct graph_build b;
    build_init(&b, 13);
    V *x = OP(&b, "Neg", build_input(&b, FOVEA_F32, 1, DIMS(50)));
    V *left = OP(&b, "Relu", x), *right = OP(&b, "Tanh", x);
    V *deep = OP(&b, "Mul", left, left);
    build_output(&b, OP(&b, "Add", OP(&b, "Sub", deep, right), OP(&b, "Mul", left, right)));
    EXPECT_SAME_BITS(&b);
}

static void first_output__absent__others_hold(void) {
    struct graph_build b;
    build_init(&b, 13);
    V *x = build_input(&b, FOVEA_F32, 2, DIMS(4, 6));
    V *y = OP(&b, "Neg", x);
    struct fovea_node *split = build_node(&b, "Split", &y, 1, 2);
    if (split) {
        split->out[0]->producer = NULL;
        split->out[0] = NULL;
        build_output(&b, OP(&b, "Relu", OP(&b, "Tanh", split->out[1])));
        build_output(&b, OP(&b, "Relu", y));
    }
    EXPECT_BITS(&b, "on", NULL, NULL);
}

/* ---- the arena ---------------------------------------------------------------------- */

static void arena__long_chain__two_values_or_less(void) {
    static const char *const types[] = {"Relu", "Softmax"}; /* in place, and not */
    for (int t = 0; t < 2; t++) {
        struct graph_build b;
        size_t arena, sum;
        build_init(&b, 13);
        V *x = build_input(&b, FOVEA_F32, 2, DIMS(10, 160));
        for (int i = 0; i < 20; i++) {
            x = OP(&b, types[t], x);
        }
        build_output(&b, x);
        EXPECT_BITS(&b, "off", &arena, &sum);
        CHECK(sum == 21 * 6400);
        CHECK(arena <= (t ? 2 : 1) * 6400);
    }
}

/* Rows of a table lie in one piece, columns do not. */
static void arena__parts_of_a_whole__lie_in_it(void) {
    static const struct {
        int64_t columns;
        int axis;
        size_t arena; /* in values of half the size of the whole */
    } cases[] = {{96, 0, 3}, {96, 1, 4}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct graph_build b;
        size_t arena, sum, half = (size_t)cases[i].columns * 16;
        build_init(&b, 13);
        V *x = build_input(&b, FOVEA_F32, 2, DIMS(4, cases[i].columns));
        V *whole = OP(&b, "Concat", OP(&b, "Neg", x), OP(&b, "Tanh", x));
        build_output(&b, build_set_int(&b, whole, "axis", cases[i].axis));
        EXPECT_BITS(&b, "off", &arena, &sum);
        CHECK(sum == 5 * half);
        CHECK(arena == cases[i].arena * half);

        build_init(&b, 13);
        x = build_input(&b, FOVEA_F32, 2, DIMS(8, cases[i].columns));
        struct fovea_node *split = build_node(&b, "Split", &x, 1, 2);
        if (split) {
            build_set_int(&b, split->out[0], "axis", cases[i].axis);
            build_output(&b, OP(&b, "Sub", split->out[1], split->out[0]));
        }
        EXPECT_BITS(&b, "off", &arena, &sum);
        CHECK(arena == cases[i].arena * half);
    }
}

/* A part that is read after it was joined, or that is joined twice, or lies in two wholes. */
static void arena__parts_with_other_readers__same_bits(void) {
    struct graph_build b;
    build_init(&b, 13);
    V *x = build_input(&b, FOVEA_F32, 2, DIMS(4, 16));
    V *y = OP(&b, "Neg", x), *z = OP(&b, "Tanh", x);
    V *twice = build_set_int(&b, OP(&b, "Concat", y, y, z), "axis", 0);
    V *nested = build_set_int(&b, OP(&b, "Concat", z, twice), "axis", 0);
    V *view = build_reshape(&b, twice, 2, DIMS(6, 32));
    build_output(&b, OP(&b, "Add", y, z)); /* later than the join */
    build_output(&b, OP(&b, "Relu", nested));
    build_output(&b, OP(&b, "Neg", view)); /* would like to write over the parts */
    EXPECT_SAME_BITS(&b);
}

int main(int argc, char **argv) {
    static const struct test tests[] = {
        TEST(random_graphs__any__same_bits),
        TEST(random_graphs__with_passes__same_bits),
        TEST(in_place__same_memory_in_another_shape__not_overwritten),
        TEST(in_place__value_read_later__not_overwritten),
        TEST(residual__of_a_convolution__same_as_without_passes),
        TEST(outputs__views_repeats_and_inputs__same_bits),
        TEST(outputs__unread_and_empty__same_bits),
        TEST(diamond__both_sides_alive__same_bits),
        TEST(first_output__absent__others_hold),
        TEST(arena__long_chain__two_values_or_less),
        TEST(arena__parts_of_a_whole__lie_in_it),
        TEST(arena__parts_with_other_readers__same_bits),
    };
    return RUN_TESTS(tests, argc, argv);
}
