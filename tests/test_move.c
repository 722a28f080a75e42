/* Data movement against plain index loops, on random shapes that reach every kernel. */
#include "ops/copy.h"
#include "tests/check.h"
#include "tests/run_op.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t state = 1;

static int64_t random_below(int64_t bound) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (int64_t)((state >> 33) % (uint64_t)bound);
}

static void shuffle(int64_t *values, int n) {
    for (int i = n - 1; i > 0; i--) {
        int64_t j = random_below(i + 1), kept = values[i];
        values[i] = values[j];
        values[j] = kept;
    }
}

/* Element `index` of the transpose of a tensor of `dims` is element ... of the tensor. */
static int64_t transposed_from(int64_t index, int rank, const int64_t *dims, const int64_t *perm) {
    int64_t at[FOVEA_MAX_RANK], from = 0;
    for (int i = rank - 1; i >= 0; i--) {
        at[perm[i]] = index % dims[perm[i]];
        index /= dims[perm[i]];
    }
    for (int i = 0; i < rank; i++) {
        from = from * dims[i] + at[i];
    }
    return from;
}

static bool transpose_is_right(enum fovea_dtype dtype, int rank, const int64_t *dims,
                               const int64_t *perm) {
    struct run_op r;
    struct fovea_tensor x;
    fovea_tensor_set_shape(&x, dtype, rank, dims);
    size_t bytes = fovea_tensor_bytes(&x), size = fovea_dtype_size(dtype);
    unsigned char *data = malloc(bytes + 1);
    for (size_t i = 0; i < bytes; i++) {
        data[i] = (unsigned char)random_below(256);
    }
    run_op_init(&r, "", "Transpose", 13);
    run_op_attr_ints(&r, "perm", perm, (size_t)rank);
    run_op_input(&r, dtype, rank, dims, data, false);
    bool right = run_op_run(&r, 1) == FOVEA_OK;
    for (int64_t i = 0; right && i < fovea_tensor_count(&x); i++) {
        int64_t from = transposed_from(i, rank, dims, perm);
        right =
            memcmp((char *)r.out[0].data + (size_t)i * size, data + (size_t)from * size, size) == 0;
    }
    run_op_finish(&r);
    free(data);
    return right;
}

static void transpose__random_shapes__match_an_index_loop(void) {
    static const enum fovea_dtype dtypes[] = {FOVEA_U8, FOVEA_I16, FOVEA_F32, FOVEA_F64};
    for (int round = 0; round < 400; round++) {
        int64_t dims[FOVEA_MAX_RANK], perm[FOVEA_MAX_RANK], left = 20000;
        int rank = (int)random_below(FOVEA_MAX_RANK + 1);
        for (int i = 0; i < rank; i++) {
            dims[i] = random_below(4) == 0 ? 1 : 1 + random_below(left < 70 ? left : 70);
            left /= dims[i];
            perm[i] = i;
        }
        shuffle(perm, rank);
        if (!transpose_is_right(dtypes[round % 4], rank, dims, perm)) {
            char text[32];
            snprintf(text, sizeof(text), "round %d", round);
            check_failed(__FILE__, __LINE__, "transpose", text);
        }
    }
}

/* The permutations of attention and patch embedding, large enough for threads. */
static void transpose__vit_permutations__match_an_index_loop(void) {
    CHECK(transpose_is_right(FOVEA_F32, 4, (int64_t[]){2, 197, 6, 64}, (int64_t[]){0, 2, 1, 3}));
    CHECK(transpose_is_right(FOVEA_F32, 5, (int64_t[]){1, 197, 3, 6, 64},
                             (int64_t[]){2, 0, 3, 1, 4}));
    CHECK(transpose_is_right(FOVEA_F32, 3, (int64_t[]){2, 384, 197}, (int64_t[]){0, 2, 1}));
    CHECK(transpose_is_right(FOVEA_F32, 4, (int64_t[]){1, 96, 30, 31}, (int64_t[]){0, 2, 3, 1}));
    CHECK(transpose_is_right(FOVEA_F32, 4, (int64_t[]){1, 30, 31, 96}, (int64_t[]){0, 3, 1, 2}));
    CHECK(transpose_is_right(FOVEA_F32, 4, (int64_t[]){2, 197, 6, 64}, (int64_t[]){0, 2, 3, 1}));
}

static void copy_box__negative_and_zero_strides__are_followed(void) {
    int32_t src[4] = {1, 2, 3, 4}, dst[12] = {0};
    const int32_t want[12] = {4, 3, 2, 1, 4, 3, 2, 1, 4, 3, 2, 1};
    struct fovea_box box = {.rank = 2, .dims = {3, 4}, .src = {0, -1}, .dst = {4, 1}};
    fovea_copy_box(&box, 4, src + 3, dst);
    CHECK(memcmp(dst, want, sizeof(want)) == 0);
}

/* Cut into pieces for the threads, with a rest. */
static void fill__long_row__reaches_the_end(void) {
    enum { COUNT = 3 * 4096 + 17 };
    uint16_t *dst = calloc(COUNT + 1, sizeof(*dst)), value = 0xabcd;
    fovea_fill(dst, COUNT, sizeof(value), &value);
    int wrong = 0;
    for (int i = 0; i < COUNT; i++) {
        wrong += dst[i] != value;
    }
    CHECK(wrong == 0 && dst[COUNT] == 0);
    free(dst);
}

static const struct test tests[] = {
    TEST(transpose__random_shapes__match_an_index_loop),
    TEST(transpose__vit_permutations__match_an_index_loop),
    TEST(copy_box__negative_and_zero_strides__are_followed),
    TEST(fill__long_row__reaches_the_end),
};

int main(int argc, char **argv) {
    return RUN_TESTS(tests, argc, argv);
}
