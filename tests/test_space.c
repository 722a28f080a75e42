/* Free ranges of a planned arena, against a map of its bytes. */
#include "runtime/space.h"
#include "tests/check.h"

#include <stdint.h>
#include <string.h>

enum { BYTES = 4096, MOST = 64, STEPS = 20000 };

struct taken {
    size_t offset, size;
};

static size_t random_below(uint64_t *state, size_t bound) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (size_t)(*state >> 33) % bound;
}

/* Length of the shortest free run of the map that `size` fits in; 0: none but that at the end. */
static size_t best_run(const bool *map, size_t end, size_t size) {
    size_t best = 0;
    for (size_t at = 0, run = 0; at < end; at++) {
        run = map[at] ? 0 : run + 1;
        bool ends = at + 1 == end || map[at + 1];
        if (run >= size && ends && (best == 0 || run < best)) {
            best = run;
        }
    }
    return best;
}

static size_t free_run_at(const bool *map, size_t end, size_t at) {
    size_t run = 0;
    while (at + run < end && !map[at + run]) {
        run++;
    }
    return run;
}

static void take(struct fovea_space *space, bool *map, struct taken *taken, size_t size) {
    size_t end = space->end, best = best_run(map, end, size);
    taken->offset = fovea_space_take(space, size);
    taken->size = size;
    CHECK(taken->offset + size <= space->end && space->end <= BYTES);
    if (best > 0) {
        CHECK(space->end == end && free_run_at(map, end, taken->offset) == best);
    } else {
        CHECK(taken->offset + free_run_at(map, end, taken->offset) == end);
        CHECK(space->end == taken->offset + size);
    }
    CHECK(!memchr(map + taken->offset, true, size));
    memset(map + taken->offset, true, size);
}

static void random_sizes__fit_best__never_twice(void) {
    static bool map[BYTES];
    struct taken taken[MOST];
    size_t n = 0;
    uint64_t state = 1;
    struct fovea_space space = {0};
    struct fovea_error err;
    for (int step = 0; step < STEPS; step++) {
        if (n < MOST && random_below(&state, 2) == 0) {
            take(&space, map, &taken[n++], 1 + random_below(&state, 40));
        } else if (n > 0) {
            size_t i = random_below(&state, n);
            CHECK_OK(fovea_space_release(&space, taken[i].offset, taken[i].size, &err), err);
            memset(map + taken[i].offset, false, taken[i].size);
            taken[i] = taken[--n];
        }
    }
    fovea_space_finish(&space);
}

static void all_given_back__one_range__taken_whole(void) {
    struct fovea_space space = {0};
    struct fovea_error err;
    for (size_t i = 0; i < 8; i++) {
        CHECK(fovea_space_take(&space, 10) == 10 * i);
    }
    for (size_t i = 0; i < 8; i++) { /* 0, 3, 6, 1, 4, 7, 2, 5: apart, then joined */
        CHECK_OK(fovea_space_release(&space, i * 3 % 8 * 10, 10, &err), err);
    }
    CHECK(fovea_space_take(&space, 80) == 0 && space.end == 80);
    fovea_space_finish(&space);
}

static const struct test tests[] = {
    TEST(random_sizes__fit_best__never_twice),
    TEST(all_given_back__one_range__taken_whole),
};

int main(int argc, char **argv) {
    return RUN_TESTS(tests, argc, argv);
}
