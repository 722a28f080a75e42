/*
 * Einsum against sums by definition; values in [-1, 1], tolerance
 * 2e-6 * (1 + sqrt(terms)) as in test_conv.c. Sizes of letters are fixed.
 */
#include "tests/check.h"
#include "tests/run_op.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Size of each letter used below. */
static int64_t size_of(char letter) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz";
    static const int64_t sizes[] = {2, 3, 5, 4, 6, 2, 3, 2, 7, 9, 1, 3, 8};
    return sizes[(strchr(letters, letter) - letters) % 13];
}

static int dims_of(const char *term, int64_t *dims) {
    int n = (int)strlen(term);
    for (int i = 0; i < n; i++) {
        dims[i] = size_of(term[i]);
    }
    return n;
}

static int64_t offset_of(const char *term, const int64_t *index) {
    int64_t offset = 0;
    for (; *term; term++) {
        offset = offset * size_of(*term) + index[*term - 'a'];
    }
    return offset;
}

/* Split "ab,bc->ac" at its punctuation; gives the number of inputs, the output last. */
static int split(const char *equation, char terms[4][16]) {
    int n = 0, length = 0;
    for (const char *c = equation;; c++) {
        if (*c == ',' || *c == '-' || *c == 0) {
            terms[n++][length] = 0;
            length = 0;
            if (*c == 0) {
                return n - 1;
            }
            c += *c == '-';
        } else {
            terms[n][length++] = *c;
        }
    }
}

/* Run over all values of all letters. */
static int64_t by_definition(char terms[4][16], int n_in, float *const *in, double *out,
                             int64_t count) {
    int64_t index[26] = {0}, visited = 0;
    bool used[26] = {false};
    memset(out, 0, (size_t)count * sizeof(*out));
    for (int i = 0; i < n_in; i++) {
        for (const char *c = terms[i]; *c; c++) {
            used[*c - 'a'] = true;
        }
    }
    for (;; visited++) {
        double product = 1;
        for (int i = 0; i < n_in; i++) {
            product *= in[i][offset_of(terms[i], index)];
        }
        out[offset_of(terms[n_in], index)] += product;
        int l = 0;
        while (l < 26 && (!used[l] || ++index[l] == size_of((char)('a' + l)))) {
            index[l++] = 0;
        }
        if (l == 26) {
            return visited + 1;
        }
    }
}

static void check_equation(const char *equation) {
    char terms[4][16];
    int n_in = split(equation, terms);
    float *in[3] = {NULL};
    struct run_op r;
    run_op_init(&r, "", "Einsum", 12);
    run_op_attr_string(&r, "equation", equation);
    for (int i = 0; i < n_in; i++) {
        int64_t dims[8], count = 1;
        int rank = dims_of(terms[i], dims);
        for (int d = 0; d < rank; d++) {
            count *= dims[d];
        }
        in[i] = malloc((size_t)count * sizeof(float));
        fill_random(in[i], count, -1, 1, (uint32_t)i + 1);
        run_op_input(&r, FOVEA_F32, rank, dims, in[i], false);
    }
    int64_t dims[8], count = 1;
    int rank = dims_of(terms[n_in], dims);
    for (int d = 0; d < rank; d++) {
        count *= dims[d];
    }
    double *sums = malloc((size_t)count * sizeof(double));
    float *want = malloc((size_t)count * sizeof(float));
    int64_t products = by_definition(terms, n_in, in, sums, count);
    for (int64_t i = 0; i < count; i++) {
        want[i] = (float)sums[i];
    }
    if (run_op_run(&r, 1)) {
        check_failed(__FILE__, __LINE__, equation, r.err.message);
    } else {
        double error = run_op_error(&r, 0, want, count);
        if (!(error <= 2e-6 * (1 + sqrt((double)products / (double)count))) ||
            r.out[0].rank != rank) {
            char detail[64];
            snprintf(detail, sizeof(detail), "error %g, rank %d", error, r.out[0].rank);
            check_failed(__FILE__, __LINE__, equation, detail);
        }
    }
    run_op_finish(&r);
    for (int i = 0; i < n_in; i++) {
        free(in[i]);
    }
    free(sums);
    free(want);
}

static void einsum__two_operands__match_definition(void) {
    static const char *const equations[] = {
        "ij,jm->im",
        "ij,mj->im",
        "ji,jm->im",
        "ij,jm->mi",
        "bij,bjm->bim",
        "bhid,bhjd->bhij",
        "bhij,bhjd->bihd",
        "bihd,bjhd->bhij",
        "ahbc,ahcd->abhd",
        "abc,cde->abde",
        "abc,bcd->ad",
        "abc,dcb->ad",
        "acb,bdc->ad",
        "i,j->ij",
        "i,i->",
        "i,i->i",
        "ij,j->i",
        "ij,i->ij",
        "abcde,fgcbd->aefg",
        "ki,kj->ij",
        "ik,kj->ij",
        "aik,akj->aij",
        "abcdi,abcdj->abcdij",
        "abcd,abce->acbed",
        "ai,bj->abij",
    };
    for (size_t i = 0; i < sizeof(equations) / sizeof(equations[0]); i++) {
        check_equation(equations[i]);
    }
}

static void einsum__other_forms__match_definition(void) {
    static const char *const equations[] = {
        "ij->ji",         "ij->",         "ij->i",      "ii->i",    "ii->",
        "bii->bi",        "ab,bc,cd->ad", "ij,jm->j",   "ij,ij->i", "ijm,j->m",
        "abc,abc,abc->b", "ij,jj->i",     "abcd->dbca",
    };
    for (size_t i = 0; i < sizeof(equations) / sizeof(equations[0]); i++) {
        check_equation(equations[i]);
    }
}

static void check_small(const char *equation, int rank, const int64_t *dims, const float *want,
                        int64_t count) {
    struct run_op r;
    float x[4] = {1, 2, 3, 4}, y[2] = {10, 100};
    run_op_init(&r, "", "Einsum", 12);
    run_op_attr_string(&r, "equation", equation);
    run_op_input(&r, FOVEA_F32, 2, (int64_t[]){2, 2}, x, false);
    run_op_input(&r, FOVEA_F32, 1, (int64_t[]){2}, y, false);
    CHECK_OK(run_op_run(&r, 1), r.err);
    CHECK(r.out[0].rank == rank);
    CHECK(memcmp(r.out[0].dims, dims, (size_t)rank * sizeof(*dims)) == 0);
    CHECK(run_op_error(&r, 0, want, count) == 0);
    run_op_finish(&r);
}

/* Values as numpy.einsum gives them. */
static void einsum__dots_and_implicit_output__are_numpys(void) {
    const float row[2] = {210, 430}, scaled[4] = {10, 200, 30, 400};
    const float outer[8] = {10, 100, 20, 200, 30, 300, 40, 400};
    check_small("...i,i->...", 1, (int64_t[]){2}, row, 2);
    check_small("...i, i", 1, (int64_t[]){2}, row, 2);
    check_small("...,...", 2, (int64_t[]){2, 2}, scaled, 4);
    check_small("ij,j", 1, (int64_t[]){2}, row, 2);
    check_small("ba,c", 3, (int64_t[]){2, 2, 2}, (float[]){10, 100, 30, 300, 20, 200, 40, 400}, 8);
    check_small("ab,c", 3, (int64_t[]){2, 2, 2}, outer, 8);
    check_small("i...,... -> ...i", 2, (int64_t[]){2, 2}, (float[]){10, 30, 200, 400}, 4);
}

static void einsum__bad_equations__are_refused(void) {
    static const struct {
        const char *equation, *part;
    } bad[] = {
        {"ij", "fewer terms than there are inputs"},
        {"ij,j,j->i", "more terms than inputs"},
        {"ij,j->k", "a label that no input has"},
        {"ij,j->ii", "a label twice"},
        {"ijk,j->i", "does not fit its shape [2,2]"},
        {"i,j->i", "does not fit its shape [2,2]"},
        {"ij,j->i1", "only letters"},
        {"i.j,j->i", "only letters"},
        {"......,j->j", "only letters"},
        {"ij,j-i", "'-' without '>'"},
        {"ij,j->i,j", "text after"},
        {"abcdefghi,j", "more than 8 dimensions"},
        {"\x1b[0m,j", "only letters"},
    };
    float x[4] = {0};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct run_op r;
        run_op_init(&r, "", "Einsum", 12);
        run_op_attr_string(&r, "equation", bad[i].equation);
        run_op_input(&r, FOVEA_F32, 2, (int64_t[]){2, 2}, x, false);
        run_op_input(&r, FOVEA_F32, 1, (int64_t[]){2}, x, false);
        CHECK(run_op_run(&r, 1) == FOVEA_ERR_INVALID);
        if (!strstr(r.err.message, bad[i].part)) {
            check_failed(__FILE__, __LINE__, bad[i].equation, r.err.message);
        }
        run_op_finish(&r);
    }
}

static void einsum__sizes_that_differ__are_refused(void) {
    struct run_op r;
    float x[6] = {0};
    run_op_init(&r, "", "Einsum", 12);
    run_op_attr_string(&r, "equation", "ij,j->i");
    run_op_input(&r, FOVEA_F32, 2, (int64_t[]){2, 3}, x, false);
    run_op_input(&r, FOVEA_F32, 1, (int64_t[]){2}, x, false);
    CHECK(run_op_run(&r, 1) == FOVEA_ERR_INVALID);
    CHECK_STR(r.err.message, "node 'test' (Einsum): equation 'ij,j->i': dimension 0 of input 1 is "
                             "2, where another operand has 3");
    run_op_finish(&r);
}

static void einsum__empty_sum__is_zero(void) {
    struct run_op r;
    float x[1] = {0};
    run_op_init(&r, "", "Einsum", 12);
    run_op_attr_string(&r, "equation", "ij,jk->ik");
    run_op_input(&r, FOVEA_F32, 2, (int64_t[]){2, 0}, x, false);
    run_op_input(&r, FOVEA_F32, 2, (int64_t[]){0, 3}, x, false);
    CHECK_OK(run_op_run(&r, 1), r.err);
    CHECK(run_op_error(&r, 0, (float[6]){0}, 6) == 0);
    run_op_finish(&r);
}

static void einsum__f64_and_i64__are_exact(void) {
    struct run_op r;
    int64_t x[2] = {(int64_t)1 << 40, 3}, want = ((int64_t)1 << 41) + 15, y[2] = {2, 5};
    run_op_init(&r, "", "Einsum", 12);
    run_op_attr_string(&r, "equation", "i,i");
    run_op_input(&r, FOVEA_I64, 1, (int64_t[]){2}, x, false);
    run_op_input(&r, FOVEA_I64, 1, (int64_t[]){2}, y, false);
    CHECK_OK(run_op_run(&r, 1), r.err);
    CHECK(r.n_out == 1 && *(int64_t *)r.out[0].data == want);
    run_op_finish(&r);
}

static const struct test tests[] = {
    TEST(einsum__two_operands__match_definition),
    TEST(einsum__other_forms__match_definition),
    TEST(einsum__dots_and_implicit_output__are_numpys),
    TEST(einsum__bad_equations__are_refused),
    TEST(einsum__sizes_that_differ__are_refused),
    TEST(einsum__empty_sum__is_zero),
    TEST(einsum__f64_and_i64__are_exact),
};

int main(int argc, char **argv) {
    return RUN_TESTS(tests, argc, argv);
}
