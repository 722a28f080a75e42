/* Threads: ranges cover the work once, and callers do not disturb each other's counts. */
#include "runtime/parallel.h"

#include "tests/check.h"
#include "tests/graph_build.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ITEMS = 1000, MOST = 8 };

/* What a loop did: how often each item was done, and by which threads. */
struct tally {
    unsigned char done[ITEMS];
    unsigned char thread[MOST];
};

static void count_items(void *context, int64_t begin, int64_t end, int thread) {
    struct tally *t = context;
    t->thread[thread] = 1;
    for (int64_t i = begin; i < end; i++) {
        t->done[i]++;
    }
}

static int threads_of(const struct tally *t) {
    int count = 0;
    for (int i = 0; i < MOST; i++) {
        count += t->thread[i];
    }
    return count;
}

static void for__any_count_and_grain__every_item_once(void) {
    int former = fovea_parallel_set_threads(4);
    for (int64_t count = 0; count <= ITEMS; count += 37) {
        for (int64_t grain = 0; grain < 500; grain = 3 * grain + 1) {
            struct tally t = {0};
            fovea_parallel_for(count, grain, count_items, &t);
            for (int64_t i = 0; i < ITEMS; i++) {
                CHECK(t.done[i] == (i < count));
            }
            CHECK(threads_of(&t) <= 4 && (grain < 1 || threads_of(&t) <= 1 + count / grain));
        }
    }
    CHECK(fovea_parallel_set_threads(former) == 4);
}

/* A thread that sets its number, and loops while others do with theirs. */
struct caller {
    int threads;
    pthread_barrier_t *barrier;
    bool wrong;
};

static void *loop_with_own_count(void *context) {
    struct caller *c = context;
    fovea_parallel_set_threads(c->threads);
    pthread_barrier_wait(c->barrier);
    for (int i = 0; i < 200; i++) {
        struct tally t = {0};
        fovea_parallel_for(ITEMS, 1, count_items, &t);
        c->wrong |= fovea_parallel_threads() != c->threads || threads_of(&t) != c->threads;
        for (int item = 0; item < ITEMS; item++) {
            c->wrong |= t.done[item] != 1;
        }
    }
    return NULL;
}

static void counts__of_two_threads__are_their_own(void) {
    pthread_barrier_t barrier;
    pthread_t threads[3];
    struct caller callers[3];
    int before = fovea_parallel_threads();
    pthread_barrier_init(&barrier, NULL, 3);
    for (int i = 0; i < 3; i++) {
        callers[i] = (struct caller){.threads = i + 1, .barrier = &barrier};
        CHECK(pthread_create(&threads[i], NULL, loop_with_own_count, &callers[i]) == 0);
    }
    for (int i = 0; i < 3; i++) {
        pthread_join(threads[i], NULL);
        CHECK(!callers[i].wrong);
    }
    pthread_barrier_destroy(&barrier);
    CHECK(fovea_parallel_threads() == before);
}

/* ---- sessions of different counts at once ------------------------------------- */

typedef struct fovea_value V;
enum { CLASSES = 12, RUNS = 30 };

static const struct fovea_model *net(struct graph_build *b) {
    build_init(b, 17);
    V *x = build_input(b, FOVEA_F32, 4, (int64_t[]){1, 3, 24, 24});
    V *y = OP(b, "Conv", x, build_random(b, 4, (int64_t[]){16, 3, 3, 3}));
    y = OP(b, "Conv", OP(b, "Relu", y), build_random(b, 4, (int64_t[]){16, 16, 3, 3}));
    y = OP(b, "Flatten", OP(b, "GlobalAveragePool", OP(b, "Sigmoid", y)));
    build_output(b, OP(b, "Gemm", y, build_random(b, 2, (int64_t[]){16, CLASSES})));
    return build_model(b);
}

struct worker {
    const struct fovea_model *model;
    const struct fovea_tensor *image;
    int threads;
    float logits[RUNS][CLASSES];
    struct fovea_error err;
    enum fovea_status status;
    int threads_after; /* what the caller's own loops use once the session has run */
};

static void *run_worker(void *context) {
    struct worker *w = context;
    struct fovea_session *session = NULL;
    struct fovea_session_options options;
    fovea_session_options_default(&options);
    options.threads = w->threads;
    fovea_parallel_set_threads(3);
    w->status = fovea_session_create(w->model, w->image, &options, &session, &w->err);
    for (int i = 0; i < RUNS && !w->status; i++) {
        struct fovea_tensor y = {FOVEA_F32, 2, {1, CLASSES}, w->logits[i]};
        w->status = fovea_session_run(session, w->image, &y, NULL, &w->err);
    }
    w->threads_after = fovea_parallel_threads();
    fovea_session_destroy(session);
    return NULL;
}

static void sessions__of_one_and_two_threads_at_once__same_bits_as_alone(void) {
    static struct worker alone[2], together[2];
    struct graph_build b;
    struct fovea_tensor image = {0};
    pthread_t threads[2];
    const struct fovea_model *model = net(&b);
    CHECK_OK(build_fill_inputs(&b, &image), b.err);
    for (int i = 0; i < 2; i++) {
        alone[i] = (struct worker){.model = model, .image = &image, .threads = i + 1};
        together[i] = alone[i];
    }
    /* One after the other, then both at once; each in a thread of its own. */
    for (int i = 0; i < 2; i++) {
        CHECK(pthread_create(&threads[i], NULL, run_worker, &alone[i]) == 0);
        pthread_join(threads[i], NULL);
    }
    for (int i = 0; i < 2; i++) {
        CHECK(pthread_create(&threads[i], NULL, run_worker, &together[i]) == 0);
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
        CHECK_OK(alone[i].status, alone[i].err);
        CHECK_OK(together[i].status, together[i].err);
        CHECK(memcmp(alone[i].logits, together[i].logits, sizeof(alone[i].logits)) == 0);
        CHECK(memcmp(alone[i].logits[0], alone[i].logits[RUNS - 1], sizeof(alone[i].logits[0])) ==
              0);
        CHECK(alone[i].threads_after == 3 && together[i].threads_after == 3);
    }
    free(image.data);
    build_finish(&b);
}

/* ---- waiting ------------------------------------------------------------------- */

static double cpu_seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* After a run threads may spin for a moment, but not for good; how long is not judged. */
static void session__between_runs__takes_no_cpu_time(void) {
    enum { TRIES = 100 };
    static struct worker w;
    struct graph_build b;
    struct fovea_tensor image = {0};
    struct fovea_session *session = NULL;
    struct fovea_session_options options;
    const struct fovea_model *model = net(&b);
    struct fovea_tensor y = {FOVEA_F32, 2, {1, CLASSES}, w.logits[0]};
    bool still = false;
    fovea_session_options_default(&options);
    options.threads = 2;
    CHECK_OK(build_fill_inputs(&b, &image), b.err);
    CHECK_OK(fovea_session_create(model, &image, &options, &session, &b.err), b.err);
    CHECK_OK(fovea_session_run(session, &image, &y, NULL, &b.err), b.err);
    for (int i = 0; i < TRIES && !still; i++) {
        const struct timespec pause = {.tv_nsec = 100000000};
        double before = cpu_seconds();
        nanosleep(&pause, NULL);
        still = cpu_seconds() - before < 0.002;
    }
    CHECK(still);
    fovea_session_destroy(session);
    free(image.data);
    build_finish(&b);
}

int main(int argc, char **argv) {
    static const struct test tests[] = {
        TEST(for__any_count_and_grain__every_item_once),
        TEST(counts__of_two_threads__are_their_own),
        TEST(sessions__of_one_and_two_threads_at_once__same_bits_as_alone),
        TEST(session__between_runs__takes_no_cpu_time),
    };
    return RUN_TESTS(tests, argc, argv);
}
