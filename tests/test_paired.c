/*
 * Tests and intervals for two evaluations of the same images. Exact values are
 * sums of Python's fractions.Fraction over binomial coefficients.
 */
#include "evaluation/paired.h"

#include "tests/check.h"

#include <math.h>

static bool near(double a, double b) {
    return fabs(a - b) <= 1e-11 * fmax(1e-300, fabs(b)) + 1e-300;
}

static bool near_to(double a, double b, double tolerance) {
    return fabs(a - b) <= tolerance;
}

static void binomial_tail__exact_values__agree(void) {
    CHECK(near(eval_binomial_tail(10, 5, 0.1), 0.0016349374));
    CHECK(near(eval_binomial_tail(1000, 10, 0.001), 1.07428338684649e-07));
    CHECK(near(eval_binomial_tail(20, 3, 0.5), 0.999798774719238));
    CHECK(near(eval_binomial_tail(3000, 1500, 0.5), 0.507283049257898));
    CHECK(near(eval_binomial_tail(100, 100, 0.5), 7.88860905221012e-31));
}

static void binomial_tail__ends__zero_and_one(void) {
    CHECK(eval_binomial_tail(5, 0, 1.0 / 3) == 1);
    CHECK(eval_binomial_tail(5, 6, 0.5) == 0);
    CHECK(eval_binomial_tail(0, 0, 0.5) == 1);
    CHECK(eval_binomial_tail(5, 5, 1) == 1);
    CHECK(eval_binomial_tail(5, 1, 0) == 0);
}

static void mcnemar__exact_values__agree(void) {
    CHECK(near(eval_mcnemar_exact(6, 16), 0.0524787902832031));
    CHECK(near(eval_mcnemar_exact(16, 6), 0.0524787902832031));
    CHECK(near(eval_mcnemar_exact(59, 86), 0.0304818146494876));
    CHECK(near(eval_mcnemar_exact(150, 210), 0.00183400741709649));
    CHECK(near(eval_mcnemar_exact(1000, 1101), 0.029110633685909));
    CHECK(eval_mcnemar_exact(5, 0) == 0.0625);
}

static void mcnemar__no_difference__one(void) {
    CHECK(eval_mcnemar_exact(0, 0) == 1);
    CHECK(eval_mcnemar_exact(0, 1) == 1);
    CHECK(eval_mcnemar_exact(3, 3) == 1);
}

/*
 * Cavo et al. 2012, complete response before and after consolidation: 59, 6, 16,
 * 80. Fagerland, Lydersen and Laake (Statistical Analysis of Contingency Tables,
 * chapter 8) have -0.0621, and -0.1186 .. -0.0046 by Newcombe's method.
 */
static void paired_difference__published_example__agrees(void) {
    const struct eval_paired counts = {.both = 59, .only_a = 16, .only_b = 6, .neither = 80};
    double difference, low, high;
    eval_paired_difference(&counts, &difference, &low, &high);
    CHECK(near_to(difference, -0.0621, 5e-5));
    CHECK(near_to(low, -0.1186, 5e-5) && near_to(high, -0.0046, 5e-5));
}

static void paired_difference__sides_swapped__mirrored(void) {
    const struct eval_paired ab = {.both = 500, .only_a = 20, .only_b = 35, .neither = 100};
    const struct eval_paired ba = {.both = 500, .only_a = 35, .only_b = 20, .neither = 100};
    double d1, low1, high1, d2, low2, high2;
    eval_paired_difference(&ab, &d1, &low1, &high1);
    eval_paired_difference(&ba, &d2, &low2, &high2);
    CHECK(near_to(d1, 15.0 / 655, 1e-15) && d1 == -d2);
    CHECK(near_to(low1, -high2, 1e-15) && near_to(high1, -low2, 1e-15));
    CHECK(low1 < d1 && d1 < high1);
}

static void paired_difference__no_images__everything_possible(void) {
    const struct eval_paired none = {0};
    double difference, low, high;
    eval_paired_difference(&none, &difference, &low, &high);
    CHECK(difference == 0 && low == -1 && high == 1);
}

static const struct test tests[] = {
    TEST(binomial_tail__exact_values__agree),
    TEST(binomial_tail__ends__zero_and_one),
    TEST(mcnemar__exact_values__agree),
    TEST(mcnemar__no_difference__one),
    TEST(paired_difference__published_example__agrees),
    TEST(paired_difference__sides_swapped__mirrored),
    TEST(paired_difference__no_images__everything_possible),
};

int main(int argc, char **argv) {
    return RUN_TESTS(tests, argc, argv);
}
