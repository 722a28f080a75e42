/* What `fovea verify` takes for equal: tensors of integers, to the last of their 64 bits. */
#include "tools/compare_tensors.h"

#include "runtime/tensor.h"
#include "tests/check.h"

#include <math.h>
#include <string.h>

static const struct tolerance usual = {.atol = -1, .rtol = -1};

static bool equal(enum fovea_dtype dtype, void *got, void *want, struct comparison *out) {
    struct fovea_tensor a, b;
    fovea_tensor_set_shape(&a, dtype, 1, (const int64_t[]){2});
    b = a;
    a.data = got;
    b.data = want;
    return compare_tensors(&a, &b, &usual, out) && out->passed;
}

static void integers__beyond_what_doubles_tell_apart__differ(void) {
    int64_t want[2] = {INT64_C(1) << 60, -(INT64_C(1) << 62)};
    int64_t got[2] = {want[0] + 1, want[1] + 3};
    struct comparison c;
    CHECK(equal(FOVEA_I64, want, want, &c) && c.n_bad == 0);
    CHECK(!equal(FOVEA_I64, got, want, &c));
    CHECK(c.n_bad == 2 && c.max_abs == 3);
    CHECK(strstr(c.message, "worst at [1]: got -4611686018427387901, expected "
                            "-4611686018427387904"));
    int64_t ends[2] = {INT64_MIN, 0}, others[2] = {INT64_MAX, 0};
    CHECK(!equal(FOVEA_I64, ends, others, &c) && c.n_bad == 1);
}

static void floats__within_the_tolerance__are_equal(void) {
    float want[2] = {1, NAN}, got[2] = {1 + 1e-4f, NAN}, far[2] = {1.1f, NAN};
    struct comparison c;
    CHECK(equal(FOVEA_F32, got, want, &c));
    CHECK(!equal(FOVEA_F32, far, want, &c) && c.n_bad == 1);
}

int main(int argc, char **argv) {
    static const struct test tests[] = {
        TEST(integers__beyond_what_doubles_tell_apart__differ),
        TEST(floats__within_the_tolerance__are_equal),
    };
    return RUN_TESTS(tests, argc, argv);
}
