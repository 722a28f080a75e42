/*
 * MatMul, Linear and Gemm against a plain C reference. Values are in [-1, 1];
 * the tolerance is 2e-6 * (1 + sqrt(K)), as in test_conv.c.
 */
#include "tests/check.h"
#include "tests/reference.h"
#include "tests/run_op.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct fovea_tensor random_tensor(int rank, const int64_t *dims, uint32_t seed) {
    struct fovea_tensor t;
    fovea_tensor_set_shape(&t, FOVEA_F32, rank, dims);
    t.data = fovea_aligned_alloc(fovea_tensor_bytes(&t));
    fill_random(t.data, fovea_tensor_count(&t), -1, 1, seed);
    return t;
}

static struct fovea_tensor new_tensor(int rank, const int64_t *dims) {
    struct fovea_tensor t;
    fovea_tensor_set_shape(&t, FOVEA_F32, rank, dims);
    t.data = fovea_aligned_alloc(fovea_tensor_bytes(&t));
    return t;
}

/* `t`, of a rank up to `rank`, repeated to `dims`. */
static struct fovea_tensor expand(const struct fovea_tensor *t, int rank, const int64_t *dims) {
    struct fovea_tensor out = new_tensor(rank, dims);
    memset(out.data, 0, fovea_tensor_bytes(&out));
    struct fovea_epilogue_step add = {.kind = FOVEA_EPILOGUE_ADD};
    reference_step(&add, t, &out);
    return out;
}

static struct fovea_tensor exchanged(const struct fovea_tensor *t) {
    struct fovea_tensor out = new_tensor(2, (int64_t[]){t->dims[1], t->dims[0]});
    for (int64_t i = 0; i < t->dims[0]; i++) {
        for (int64_t j = 0; j < t->dims[1]; j++) {
            ((float *)out.data)[j * t->dims[0] + i] = ((float *)t->data)[i * t->dims[1] + j];
        }
    }
    return out;
}

static double tolerance(int64_t k) {
    return 2e-6 * (1 + sqrt((double)k));
}

static void check_result(struct run_op *r, const struct fovea_tensor *want, int64_t k,
                         const char *name, int variant) {
    char detail[512];
    if (run_op_run(r, 1)) {
        check_failed(__FILE__, __LINE__, name, r->err.message);
        return;
    }
    double error = run_op_error(r, 0, want->data, fovea_tensor_count(want));
    if (!(error <= tolerance(k)) || !fovea_tensor_same_shape(&r->out[0], want)) {
        snprintf(detail, sizeof(detail), "variant %d: error %g > %g, shape %s, want %s", variant,
                 error, tolerance(k), fovea_shape_text(&r->out[0]).text,
                 fovea_shape_text(want).text);
        check_failed(__FILE__, __LINE__, name, detail);
    }
}

/* ---- MatMul -------------------------------------------------------------- */

struct matmul_case {
    int rank_a, rank_b;
    int64_t a[FOVEA_MAX_RANK], b[FOVEA_MAX_RANK];
    int rank_y;
    int64_t y[FOVEA_MAX_RANK];
};

/* numpy's rule, spelt out: batches expanded, 1-d operands as one row or one column. */
static struct fovea_tensor matmul_by_definition(const struct matmul_case *c,
                                                const struct fovea_tensor *a,
                                                const struct fovea_tensor *b) {
    struct fovea_tensor y = new_tensor(c->rank_y, c->y);
    bool row = c->rank_a == 1, column = c->rank_b == 1;
    int nb = c->rank_y - !row - !column;
    int64_t m = row ? 1 : c->a[c->rank_a - 2], k = c->a[c->rank_a - 1];
    int64_t n = column ? 1 : c->b[c->rank_b - 1], batch = 1;
    int64_t a_dims[FOVEA_MAX_RANK], b_dims[FOVEA_MAX_RANK];
    for (int d = 0; d < nb; d++) {
        a_dims[d] = b_dims[d] = c->y[d];
        batch *= c->y[d];
    }
    a_dims[nb] = m;
    a_dims[nb + 1] = b_dims[nb] = k;
    b_dims[nb + 1] = n;
    struct fovea_tensor b2 = *b;
    if (column) {
        fovea_tensor_set_shape(&b2, FOVEA_F32, 2, (int64_t[]){k, 1});
    }
    struct fovea_tensor full_a = expand(a, nb + 2, a_dims), full_b = expand(&b2, nb + 2, b_dims);
    reference_matmul(full_a.data, full_b.data, NULL, batch, m, k, n, 1, y.data);
    free(full_a.data);
    free(full_b.data);
    return y;
}

static void check_matmul(const struct matmul_case *c) {
    struct fovea_tensor a = random_tensor(c->rank_a, c->a, 1);
    struct fovea_tensor b = random_tensor(c->rank_b, c->b, 2);
    struct fovea_tensor want = matmul_by_definition(c, &a, &b);
    for (int variant = 0; variant < 4; variant++) {
        struct run_op r;
        run_op_init(&r, "", "MatMul", 13);
        r.threads = variant & 2 ? 2 : 1;
        run_op_input(&r, FOVEA_F32, c->rank_a, c->a, a.data, false);
        run_op_input(&r, FOVEA_F32, c->rank_b, c->b, b.data, variant & 1);
        char name[400];
        snprintf(name, sizeof(name), "MatMul %s %s", fovea_shape_text(&a).text,
                 fovea_shape_text(&b).text);
        check_result(&r, &want, c->a[c->rank_a - 1], name, variant);
        run_op_finish(&r);
    }
    free(a.data);
    free(b.data);
    free(want.data);
}

static void matmul__shapes__match_reference(void) {
    static const struct matmul_case cases[] = {
        {2, 2, {3, 4}, {4, 5}, 2, {3, 5}},
        {2, 2, {1, 1}, {1, 1}, 2, {1, 1}},
        {2, 2, {1, 64}, {64, 10}, 2, {1, 10}},
        {2, 2, {65, 1}, {1, 33}, 2, {65, 33}},
        {2, 2, {65, 33}, {33, 1}, 2, {65, 1}},
        {2, 2, {130, 96}, {96, 200}, 2, {130, 200}},
        {2, 2, {0, 4}, {4, 5}, 2, {0, 5}},
        {2, 2, {3, 0}, {0, 5}, 2, {3, 5}},
        {1, 1, {7}, {7}, 0, {0}},
        {1, 2, {7}, {7, 3}, 1, {3}},
        {2, 1, {3, 7}, {7}, 1, {3}},
        {1, 3, {7}, {2, 7, 3}, 2, {2, 3}},
        {3, 1, {2, 3, 7}, {7}, 2, {2, 3}},
        {3, 2, {2, 5, 16}, {16, 24}, 3, {2, 5, 24}},
        {2, 3, {5, 16}, {2, 16, 24}, 3, {2, 5, 24}},
        {3, 3, {4, 5, 6}, {4, 6, 7}, 3, {4, 5, 7}},
        {3, 3, {1, 5, 6}, {4, 6, 7}, 3, {4, 5, 7}},
        {3, 3, {4, 5, 6}, {1, 6, 7}, 3, {4, 5, 7}},
        {4, 4, {2, 3, 1, 6}, {2, 3, 6, 7}, 4, {2, 3, 1, 7}},
        {4, 4, {2, 1, 5, 6}, {1, 3, 6, 7}, 4, {2, 3, 5, 7}},
        {4, 3, {2, 3, 5, 6}, {3, 6, 7}, 4, {2, 3, 5, 7}},
        {4, 4, {1, 3, 70, 64}, {1, 3, 64, 70}, 4, {1, 3, 70, 70}},
        {5, 3, {2, 2, 2, 3, 4}, {2, 4, 5}, 5, {2, 2, 2, 3, 5}},
        {6, 6, {2, 1, 2, 1, 3, 4}, {1, 2, 1, 2, 4, 5}, 6, {2, 2, 2, 2, 3, 5}},
        {8, 8, {2, 1, 2, 1, 2, 1, 3, 4}, {1, 2, 1, 2, 1, 2, 4, 5}, 8, {2, 2, 2, 2, 2, 2, 3, 5}},
        {3, 3, {0, 5, 6}, {0, 6, 7}, 3, {0, 5, 7}},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        check_matmul(&cases[i]);
    }
}

static void matmul__integers_and_f64__are_exact(void) {
    int64_t a64[6] = {1, -2, 3, 4, 5, (int64_t)1 << 40}, b64[6] = {7, 8, 9, 1, 2, 3};
    int64_t want64[4] = {7 - 18 + 6, 8 - 2 + 9, 28 + 45 + ((int64_t)2 << 40),
                         32 + 5 + ((int64_t)3 << 40)};
    double a_f64[2] = {0.5, 1e300}, b_f64[2] = {4, 2}, want_f64[1] = {2e300};
    struct run_op r;
    run_op_init(&r, "", "MatMul", 13);
    run_op_input(&r, FOVEA_I64, 2, (int64_t[]){2, 3}, a64, false);
    run_op_input(&r, FOVEA_I64, 2, (int64_t[]){3, 2}, b64, false);
    CHECK_OK(run_op_run(&r, 1), r.err);
    CHECK(r.n_out == 1 && memcmp(r.out[0].data, want64, sizeof(want64)) == 0);
    run_op_finish(&r);
    run_op_init(&r, "", "MatMul", 13);
    run_op_input(&r, FOVEA_F64, 1, (int64_t[]){2}, a_f64, false);
    run_op_input(&r, FOVEA_F64, 1, (int64_t[]){2}, b_f64, false);
    CHECK_OK(run_op_run(&r, 1), r.err);
    CHECK(r.n_out == 1 && memcmp(r.out[0].data, want_f64, sizeof(want_f64)) == 0);
    run_op_finish(&r);
}

static void matmul__inner_dimensions_differ__is_refused(void) {
    struct run_op r;
    float x[12] = {0};
    run_op_init(&r, "", "MatMul", 13);
    run_op_input(&r, FOVEA_F32, 2, (int64_t[]){3, 4}, x, false);
    run_op_input(&r, FOVEA_F32, 2, (int64_t[]){3, 4}, x, false);
    CHECK(run_op_run(&r, 1) == FOVEA_ERR_INVALID);
    CHECK_STR(r.err.message,
              "node 'test' (MatMul): shapes [3,4] and [3,4] have inner dimensions that differ");
    run_op_finish(&r);
}

/* ---- Linear -------------------------------------------------------------- */

/* y = steps(x w + bias), each step's operand of the dims given. */
static void check_linear(const char *name, int rank, const int64_t *dims, int64_t n,
                         const struct fovea_epilogue_step *steps, int n_steps,
                         const int64_t (*operand_dims)[4]) {
    int64_t k = dims[rank - 1], y_dims[FOVEA_MAX_RANK], m = 1;
    memcpy(y_dims, dims, (size_t)rank * sizeof(*dims));
    y_dims[rank - 1] = n;
    struct fovea_tensor x = random_tensor(rank, dims, 1), operands[FOVEA_MAX_EPILOGUE] = {0};
    struct fovea_tensor w = random_tensor(2, (int64_t[]){k, n}, 2), wt = exchanged(&w);
    struct fovea_tensor bias = random_tensor(1, &n, 3), want = new_tensor(rank, y_dims);
    for (int d = 0; d < rank - 1; d++) {
        m *= dims[d];
    }
    reference_matmul(x.data, w.data, bias.data, 1, m, k, n, 1, want.data);
    for (int i = 0; i < n_steps; i++) {
        if (steps[i].kind != FOVEA_EPILOGUE_ACT) {
            operands[i] = random_tensor(rank, operand_dims[i], 5 + (uint32_t)i);
        }
        reference_step(&steps[i], &operands[i], &want);
    }
    for (int variant = 0; variant < 8; variant++) {
        struct run_op r;
        run_op_init(&r, "fovea", "Linear", 13);
        r.threads = variant & 4 ? 2 : 1;
        run_op_input(&r, FOVEA_F32, rank, dims, x.data, false);
        const struct fovea_tensor *weights = variant & 2 ? &wt : &w;
        run_op_attr_int(&r, "trans_b", variant & 2 ? 1 : 0);
        run_op_input(&r, FOVEA_F32, 2, weights->dims, weights->data, variant & 1);
        run_op_input(&r, FOVEA_F32, 1, &n, bias.data, true);
        for (int i = 0; i < n_steps; i++) {
            r.epilogue[i] = steps[i];
            if (steps[i].kind != FOVEA_EPILOGUE_ACT) {
                r.epilogue[i].input = r.n_in;
                run_op_input(&r, FOVEA_F32, rank, operand_dims[i], operands[i].data, false);
            }
        }
        r.n_epilogue = n_steps;
        check_result(&r, &want, k, name, variant);
        run_op_finish(&r);
    }
    for (int i = 0; i < n_steps; i++) {
        free(operands[i].data);
    }
    free(x.data);
    free(w.data);
    free(wt.data);
    free(bias.data);
    free(want.data);
}

static void linear__shapes__match_reference(void) {
    check_linear("vector", 1, (int64_t[]){33}, 20, NULL, 0, NULL);
    check_linear("matrix", 2, (int64_t[]){17, 33}, 64, NULL, 0, NULL);
    check_linear("tokens", 3, (int64_t[]){2, 37, 48}, 80, NULL, 0, NULL);
    check_linear("one row", 3, (int64_t[]){1, 1, 48}, 80, NULL, 0, NULL);
    check_linear("one column", 3, (int64_t[]){2, 9, 48}, 1, NULL, 0, NULL);
    check_linear("rank 5", 5, (int64_t[]){2, 3, 2, 3, 8}, 16, NULL, 0, NULL);
    check_linear("empty batch", 3, (int64_t[]){0, 9, 48}, 16, NULL, 0, NULL);
    check_linear("nothing to sum", 3, (int64_t[]){2, 9, 0}, 16, NULL, 0, NULL);
}

static void linear__every_act__matches_reference(void) {
    for (int act = 0; act < FOVEA_N_ACTS; act++) {
        char name[32];
        snprintf(name, sizeof(name), "act %d", act);
        struct fovea_epilogue_step step = {
            FOVEA_EPILOGUE_ACT, (enum fovea_act)act, 0.3f, 0.6f, 0.75f, 0};
        check_linear(name, 3, (int64_t[]){2, 19, 32}, 48, &step, 1, NULL);
    }
}

static void linear__operands_of_every_shape__match_reference(void) {
    static const int64_t shapes[][1][4] = {
        {{2, 19, 48}}, {{1, 19, 48}}, {{1, 1, 48}}, {{1, 1, 1}},
        {{2, 1, 48}},  {{2, 19, 1}},  {{1, 19, 1}}, {{2, 1, 1}},
    };
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        for (int kind = FOVEA_EPILOGUE_ADD; kind <= FOVEA_EPILOGUE_MUL; kind++) {
            char name[48];
            snprintf(name, sizeof(name), "operand shape %zu kind %d", i, kind);
            struct fovea_epilogue_step step = {.kind = (enum fovea_epilogue_kind)kind};
            check_linear(name, 3, (int64_t[]){2, 19, 32}, 48, &step, 1, shapes[i]);
        }
    }
}

static void linear__gelu_then_residual__matches_reference(void) {
    static const int64_t shapes[3][4] = {{0}, {1, 1, 48}, {2, 19, 48}};
    struct fovea_epilogue_step steps[3] = {
        {FOVEA_EPILOGUE_ACT, FOVEA_ACT_GELU_ERF, 0, 0, 1, 0},
        {.kind = FOVEA_EPILOGUE_MUL},
        {.kind = FOVEA_EPILOGUE_ADD},
    };
    check_linear("gelu, scale, residual", 3, (int64_t[]){2, 19, 32}, 48, steps, 3, shapes);
}

/* ---- Gemm ---------------------------------------------------------------- */

struct gemm_case {
    float alpha, beta;
    int64_t trans_a, trans_b;
    int rank_c; /* -1: none */
    int64_t c[2];
};

static void check_gemm(const struct gemm_case *g, int index, bool constant) {
    enum { M = 9, K = 21, N = 13 };
    struct fovea_tensor a = random_tensor(2, (int64_t[]){M, K}, 1), at = exchanged(&a);
    struct fovea_tensor b = random_tensor(2, (int64_t[]){K, N}, 2), bt = exchanged(&b);
    struct fovea_tensor want = new_tensor(2, (int64_t[]){M, N}), c = {0}, scaled = {0};
    reference_matmul(a.data, b.data, NULL, 1, M, K, N, g->alpha, want.data);
    struct run_op r;
    run_op_init(&r, "", "Gemm", 11);
    run_op_attr_float(&r, "alpha", g->alpha);
    run_op_attr_float(&r, "beta", g->beta);
    run_op_attr_int(&r, "transA", g->trans_a);
    run_op_attr_int(&r, "transB", g->trans_b);
    const struct fovea_tensor *left = g->trans_a ? &at : &a, *right = g->trans_b ? &bt : &b;
    run_op_input(&r, FOVEA_F32, 2, left->dims, left->data, false);
    run_op_input(&r, FOVEA_F32, 2, right->dims, right->data, constant);
    if (g->rank_c >= 0) {
        c = random_tensor(g->rank_c, g->c, 3);
        scaled = expand(&c, g->rank_c, g->c);
        for (int64_t i = 0; i < fovea_tensor_count(&c); i++) {
            ((float *)scaled.data)[i] *= g->beta;
        }
        reference_step(&(struct fovea_epilogue_step){.kind = FOVEA_EPILOGUE_ADD}, &scaled, &want);
        run_op_input(&r, FOVEA_F32, g->rank_c, g->c, c.data, false);
    }
    char name[32];
    snprintf(name, sizeof(name), "Gemm case %d", index);
    check_result(&r, &want, K, name, constant);
    run_op_finish(&r);
    free(a.data);
    free(at.data);
    free(b.data);
    free(bt.data);
    free(c.data);
    free(scaled.data);
    free(want.data);
}

static void gemm__attributes_and_c__match_reference(void) {
    static const struct gemm_case cases[] = {
        {1, 1, 0, 0, -1, {0}},      {0.5f, 1, 0, 0, -1, {0}},    {1, 1, 1, 0, -1, {0}},
        {1, 1, 0, 1, -1, {0}},      {1, 1, 1, 1, 1, {13}},       {1, 0.25f, 0, 0, 1, {13}},
        {0.5f, 1, 0, 1, 1, {13}},   {0.5f, 2, 0, 1, 2, {1, 13}}, {1, 1, 0, 0, 0, {0}},
        {1, 1, 0, 0, 1, {1}},       {1, 1, 0, 0, 2, {9, 13}},    {1, 0.5f, 0, 0, 2, {9, 13}},
        {2, 0.5f, 1, 1, 2, {9, 1}}, {1, 1, 0, 0, 2, {9, 1}},     {1, 0, 0, 0, 2, {9, 13}},
        {1, 1, 0, 0, 2, {1, 1}},
    };
    for (int i = 0; i < (int)(sizeof(cases) / sizeof(cases[0])); i++) {
        check_gemm(&cases[i], i, false);
        check_gemm(&cases[i], i, true);
    }
}

static void gemm__c_that_does_not_broadcast__is_refused(void) {
    struct run_op r;
    float x[16] = {0};
    run_op_init(&r, "", "Gemm", 13);
    run_op_input(&r, FOVEA_F32, 2, (int64_t[]){3, 4}, x, false);
    run_op_input(&r, FOVEA_F32, 2, (int64_t[]){4, 2}, x, false);
    run_op_input(&r, FOVEA_F32, 1, (int64_t[]){3}, x, false);
    CHECK(run_op_run(&r, 1) == FOVEA_ERR_INVALID);
    CHECK_STR(r.err.message, "node 'test' (Gemm): C has shape [3]; it must broadcast to [3,2]");
    run_op_finish(&r);
}

static const struct test tests[] = {
    TEST(matmul__shapes__match_reference),
    TEST(matmul__integers_and_f64__are_exact),
    TEST(matmul__inner_dimensions_differ__is_refused),
    TEST(linear__shapes__match_reference),
    TEST(linear__every_act__matches_reference),
    TEST(linear__operands_of_every_shape__match_reference),
    TEST(linear__gelu_then_residual__matches_reference),
    TEST(gemm__attributes_and_c__match_reference),
    TEST(gemm__c_that_does_not_broadcast__is_refused),
};

int main(int argc, char **argv) {
    return RUN_TESTS(tests, argc, argv);
}
