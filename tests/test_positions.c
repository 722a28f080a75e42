/* Position embeddings for other grids: PyTorch 1.13's interpolate in double is the reference. */
#include "loaders/positions.h"
#include "tests/check.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/*
 * F.interpolate of [1, 1, h, w] to [h', w']: mode bilinear with align_corners,
 * which scipy.ndimage.zoom of order 1 does; bicubic with antialias; bilinear;
 * bicubic. In the order of the rules.
 */
static const struct grid {
    int h, w, new_h, new_w;
    float from[16];
    double to[FOVEA_N_POSITIONS_RULES][20];
} grids[] = {
    {2,
     2,
     3,
     3,
     {5, -7, -5, -4},
     {{5, -1, -7, 0, -2.75, -5.5, -5, -4.5, -4},
      {6.503636, -0.7697368, -8.043109, 0.3618421, -2.75, -5.861842, -5.779952, -4.730263,
       -3.680575},
      {5, -1, -7, 2.775558e-16, -2.75, -5.5, -5, -4.5, -4},
      {7.00768, -0.6961806, -8.400041, 0.4774306, -2.75, -5.977431, -6.052819, -4.803819,
       -3.55482}}},
    {4,
     4,
     3,
     3,
     {-5, 5, 6, 1, -8, -7, -3, -1, 2, 0, -4, -6, 3, 4, -8, -7},
     {{-5, 5.5, 1, -3, -3.5, -3.5, 3, -2, -7},
      {-4.475198, 3.120219, 1.669166, -3.390921, -3.907039, -3.547848, 3.946007, -1.826361,
       -7.645827},
      {-4.083333, 3.75, 1.305556, -3.083333, -3.5, -3.5, 2.916667, -2, -6.916667},
      {-4.374132, 5.130317, 1.390459, -3.626121, -4.671875, -3.629666, 3.295155, -1.946289,
       -7.205858}}},
    {3,
     3,
     5,
     4,
     {-1, -2, 7, 0, -1, -1, 3, 1, -6},
     {{-1, -1.666667, 1,   7,         -0.5, -1.166667, -2.220446e-16, 3,         0, -0.6666667, -1,
       -1, 1.5,       0.5, -1.166667, -3.5, 3,         1.666667,      -1.333333, -6},
      {-1.023233, -2.381312,  1.467109,  8.109406,  -0.7336823, -1.814222, 0.4921464,
       4.73953,   0.05223881, -0.626754, -1.070159, -1,         2.078692,  1.305991,
       -1.619159, -4.862943,  3.334835,  2.453783,  -1.804578,  -6.770628},
      {-1, -1.625, 1.375, 7,   -0.6,   -1.225, 0.425, 3.8,  0,      -0.625,
       -1, -1,     1.8,   0.8, -1.375, -4,     3,     1.75, -1.625, -6},
      {-1.024223, -2.81934,   1.348645,   8.476012,  -0.7613906, -2.082092, 0.3084805,
       4.687525,  0.07177734, -0.6396484, -1.109863, -1,         2.023705,  1.418732,
       -1.658354, -4.990006,  3.438445,   2.790168,  -1.802891,  -7.030676}}},
};

static void check_grid(const struct grid *grid, enum fovea_positions_rule rule) {
    /* Two channels, the second twice the first. */
    float from[32], to[40];
    struct fovea_error err;
    for (int i = 0; i < grid->h * grid->w; i++) {
        from[2 * i] = grid->from[i];
        from[2 * i + 1] = 2 * grid->from[i];
    }
    CHECK_OK(fovea_positions_resample(rule, from, grid->h, grid->w, grid->new_h, grid->new_w, 2, to,
                                      &err),
             err);
    for (int i = 0; i < grid->new_h * grid->new_w; i++) {
        double want = grid->to[rule][i];
        if (fabs(to[2 * i] - want) > 2e-6 || to[2 * i + 1] != 2 * to[2 * i]) {
            char text[96];
            snprintf(text, sizeof(text), "%s, place %d: %g, not %g", fovea_positions_name(rule), i,
                     (double)to[2 * i], want);
            check_failed(__FILE__, __LINE__, "element", text);
        }
    }
}

static void resample__each_rule__agrees_with_torch(void) {
    for (size_t i = 0; i < sizeof(grids) / sizeof(grids[0]); i++) {
        for (int rule = 0; rule < FOVEA_N_POSITIONS_RULES; rule++) {
            check_grid(&grids[i], (enum fovea_positions_rule)rule);
        }
    }
}

static void resample__same_grid__changes_nothing(void) {
    for (int rule = 0; rule < FOVEA_N_POSITIONS_RULES; rule++) {
        float to[9];
        struct fovea_error err;
        CHECK_OK(fovea_positions_resample((enum fovea_positions_rule)rule, grids[2].from, 3, 3, 3,
                                          3, 1, to, &err),
                 err);
        CHECK(memcmp(to, grids[2].from, sizeof(to)) == 0);
    }
}

static void rule__by_name__is_found(void) {
    enum fovea_positions_rule rule = FOVEA_N_POSITIONS_RULES;
    struct fovea_error err = {0};
    for (int i = 0; i < FOVEA_N_POSITIONS_RULES; i++) {
        CHECK_OK(
            fovea_positions_find(fovea_positions_name((enum fovea_positions_rule)i), &rule, &err),
            err);
        CHECK((int)rule == i);
    }
    CHECK(fovea_positions_find("nearest", &rule, &err) == FOVEA_ERR_INVALID);
    CHECK(strstr(err.message, "'nearest' is none of big-vision, timm, timm-npz, hf"));
}

static const struct test tests[] = {
    TEST(resample__each_rule__agrees_with_torch),
    TEST(resample__same_grid__changes_nothing),
    TEST(rule__by_name__is_found),
};

int main(int argc, char **argv) {
    return RUN_TESTS(tests, argc, argv);
}
