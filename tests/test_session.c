/* Sessions through the public header: what is refused, and that runs agree. */
#include "tests/check.h"
#include "tests/graph_build.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

typedef struct fovea_value V;

enum { LOGITS = 10 };

/* A small network: convolution, activation, pooling, head. */
static const struct fovea_model *small_net(struct graph_build *b) {
    build_init(b, 17);
    V *x = build_input(b, FOVEA_F32, 4, DIMS(1, 3, 16, 16));
    V *y = OP(b, "Conv", x, build_random(b, 4, DIMS(8, 3, 3, 3)), build_random(b, 1, DIMS(8)));
    y = OP(b, "Relu", y);
    y = OP(b, "Add", OP(b, "Conv", y, build_random(b, 4, DIMS(8, 8, 1, 1))), y);
    y = OP(b, "Flatten", OP(b, "GlobalAveragePool", y));
    y = OP(b, "Gemm", y, build_random(b, 2, DIMS(8, LOGITS)), build_random(b, 1, DIMS(LOGITS)));
    build_output(b, OP(b, "Softmax", y));
    return build_model(b);
}

/* Make a session of `b` and expect it refused with these words. */
static void expect_refused(int line, const struct fovea_model *model,
                           const struct fovea_tensor *inputs,
                           const struct fovea_session_options *options, enum fovea_status want,
                           const char *words) {
    struct fovea_session *untouched = (struct fovea_session *)&line, *session = untouched;
    struct fovea_error err = {0};
    enum fovea_status st = fovea_session_create(model, inputs, options, &session, &err);
    if (st != want || session != untouched || err.status != want) {
        check_failed(__FILE__, line, "refusal", err.message);
    }
    if (!strstr(err.message, words)) {
        check_str(__FILE__, line, "message", err.message, words);
    }
    if (st == FOVEA_OK) {
        fovea_session_destroy(session);
    }
    CHECK(fovea_session_create(model, inputs, options, &session, NULL) == want);
}
#define EXPECT_REFUSED(...) expect_refused(__LINE__, __VA_ARGS__)

static void create__wrong_input__refused(void) {
    struct graph_build b;
    const struct fovea_model *model = small_net(&b);
    struct fovea_tensor x = {.dtype = FOVEA_I64, .rank = 4, .dims = {1, 3, 16, 16}};
    EXPECT_REFUSED(model, &x, NULL, FOVEA_ERR_INVALID, "input 'x0' is i64; the model takes f32");
    x.dtype = FOVEA_F32;
    x.dims[3] = 17;
    EXPECT_REFUSED(model, &x, NULL, FOVEA_ERR_INVALID,
                   "input 'x0' has shape [1,3,16,17]; the model takes [1,3,16,16] (-1: any)");
    x.rank = 3;
    EXPECT_REFUSED(model, &x, NULL, FOVEA_ERR_INVALID, "input 'x0' has shape [1,3,16]");
    build_finish(&b);
}

static void create__dynamic_input_of_hostile_size__refused(void) {
    struct graph_build b;
    build_init(&b, 17);
    V *x = build_input(&b, FOVEA_F32, 2, DIMS(-1, -1));
    build_output(&b, OP(&b, "Relu", x));
    const struct fovea_model *model = build_model(&b);
    struct fovea_tensor t = {.dtype = FOVEA_F32, .rank = 2, .dims = {2, -5}};
    EXPECT_REFUSED(model, &t, NULL, FOVEA_ERR_INVALID, "dimension 1 is -5, below 0");
    t.dims[1] = INT64_MAX;
    EXPECT_REFUSED(model, &t, NULL, FOVEA_ERR_LIMIT, "over the limit of 2^46 bytes a tensor");
    t.dims[0] = t.dims[1] = (int64_t)1 << 21; /* 16 TiB */
    EXPECT_REFUSED(model, &t, NULL, FOVEA_ERR_LIMIT, "of the memory limit of");
    build_finish(&b);
}

static void create__memory_limit__refused_with_the_sum(void) {
    struct graph_build b;
    const struct fovea_model *model = small_net(&b);
    struct fovea_session_options options;
    struct fovea_tensor x = {.dtype = FOVEA_F32, .rank = 4, .dims = {1, 3, 16, 16}};
    fovea_session_options_default(&options);
    options.max_memory = 7000; /* more than any one result */
    EXPECT_REFUSED(model, &x, &options, FOVEA_ERR_LIMIT, "over the limit of 7000");
    build_finish(&b);
}

static void create__unknown_pass__named(void) {
    struct graph_build b;
    const struct fovea_model *model = small_net(&b);
    struct fovea_session_options options;
    struct fovea_tensor x = {.dtype = FOVEA_F32, .rank = 4, .dims = {1, 3, 16, 16}};
    fovea_session_options_default(&options);
    options.passes = "clean,launch";
    EXPECT_REFUSED(model, &x, &options, FOVEA_ERR_INVALID, "there is no pass named 'launch'");
    options.passes = "cle";
    EXPECT_REFUSED(model, &x, &options, FOVEA_ERR_INVALID, "there is no pass named 'cle'");
    options.passes = "cleaner";
    EXPECT_REFUSED(model, &x, &options, FOVEA_ERR_INVALID, "there is no pass named 'cleaner'");
    build_finish(&b);
}

static void create__passes_by_name__only_those_run(void) {
    struct graph_build b;
    struct build_result result;
    small_net(&b);
    CHECK_OK(build_compare(&b, "epilogue,linear", &result), b.err);
    CHECK(result.error < 1e-5);
    CHECK(result.log.n_results == 2);
    CHECK(build_count(&result, "linear") == 1 && build_count(&result, "epilogue") == 2);
    CHECK(build_count(&result, "layout") == -1);
    CHECK_STR(result.ops, "Conv Conv GlobalAveragePool Flatten fovea.Linear Softmax");
    build_finish(&b);
}

static void input__deciding_shapes__needed_and_fixed(void) {
    struct graph_build b;
    struct fovea_session *session = NULL;
    struct fovea_error err;
    build_init(&b, 17);
    V *x = build_input(&b, FOVEA_F32, 2, DIMS(4, 6));
    V *shape = build_input(&b, FOVEA_I64, 1, DIMS(2));
    V *twice = OP(&b, "Mul", shape, build_ints(&b, DIMS(2, 1), 2));
    build_output(&b, OP(&b, "Relu", OP(&b, "Reshape", x, twice)));
    const struct fovea_model *model = build_model(&b);
    CHECK(!fovea_model_input_decides_shapes(model, 0));
    CHECK(fovea_model_input_decides_shapes(model, 1));
    CHECK(!fovea_model_input_decides_shapes(model, 2));

    float data[24] = {-1, 2}, out[24];
    int64_t target[2] = {4, 3}, other[2] = {9, 9};
    struct fovea_tensor in[2] = {{FOVEA_F32, 2, {4, 6}, NULL}, {FOVEA_I64, 1, {2}, NULL}};
    EXPECT_REFUSED(
        model, in, NULL, FOVEA_ERR_INVALID,
        "node 'Reshape' (Reshape): input 'x1' decides the shapes of its outputs; its contents "
        "must be given with the session");
    in[1].data = target;
    CHECK_OK(fovea_session_create(model, in, NULL, &session, &err), err);
    struct fovea_tensor y = {0};
    fovea_session_output_shape(session, 0, &y);
    CHECK(y.rank == 2 && y.dims[0] == 8 && y.dims[1] == 3 && !y.data);
    in[0].data = data;
    in[1].data = other; /* fixed: not looked at any more */
    y.data = out;
    CHECK_OK(fovea_session_run(session, in, &y, NULL, &err), err);
    CHECK(out[0] == 0 && out[1] == 2);
    fovea_session_destroy(session);
    build_finish(&b);
}

static void run__without_data__refused(void) {
    struct graph_build b;
    struct fovea_session *session = NULL;
    struct fovea_error err;
    const struct fovea_model *model = small_net(&b);
    float image[3 * 16 * 16] = {0};
    struct fovea_tensor x = {FOVEA_F32, 4, {1, 3, 16, 16}, NULL}, y;
    CHECK_OK(fovea_session_create(model, &x, NULL, &session, &err), err);
    fovea_session_output_shape(session, 0, &y);
    CHECK(fovea_session_run(session, &x, &y, NULL, &err) == FOVEA_ERR_INVALID);
    CHECK_STR(err.message, "input 'x0' has no data");
    x.data = image;
    CHECK(fovea_session_run(session, &x, &y, NULL, &err) == FOVEA_ERR_INVALID);
    CHECK_STR(err.message, "there is no memory for output 'y'");
    fovea_session_destroy(session);
    build_finish(&b);
}

/* ---- runs that must agree ---------------------------------------------------- */

struct job {
    const struct fovea_model *model;
    const struct fovea_tensor *image;
    float logits[2][LOGITS]; /* of two runs */
    int threads;
    struct fovea_error err;
    enum fovea_status status;
};

static void *do_job(void *context) {
    struct job *job = context;
    struct fovea_session *session = NULL;
    struct fovea_session_options options;
    fovea_session_options_default(&options);
    options.threads = job->threads;
    job->status = fovea_session_create(job->model, job->image, &options, &session, &job->err);
    for (int i = 0; i < 2 && !job->status; i++) {
        struct fovea_tensor y = {FOVEA_F32, 2, {1, LOGITS}, job->logits[i]};
        job->status = fovea_session_run(session, job->image, &y, NULL, &job->err);
    }
    fovea_session_destroy(session);
    return NULL;
}

static void sessions__in_two_threads_and_twice__same_bits(void) {
    struct graph_build b;
    struct fovea_tensor image = {0};
    struct job jobs[3];
    pthread_t threads[2];
    const struct fovea_model *model = small_net(&b);
    CHECK_OK(build_fill_inputs(&b, &image), b.err);
    for (int i = 0; i < 3; i++) {
        jobs[i] = (struct job){.model = model, .image = &image, .threads = i < 2 ? 1 : 2};
    }
    for (int i = 0; i < 2; i++) {
        CHECK(pthread_create(&threads[i], NULL, do_job, &jobs[i]) == 0);
    }
    do_job(&jobs[2]);
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
    }
    float sum = 0;
    for (int i = 0; i < 3; i++) {
        CHECK_OK(jobs[i].status, jobs[i].err);
        CHECK(memcmp(jobs[i].logits[0], jobs[i].logits[1], sizeof(jobs[i].logits[0])) == 0);
    }
    CHECK(memcmp(jobs[0].logits, jobs[1].logits, sizeof(jobs[0].logits)) == 0);
    for (int i = 0; i < LOGITS; i++) {
        sum += jobs[0].logits[0][i];
        CHECK(fabsf(jobs[0].logits[0][i] - jobs[2].logits[0][i]) < 1e-6f);
    }
    CHECK(fabsf(sum - 1) < 1e-5f);
    free(image.data);
    build_finish(&b);
}

static void profile__asked_for__times_of_every_step(void) {
    for (int asked = 0; asked < 2; asked++) {
        struct graph_build b;
        struct fovea_session *session = NULL;
        struct fovea_session_options options;
        struct fovea_tensor image = {0};
        float logits[LOGITS];
        struct fovea_tensor y = {FOVEA_F32, 2, {1, LOGITS}, logits};
        const struct fovea_model *model = small_net(&b);
        CHECK_OK(build_fill_inputs(&b, &image), b.err);
        fovea_session_options_default(&options);
        options.profile = asked;
        CHECK_OK(fovea_session_create(model, &image, &options, &session, &b.err), b.err);
        CHECK_OK(fovea_session_run(session, &image, &y, NULL, &b.err), b.err);
        size_t count = 99;
        double sum = 0;
        const struct fovea_step_time *times = fovea_session_get_step_times(session, &count);
        CHECK((times != NULL) == asked);
        CHECK(count == (asked ? fovea_session_get_plan(session)->n_steps : 0));
        for (size_t i = 0; i < count; i++) {
            CHECK(times[i].node && times[i].end >= times[i].begin);
            CHECK(i == 0 || times[i].begin == times[i - 1].end);
            sum += times[i].end - times[i].begin;
        }
        CHECK(!asked || (sum > 0 && sum < 10));
        fovea_session_destroy(session);
        free(image.data);
        build_finish(&b);
    }
}

/* ---- runs that are stopped ---------------------------------------------------- */

/* Asks to stop after the second step. */
struct stopper {
    struct fovea_cancel cancel;
    int steps;
};

static enum fovea_status count_step(void *context, const struct fovea_node *node,
                                    struct fovea_error *err) {
    struct stopper *stopper = context;
    (void)node;
    (void)err;
    if (++stopper->steps == 2) {
        fovea_cancel_request(&stopper->cancel);
    }
    return FOVEA_OK;
}

static void run__cancelled_between_steps__ends_there_and_the_next_has_the_same_bits(void) {
    struct graph_build b;
    struct fovea_session *session = NULL;
    struct fovea_tensor image = {0};
    struct fovea_run_options options;
    struct stopper stopper = {.steps = 0};
    float first[LOGITS], logits[LOGITS] = {0};
    struct fovea_tensor y = {FOVEA_F32, 2, {1, LOGITS}, first};
    const struct fovea_model *model = small_net(&b);
    CHECK_OK(build_fill_inputs(&b, &image), b.err);
    CHECK_OK(fovea_session_create(model, &image, NULL, &session, &b.err), b.err);
    CHECK_OK(fovea_session_run(session, &image, &y, NULL, &b.err), b.err);
    CHECK(fovea_session_get_plan(session)->n_steps > 2);
    fovea_run_options_default(&options);
    options.cancel = &stopper.cancel;
    fovea_session_watch(session, count_step, &stopper);
    y.data = logits;
    CHECK(fovea_session_run(session, &image, &y, &options, &b.err) == FOVEA_ERR_CANCELLED);
    CHECK(stopper.steps == 2 && logits[0] == 0);
    fovea_cancel_reset(&stopper.cancel);
    CHECK_OK(fovea_session_run(session, &image, &y, &options, &b.err), b.err);
    CHECK(memcmp(first, logits, sizeof(first)) == 0);
    options.deadline = fovea_deadline_after(0);
    CHECK(fovea_session_run(session, &image, &y, &options, &b.err) == FOVEA_ERR_DEADLINE);
    fovea_session_destroy(session);
    free(image.data);
    build_finish(&b);
}

static void destroy__null__nothing(void) {
    fovea_session_destroy(NULL);
    fovea_model_destroy(NULL);
}

int main(int argc, char **argv) {
    static const struct test tests[] = {
        TEST(create__wrong_input__refused),
        TEST(create__dynamic_input_of_hostile_size__refused),
        TEST(create__memory_limit__refused_with_the_sum),
        TEST(create__unknown_pass__named),
        TEST(create__passes_by_name__only_those_run),
        TEST(input__deciding_shapes__needed_and_fixed),
        TEST(run__without_data__refused),
        TEST(sessions__in_two_threads_and_twice__same_bits),
        TEST(profile__asked_for__times_of_every_step),
        TEST(run__cancelled_between_steps__ends_there_and_the_next_has_the_same_bits),
        TEST(destroy__null__nothing),
    };
    return RUN_TESTS(tests, argc, argv);
}
