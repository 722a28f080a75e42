/* The table of operators is sorted, complete and consistent. */
#include "ops/registry.h"
#include "tests/check.h"
#include "tests/run_op.h"

#include <string.h>

static int compare(const struct fovea_op_entry *a, const struct fovea_op_entry *b) {
    int order = strcmp(a->domain, b->domain);
    if (order == 0) {
        order = strcmp(a->type, b->type);
    }
    return order != 0 ? order : a->since - b->since;
}

static void table__rows__are_strictly_sorted(void) {
    size_t count;
    const struct fovea_op_entry *table = fovea_op_table(&count);
    for (size_t i = 1; i < count; i++) {
        if (compare(&table[i - 1], &table[i]) >= 0) {
            check_failed(__FILE__, __LINE__, "sorted", table[i].type);
        }
    }
}

static void table__ops__have_infer_and_run_or_expand_and_sane_counts(void) {
    size_t count;
    const struct fovea_op_entry *table = fovea_op_table(&count);
    for (size_t i = 0; i < count; i++) {
        const struct fovea_op *op = table[i].op;
        if (op && ((!op->expand && (!op->infer || !op->run)) || op->min_in > op->max_in ||
                   op->min_out > op->max_out)) {
            check_failed(__FILE__, __LINE__, "complete", table[i].type);
        }
    }
}

static void find__unknown_type__is_null(void) {
    CHECK(fovea_op_find("", "NoSuchOperator", 17) == NULL);
    CHECK(fovea_op_find("com.example", "Identity", 17) == NULL);
}

static void find__ai_onnx__is_the_default_domain(void) {
    CHECK(fovea_op_find("ai.onnx", "Identity", 17) == fovea_op_find("", "Identity", 17));
}

static void identity__f32__copies(void) {
    struct run_op r;
    float x[6] = {0, 1, -2, 3, 4.5f, 6};
    run_op_init(&r, "", "Identity", 17);
    run_op_input(&r, FOVEA_F32, 2, (int64_t[]){2, 3}, x, false);
    CHECK_OK(run_op_run(&r, 1), r.err);
    CHECK(run_op_error(&r, 0, x, 6) == 0);
    run_op_finish(&r);
}

static void infer__unknown_attribute__is_named(void) {
    struct run_op r;
    float x[1] = {0};
    run_op_init(&r, "", "Identity", 17);
    run_op_attr_int(&r, "surprise", 1);
    run_op_input(&r, FOVEA_F32, 1, (int64_t[]){1}, x, false);
    CHECK(run_op_run(&r, 1) == FOVEA_ERR_UNSUPPORTED);
    CHECK_STR(r.err.message,
              "node 'test' (Identity): attribute 'surprise' is not known at opset 17");
    run_op_finish(&r);
}

static const struct test tests[] = {
    TEST(table__rows__are_strictly_sorted),
    TEST(table__ops__have_infer_and_run_or_expand_and_sane_counts),
    TEST(find__unknown_type__is_null),
    TEST(find__ai_onnx__is_the_default_domain),
    TEST(identity__f32__copies),
    TEST(infer__unknown_attribute__is_named),
};

int main(int argc, char **argv) {
    return RUN_TESTS(tests, argc, argv);
}
