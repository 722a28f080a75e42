/* From logits to answers: order, ties, probabilities, intervals. */
#include "evaluation/scores.h"

#include "loaders/logits.h"
#include "tests/check.h"

#include <math.h>

static bool near(double a, double b, double tolerance) {
    return fabs(a - b) <= tolerance;
}

static void top_predictions__ties__lower_class_first(void) {
    static const float logits[] = {1, 3, 2, 3, 0, 3};
    struct fovea_result best[4];
    CHECK(fovea_logits_top(logits, NULL, 6, 4, best) == 4);
    CHECK(best[0].class_index == 1 && best[1].class_index == 3 && best[2].class_index == 5);
    CHECK(best[3].class_index == 2);
}

static void top_predictions__fewer_classes_than_asked__gives_all(void) {
    static const float logits[] = {0, 1};
    struct fovea_result best[5];
    CHECK(fovea_logits_top(logits, NULL, 2, 5, best) == 2);
    /* softmax([0, 1]) = [0.26894142, 0.73105858] */
    CHECK(near(best[0].probability, 0.73105857863, 1e-10));
    CHECK(near(best[1].probability, 0.26894142137, 1e-10));
}

static void top_predictions__huge_logits__do_not_overflow(void) {
    static const float logits[] = {1e30f, 1e30f, -1e30f};
    struct fovea_result best[1];
    CHECK(fovea_logits_top(logits, NULL, 3, 1, best) == 1);
    CHECK(best[0].class_index == 0 && near(best[0].probability, 0.5, 1e-12));
}

static void logits_are_broken__nan_or_infinity__yes(void) {
    const float good[] = {1, -2}, nan[] = {1, NAN}, infinite[] = {INFINITY, 1};
    CHECK(!fovea_logits_are_broken(good, 2));
    CHECK(fovea_logits_are_broken(nan, 2));
    CHECK(fovea_logits_are_broken(infinite, 2));
}

/* Values printed in textbooks and by R's prop.test(correct = FALSE). */
/* softmax of 1 and 2 alone: 1 / (1 + e^-1) */
static void top_predictions__among_some__others_do_not_compete(void) {
    static const float logits[] = {9, 1, 8, 2};
    static const bool among[] = {false, true, false, true};
    struct fovea_result best[4];
    CHECK(fovea_logits_top(logits, among, 4, 4, best) == 2);
    CHECK(best[0].class_index == 3 && best[1].class_index == 1);
    CHECK(fabs(best[0].probability - 0.7310585786300049) < 1e-15);
    CHECK(fabs(fovea_logits_log_sum_exp(logits, among, 4, 2) - 2.313261687518223) < 1e-15);
}

static void wilson_interval__known_counts__known_bounds(void) {
    double low, high;
    wilson_interval(8, 10, &low, &high);
    CHECK(near(low, 0.4901625, 1e-6) && near(high, 0.9433178, 1e-6));
    wilson_interval(0, 10, &low, &high);
    CHECK(near(low, 0, 1e-12) && near(high, 0.2775328, 1e-6));
    wilson_interval(0, 0, &low, &high);
    CHECK(low == 0 && high == 1);
}

static const struct test tests[] = {
    TEST(top_predictions__ties__lower_class_first),
    TEST(top_predictions__fewer_classes_than_asked__gives_all),
    TEST(top_predictions__huge_logits__do_not_overflow),
    TEST(top_predictions__among_some__others_do_not_compete),
    TEST(logits_are_broken__nan_or_infinity__yes),
    TEST(wilson_interval__known_counts__known_bounds),
};

int main(int argc, char **argv) {
    return RUN_TESTS(tests, argc, argv);
}
