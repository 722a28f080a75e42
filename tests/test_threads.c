/*
 * Threads of a program that share a model: each has a session, and what it
 * computes is, bit for bit, what one alone computes. Sessions are made, run and
 * destroyed at the same time.
 *
 * ThreadSanitizer runs those that compare bits, too (tests/proof/tsan): with sessions of one
 * thread, since it does not understand how libgomp's threads meet.
 */
#include "tests/check.h"
#include "tests/graph_build.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct fovea_value V;

enum { LOGITS = 10, IMAGES = 4, PIXELS = 3 * 16 * 16, MOST_THREADS = 64 };

/* Convolutions, one with groups, and a head: weights to be packed and shared. */
static const struct fovea_model *small_net(struct graph_build *b) {
    build_init(b, 17);
    V *x = build_input(b, FOVEA_F32, 4, DIMS(1, 3, 16, 16));
    V *y = OP(b, "Conv", x, build_random(b, 4, DIMS(16, 3, 3, 3)), build_random(b, 1, DIMS(16)));
    y = OP(b, "Relu", y);
    y = OP(b, "Conv", y, build_random(b, 4, DIMS(16, 8, 3, 3)), build_random(b, 1, DIMS(16)));
    build_set_int(b, y, "group", 2);
    build_set_ints(b, y, "pads", DIMS(1, 1, 1, 1), 4);
    y = OP(b, "Sigmoid", y);
    y = OP(b, "Add", OP(b, "Conv", y, build_random(b, 4, DIMS(16, 16, 1, 1))), y);
    y = OP(b, "Flatten", OP(b, "GlobalAveragePool", y));
    y = OP(b, "Gemm", y, build_random(b, 2, DIMS(16, LOGITS)), build_random(b, 1, DIMS(LOGITS)));
    build_output(b, OP(b, "Softmax", y));
    return build_model(b);
}

/* What all threads of a test have in common. */
struct shared {
    const struct fovea_model *model;
    float images[IMAGES][PIXELS];
    float want[IMAGES][LOGITS]; /* of a session in the only thread there was */
    struct fovea_session_options options;
    int sessions, runs; /* that each thread makes, one after another; of each session */
    int most_threads;   /* of a session: 1, 2, ... by turns; then results may differ in rounding */
    atomic_int number;
};

/* What went wrong in one thread. */
struct outcome {
    enum fovea_status status;
    struct fovea_error err;
    int differ; /* results that were not the wanted ones */
};

static enum fovea_status run_image(struct shared *s, struct fovea_session *session, int image,
                                   float *logits, struct fovea_error *err) {
    const struct fovea_tensor x = {FOVEA_F32, 4, {1, 3, 16, 16}, s->images[image]};
    const struct fovea_tensor y = {FOVEA_F32, 2, {1, LOGITS}, logits};
    return fovea_session_run(session, &x, &y, NULL, err);
}

static void use_session(struct shared *s, int threads, struct outcome *o) {
    struct fovea_session *session = NULL;
    struct fovea_session_options options = s->options;
    const struct fovea_tensor x = {FOVEA_F32, 4, {1, 3, 16, 16}, NULL};
    options.threads = threads;
    o->status = fovea_session_create(s->model, &x, &options, &session, &o->err);
    for (int i = 0; i < s->runs && !o->status; i++) {
        float logits[LOGITS];
        o->status = run_image(s, session, i % IMAGES, logits, &o->err);
        o->differ += memcmp(logits, s->want[i % IMAGES], sizeof(logits)) != 0;
    }
    fovea_session_destroy(session);
}

static struct shared *shared_of_thread;

static void *thread_body(void *context) {
    struct shared *s = shared_of_thread;
    int number = atomic_fetch_add(&s->number, 1);
    for (int i = 0; i < s->sessions; i++) {
        struct outcome *o = context;
        if (!o->status) {
            use_session(s, 1 + (number + i) % s->most_threads, o);
        }
    }
    return NULL;
}

static void prepare_shared(struct shared *s, const struct fovea_model *model) {
    memset(s, 0, sizeof(*s));
    s->model = model;
    s->most_threads = 1;
    fovea_session_options_default(&s->options);
    for (int i = 0; i < IMAGES; i++) {
        for (int j = 0; j < PIXELS; j++) {
            s->images[i][j] = (float)((j * 7 + i * 31) % 256) / 128 - 1;
        }
    }
}

/* The results of one session, with nobody beside it. */
static void run_serially(struct shared *s) {
    struct fovea_session *session = NULL;
    struct fovea_error err;
    const struct fovea_tensor x = {FOVEA_F32, 4, {1, 3, 16, 16}, NULL};
    s->options.threads = 1;
    CHECK_OK(fovea_session_create(s->model, &x, &s->options, &session, &err), err);
    for (int i = 0; i < IMAGES && session; i++) {
        CHECK_OK(run_image(s, session, i, s->want[i], &err), err);
    }
    fovea_session_destroy(session);
}

static int run_threads(struct shared *s, int count) {
    static struct outcome outcomes[MOST_THREADS];
    pthread_t threads[MOST_THREADS];
    int started = 0, differ = 0;
    memset(outcomes, 0, sizeof(outcomes));
    shared_of_thread = s;
    while (started < count &&
           pthread_create(&threads[started], NULL, thread_body, &outcomes[started]) == 0) {
        started++;
    }
    CHECK(started == count);
    for (int i = 0; i < started; i++) {
        pthread_join(threads[i], NULL);
        CHECK_OK(outcomes[i].status, outcomes[i].err);
        differ += outcomes[i].differ;
    }
    return differ;
}

static void sessions__of_64_threads__bits_of_a_serial_run(void) {
    struct graph_build b;
    static struct shared s;
    prepare_shared(&s, small_net(&b));
    run_serially(&s);
    s.sessions = 1;
    s.runs = 50;
    CHECK(run_threads(&s, 64) == 0);
    build_finish(&b);
}

static void sessions__made_and_destroyed_beside_running_ones__bits_of_a_serial_run(void) {
    struct graph_build b;
    static struct shared s;
    prepare_shared(&s, small_net(&b));
    run_serially(&s);
    s.sessions = 12;
    s.runs = 6;
    CHECK(run_threads(&s, 8) == 0);
    build_finish(&b);
}

static void sessions__of_different_thread_counts__all_succeed(void) {
    struct graph_build b;
    static struct shared s;
    prepare_shared(&s, small_net(&b));
    s.sessions = 6;
    s.runs = 6;
    s.most_threads = 3;
    run_threads(&s, 6);
    build_finish(&b);
}

/* oneDNN 2.6.3 fails to make the grouped convolution in bf16, and crashed when two tried. */
static void sessions__of_bf16_made_at_once__bits_of_a_serial_run(void) {
    for (int round = 0; round < 10; round++) {
        struct graph_build b;
        static struct shared s;
        prepare_shared(&s, small_net(&b));
        s.options.precision = FOVEA_PRECISION_BF16;
        s.sessions = 4;
        s.runs = 1;
        if (round == 0) {
            /* The first time, nothing is in oneDNN's cache. */
            run_threads(&s, 8);
        }
        run_serially(&s);
        CHECK(run_threads(&s, 8) == 0);
        build_finish(&b);
    }
}

int main(int argc, char **argv) {
    /* bf16 first, while nothing has been made in this process. */
    static const struct test tests[] = {
        TEST(sessions__of_bf16_made_at_once__bits_of_a_serial_run),
        TEST(sessions__of_64_threads__bits_of_a_serial_run),
        TEST(sessions__made_and_destroyed_beside_running_ones__bits_of_a_serial_run),
        TEST(sessions__of_different_thread_counts__all_succeed),
    };
    return RUN_TESTS(tests, argc, argv);
}
