/*
 * Pooling against a plain C reference. Averages of up to 50 values in [-1, 1]
 * agree to 1e-6, global averages (summed in double) to 1e-7, maxima exactly.
 */
#include "tests/check.h"
#include "tests/reference.h"
#include "tests/run_op.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pool_case {
    int rank;
    int64_t x[5], y[5]; /* y as PyTorch's modules give it */
    struct reference_window w;
    bool ceil_mode;
};

static const struct pool_case cases[] = {
    {4, {1, 3, 8, 8}, {1, 3, 4, 4}, {2, {2, 2}, {2, 2}, {1, 1}, {0}, {0}}, false},
    {4, {2, 5, 9, 7}, {2, 5, 5, 4}, {2, {3, 3}, {2, 2}, {1, 1}, {1, 1}, {1, 1}}, false},
    {4, {1, 17, 9, 7}, {1, 17, 9, 7}, {2, {3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}}, false},
    {4, {1, 2, 6, 6}, {1, 2, 3, 3}, {2, {3, 3}, {2, 2}, {1, 1}, {0}, {0}}, true},
    {4, {1, 2, 7, 6}, {1, 2, 4, 4}, {2, {3, 3}, {2, 2}, {1, 1}, {1, 1}, {1, 1}}, true},
    /* Rounding up would add a window that begins in the padding: it is dropped. */
    {4, {1, 2, 4, 4}, {1, 2, 2, 2}, {2, {2, 2}, {3, 3}, {1, 1}, {1, 1}, {1, 1}}, true},
    {4, {1, 4, 9, 9}, {1, 4, 5, 5}, {2, {3, 3}, {1, 1}, {2, 2}, {0}, {0}}, false},
    {4, {1, 4, 9, 9}, {1, 4, 7, 6}, {2, {2, 3}, {1, 1}, {3, 2}, {1, 0}, {0, 1}}, false},
    {4, {1, 4, 1, 1}, {1, 4, 1, 1}, {2, {1, 1}, {1, 1}, {1, 1}, {0}, {0}}, false},
    {4, {0, 4, 5, 5}, {0, 4, 2, 2}, {2, {2, 2}, {2, 2}, {1, 1}, {0}, {0}}, false},
    {3, {2, 3, 11}, {2, 3, 5}, {1, {3}, {2}, {1}, {0}, {0}}, false},
    {5,
     {1, 3, 4, 5, 6},
     {1, 3, 2, 3, 3},
     {3, {2, 3, 2}, {2, 2, 2}, {1, 1, 1}, {0, 1, 0}, {0, 1, 0}},
     false},
};

enum kind { MAX, MAX_INDICES, AVERAGE, AVERAGE_PADS, N_KINDS };

/* pads has room for 6 and must outlive the run. */
static void set_up(struct run_op *r, const struct pool_case *c, enum kind kind, int64_t *pads) {
    size_t n = (size_t)c->w.spatial;
    memcpy(pads, c->w.before, n * sizeof(*pads));
    memcpy(pads + n, c->w.after, n * sizeof(*pads));
    run_op_init(r, "", kind >= AVERAGE ? "AveragePool" : "MaxPool", 19);
    run_op_attr_ints(r, "kernel_shape", c->w.kernel, n);
    run_op_attr_ints(r, "strides", c->w.strides, n);
    run_op_attr_ints(r, "dilations", c->w.dilations, n);
    run_op_attr_ints(r, "pads", pads, 2 * n);
    run_op_attr_int(r, "ceil_mode", c->ceil_mode);
    if (kind == AVERAGE_PADS) {
        run_op_attr_int(r, "count_include_pad", 1);
    }
}

static void check_pool(const struct pool_case *c, int index, enum kind kind, int variant) {
    struct run_op r;
    struct fovea_tensor x, want;
    int64_t pads[6];
    fovea_tensor_set_shape(&x, FOVEA_F32, c->rank, c->x);
    fovea_tensor_set_shape(&want, FOVEA_F32, c->rank, c->y);
    int64_t count = fovea_tensor_count(&want);
    x.data = fovea_aligned_alloc(fovea_tensor_bytes(&x));
    want.data = fovea_aligned_alloc(fovea_tensor_bytes(&want));
    int64_t *indices = malloc((size_t)(count + 1) * sizeof(*indices));
    fill_random(x.data, fovea_tensor_count(&x), -1, 1, 1);
    reference_pool(&x, &c->w, kind >= AVERAGE, kind == AVERAGE_PADS, &want, indices);
    set_up(&r, c, kind, pads);
    r.channels_last = variant & 1;
    r.threads = variant & 2 ? 2 : 1;
    run_op_input(&r, FOVEA_F32, c->rank, c->x, x.data, false);
    char name[64];
    snprintf(name, sizeof(name), "case %d kind %d variant %d", index, (int)kind, variant);
    if (run_op_run(&r, kind == MAX_INDICES ? 2 : 1)) {
        check_failed(__FILE__, __LINE__, name, r.err.message);
    } else if (!(run_op_error(&r, 0, want.data, count) <= (kind >= AVERAGE ? 1e-6 : 0)) ||
               !fovea_tensor_same_shape(&r.out[0], &want) ||
               (kind == MAX_INDICES &&
                memcmp(r.out[1].data, indices, (size_t)count * sizeof(*indices)) != 0)) {
        check_failed(__FILE__, __LINE__, name, fovea_shape_text(&r.out[0]).text);
    }
    run_op_finish(&r);
    free(indices);
    free(x.data);
    free(want.data);
}

static void pool__shapes__match_reference(void) {
    for (int i = 0; i < (int)(sizeof(cases) / sizeof(cases[0])); i++) {
        for (int kind = 0; kind < N_KINDS; kind++) {
            for (int variant = 0; variant < 4; variant++) {
                check_pool(&cases[i], i, (enum kind)kind, variant);
            }
        }
    }
}

static void max_pool__storage_order_1__counts_columns_first(void) {
    struct run_op r;
    float x[6] = {1, 5, 2, 4, 3, 6};
    run_op_init(&r, "", "MaxPool", 12);
    run_op_attr_ints(&r, "kernel_shape", (int64_t[]){2, 2}, 2);
    run_op_attr_int(&r, "storage_order", 1);
    run_op_input(&r, FOVEA_F32, 4, (int64_t[]){1, 1, 2, 3}, x, false);
    CHECK_OK(run_op_run(&r, 2), r.err);
    CHECK(run_op_error(&r, 0, (float[]){5, 6}, 2) == 0);
    CHECK(memcmp(r.out[1].data, (int64_t[]){2, 5}, 16) == 0);
    run_op_finish(&r);
}

static void max_pool__bytes__keep_their_sign(void) {
    struct run_op r;
    int8_t x[4] = {-128, -5, -7, -100}, *y;
    uint8_t u[4] = {0, 200, 7, 100};
    run_op_init(&r, "", "MaxPool", 12);
    run_op_attr_ints(&r, "kernel_shape", (int64_t[]){2}, 1);
    run_op_input(&r, FOVEA_I8, 3, (int64_t[]){1, 1, 4}, x, false);
    CHECK_OK(run_op_run(&r, 1), r.err);
    y = r.out[0].data;
    CHECK(y && y[0] == -5 && y[1] == -5 && y[2] == -7);
    run_op_finish(&r);
    run_op_init(&r, "", "MaxPool", 12);
    run_op_attr_ints(&r, "kernel_shape", (int64_t[]){2}, 1);
    run_op_input(&r, FOVEA_U8, 3, (int64_t[]){1, 1, 4}, u, false);
    CHECK_OK(run_op_run(&r, 1), r.err);
    CHECK(r.out[0].data && ((uint8_t *)r.out[0].data)[0] == 200);
    run_op_finish(&r);
}

static void pool__bad_attributes__are_refused(void) {
    static const struct {
        const char *attr;
        int64_t values[4];
        size_t count;
        const char *part;
    } bad[] = {
        {"strides", {0, 1}, 2, "'strides' has 0"},
        {"dilations", {1, 0}, 2, "'dilations' has 0"},
        {"kernel_shape", {0, 2}, 2, "'kernel_shape' has 0"},
        {"kernel_shape", {-1, 2}, 2, "'kernel_shape' has -1"},
        {"kernel_shape", {(int64_t)1 << 31, 2}, 2, "'kernel_shape' has 2147483648"},
        {"kernel_shape", {2}, 1, "has 1 values; it must have 2"},
        {"kernel_shape", {6, 2}, 2, "the kernel spans 6 and the padded input has 5"},
        {"pads", {2, 0, 0, 0}, 4, "must be below the kernel's span of 2"},
        {"pads", {0, 0, 0, 7}, 4, "must be below the kernel's span of 2"},
        {"strides", {1}, 0, "attribute 'kernel_shape' is missing"},
    };
    static const int64_t kernel[2] = {2, 2};
    float x[25] = {0};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct run_op r;
        run_op_init(&r, "", "AveragePool", 19);
        if (bad[i].count) {
            run_op_attr_ints(&r, "kernel_shape", kernel, 2);
            run_op_attr_ints(&r, bad[i].attr, bad[i].values, bad[i].count);
        }
        run_op_input(&r, FOVEA_F32, 4, (int64_t[]){1, 1, 5, 5}, x, false);
        CHECK(run_op_run(&r, 1) == FOVEA_ERR_INVALID);
        if (!strstr(r.err.message, bad[i].part)) {
            check_failed(__FILE__, __LINE__, bad[i].part, r.err.message);
        }
        run_op_finish(&r);
    }
}

/* ---- global -------------------------------------------------------------- */

static void check_global(const int64_t *dims, bool average, int variant) {
    struct run_op r;
    struct fovea_tensor x, want;
    struct reference_window w = {
        .spatial = 2, .kernel = {dims[2], dims[3]}, .strides = {1, 1}, .dilations = {1, 1}};
    fovea_tensor_set_shape(&x, FOVEA_F32, 4, dims);
    fovea_tensor_set_shape(&want, FOVEA_F32, 4, (int64_t[]){dims[0], dims[1], 1, 1});
    x.data = fovea_aligned_alloc(fovea_tensor_bytes(&x));
    want.data = fovea_aligned_alloc(fovea_tensor_bytes(&want));
    fill_random(x.data, fovea_tensor_count(&x), -1, 1, 1);
    reference_pool(&x, &w, average, false, &want, NULL);
    run_op_init(&r, "", average ? "GlobalAveragePool" : "GlobalMaxPool", 13);
    r.channels_last = variant & 1;
    r.threads = variant & 2 ? 2 : 1;
    run_op_input(&r, FOVEA_F32, 4, dims, x.data, false);
    CHECK_OK(run_op_run(&r, 1), r.err);
    CHECK(run_op_error(&r, 0, want.data, dims[0] * dims[1]) <= (average ? 1e-7 : 0));
    CHECK(fovea_tensor_same_shape(&r.out[0], &want));
    run_op_finish(&r);
    free(x.data);
    free(want.data);
}

static void global_pool__shapes__match_reference(void) {
    static const int64_t shapes[][4] = {
        {1, 64, 15, 15}, {2, 130, 7, 9},  {3, 5, 1, 1},
        {1, 1, 80, 80},  {2, 16, 33, 20}, {0, 4, 2, 2},
    };
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        for (int variant = 0; variant < 4; variant++) {
            check_global(shapes[i], true, variant);
            check_global(shapes[i], false, variant);
        }
    }
}

static void global_average__offset_of_1000__keeps_its_digits(void) {
    enum { COUNT = 300 * 300 };
    struct run_op r;
    float *x = malloc(COUNT * sizeof(float));
    for (int i = 0; i < COUNT; i++) {
        x[i] = 1000 + (i % 2 ? 0.25f : -0.125f);
    }
    run_op_init(&r, "", "GlobalAveragePool", 13);
    run_op_input(&r, FOVEA_F32, 4, (int64_t[]){1, 1, 300, 300}, x, false);
    CHECK_OK(run_op_run(&r, 1), r.err);
    CHECK(run_op_error(&r, 0, (float[]){1000.0625f}, 1) == 0);
    run_op_finish(&r);
    free(x);
}

static const struct test tests[] = {
    TEST(pool__shapes__match_reference),
    TEST(max_pool__storage_order_1__counts_columns_first),
    TEST(max_pool__bytes__keep_their_sign),
    TEST(pool__bad_attributes__are_refused),
    TEST(global_pool__shapes__match_reference),
    TEST(global_average__offset_of_1000__keeps_its_digits),
};

int main(int argc, char **argv) {
    return RUN_TESTS(tests, argc, argv);
}
