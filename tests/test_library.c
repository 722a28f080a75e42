/*
 * What fovea.h promises to a process that embeds it, beside results: memory
 * from the caller, progress, prediction, fork, what it says of itself.
 */
#include "tests/check.h"

#include "runtime/fovea.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SHAPES FOVEA_SOURCE_ROOT "/examples/shapes/"
static const char model_path[] = SHAPES "vit_map_shapes.onnx";

enum { SIDE = 480 };

static enum fovea_status create(const struct fovea_model *model,
                                const struct fovea_session_options *options,
                                struct fovea_session **out, struct fovea_error *err) {
    const struct fovea_tensor input = {.dtype = FOVEA_F32, .rank = 4, .dims = {1, 3, SIDE, SIDE}};
    return fovea_session_create(model, &input, options, out, err);
}

/* One run of zeros; whether its logits are numbers. */
static bool runs(struct fovea_session *session) {
    struct fovea_tensor input = {.dtype = FOVEA_F32, .rank = 4, .dims = {1, 3, SIDE, SIDE}};
    struct fovea_tensor output;
    struct fovea_error err;
    float logits[10] = {0};
    fovea_session_output_shape(session, 0, &output);
    input.data = calloc(3 * SIDE * SIDE, sizeof(float));
    output.data = logits;
    bool good = input.data && output.rank == 2 && output.dims[1] == 10 &&
                !fovea_session_run(session, &input, &output, NULL, &err);
    free(input.data);
    for (int i = 0; i < 10; i++) {
        good = good && logits[i] == logits[i] && logits[i] != 0;
    }
    return good;
}

/* ---- fork ------------------------------------------------------------------------------ */

static bool works_in_child(struct fovea_model *model) {
    pid_t child = fork();
    if (child == 0) {
        struct fovea_session *session = NULL;
        bool good = (model || !fovea_model_load(model_path, NULL, &model, NULL)) &&
                    !create(model, NULL, &session, NULL) && runs(session);
        fovea_session_destroy(session);
        _exit(good ? 0 : 1);
    }
    int status = -1;
    return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
           WEXITSTATUS(status) == 0;
}

/* Before any other test: after a session has run, a child has no OpenMP threads. */
static void fork__before_anything_ran__the_child_can_load_and_run(void) {
    struct fovea_model *model = NULL;
    struct fovea_error err;
    CHECK(works_in_child(NULL));
    CHECK_OK(fovea_model_load(model_path, NULL, &model, &err), err);
    CHECK(works_in_child(model));
    fovea_model_destroy(model);
}

/* ---- allocator ------------------------------------------------------------------------- */

struct counted {
    atomic_size_t blocks, bytes, all_blocks, all_bytes;
    atomic_long left; /* allocations until they fail; negative: never */
    atomic_bool wrong;
};

static void *counted_allocate(void *context, size_t size, size_t alignment) {
    struct counted *c = context;
    if (atomic_load(&c->left) >= 0 && atomic_fetch_sub(&c->left, 1) <= 0) {
        atomic_store(&c->left, 0);
        return NULL;
    }
    void *block = aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
    if (block) {
        atomic_fetch_add(&c->blocks, 1);
        atomic_fetch_add(&c->all_blocks, 1);
        atomic_fetch_add(&c->bytes, size);
        atomic_fetch_add(&c->all_bytes, size);
        memset(block, 0xa5, size); /* nothing may count on zeros */
    }
    return block;
}

static void counted_release(void *context, void *block, size_t size) {
    struct counted *c = context;
    if (!block || atomic_load(&c->bytes) < size) {
        atomic_store(&c->wrong, true);
    }
    atomic_fetch_sub(&c->blocks, 1);
    atomic_fetch_sub(&c->bytes, size);
    free(block);
}

static enum fovea_status load_counted(struct counted *c, struct fovea_model **out,
                                      struct fovea_error *err) {
    const struct fovea_allocator allocator = {c, counted_allocate, counted_release};
    struct fovea_load_options options;
    fovea_load_options_default(&options);
    options.allocator = &allocator;
    return fovea_model_load(model_path, &options, out, err);
}

static void allocator__given__has_the_weights_and_gets_everything_back(void) {
    struct counted c = {.left = -1};
    struct fovea_model *model = NULL;
    struct fovea_session *session = NULL;
    struct fovea_error err;
    CHECK_OK(load_counted(&c, &model, &err), err);
    CHECK_OK(create(model, NULL, &session, &err), err);
    struct fovea_memory memory;
    const struct fovea_tensor input = {.dtype = FOVEA_F32, .rank = 4, .dims = {1, 3, SIDE, SIDE}};
    fovea_memory_default(&memory);
    CHECK_OK(fovea_session_predict(model, &input, NULL, &memory, &err), err);
    CHECK(memory.weights == 0 && memory.values > 0);
    CHECK(atomic_load(&c.bytes) > memory.values + memory.scratch + 100000);
    CHECK(session && runs(session));
    fovea_session_destroy(session);
    fovea_model_destroy(model);
    CHECK(atomic_load(&c.blocks) == 0 && atomic_load(&c.bytes) == 0 && !atomic_load(&c.wrong));
}

static void allocator__fails_at_any_time__out_of_memory_and_nothing_is_lost(void) {
    struct counted c = {.left = -1};
    struct fovea_model *model = NULL;
    struct fovea_error err = {0};
    long n = 0;
    CHECK_OK(load_counted(&c, &model, &err), err);
    for (bool done = false; !done && n < 1000; n++) {
        struct fovea_session *session = NULL;
        atomic_store(&c.left, n);
        enum fovea_status st = create(model, NULL, &session, &err);
        done = st == FOVEA_OK;
        CHECK(done ? session != NULL : st == FOVEA_ERR_MEMORY && !session);
        atomic_store(&c.left, -1);
        CHECK(!done || runs(session));
        fovea_session_destroy(session);
        CHECK(atomic_load(&c.blocks) == 0 && !atomic_load(&c.wrong));
    }
    CHECK(n > 3 && n < 1000);
    fovea_model_destroy(model);
}

static void allocator__that_cannot_release__is_refused(void) {
    const struct fovea_allocator allocator = {NULL, counted_allocate, NULL};
    struct fovea_load_options options;
    struct fovea_model *model = NULL;
    fovea_load_options_default(&options);
    options.allocator = &allocator;
    CHECK(fovea_model_load(model_path, &options, &model, NULL) == FOVEA_ERR_INVALID && !model);
}

/* ---- progress -------------------------------------------------------------------------- */

struct watcher {
    int calls, stop_at; /* stop_at 0: never */
    bool seen[FOVEA_PHASE_PACK + 1], wrong;
    int phase;
    double done;
};

static bool watch(void *context, enum fovea_phase phase, double done) {
    struct watcher *w = context;
    bool same = (int)phase == w->phase;
    w->wrong =
        w->wrong || (int)phase < w->phase || (same && done < w->done) || done < 0 || done > 1;
    w->phase = (int)phase;
    w->done = done;
    w->seen[phase] = true;
    return ++w->calls != w->stop_at;
}

/* Load and make a session, both watched. */
static enum fovea_status load_watched(struct watcher *w, struct fovea_error *err) {
    struct fovea_load_options load;
    struct fovea_session_options options;
    struct fovea_model *model = NULL;
    struct fovea_session *session = NULL;
    fovea_load_options_default(&load);
    fovea_session_options_default(&options);
    load.progress = options.progress = watch;
    load.progress_context = options.progress_context = w;
    enum fovea_status st = fovea_model_load(model_path, &load, &model, err);
    if (!st) {
        st = create(model, &options, &session, err);
    }
    CHECK(st || runs(session));
    fovea_session_destroy(session);
    fovea_model_destroy(model);
    return st;
}

static void progress__watched__all_phases_in_order(void) {
    struct watcher w = {.phase = -1};
    struct fovea_error err;
    CHECK_OK(load_watched(&w, &err), err);
    CHECK(!w.wrong);
    for (int phase = 0; phase <= FOVEA_PHASE_PACK; phase++) {
        CHECK(w.seen[phase]);
    }
}

static void progress__stopped_at_any_call__cancelled(void) {
    struct watcher all = {.phase = -1};
    struct fovea_error err;
    CHECK_OK(load_watched(&all, &err), err);
    for (int at = 1; at < all.calls; at += 1 + all.calls / 16) {
        struct watcher w = {.phase = -1, .stop_at = at};
        CHECK(load_watched(&w, &err) == FOVEA_ERR_CANCELLED);
        CHECK(w.calls == at && strstr(err.message, "cancelled"));
    }
}

/* ---- prediction ------------------------------------------------------------------------ */

static void predict__a_session__parts_and_the_limit(void) {
    const struct fovea_tensor input = {.dtype = FOVEA_F32, .rank = 4, .dims = {1, 3, SIDE, SIDE}};
    struct fovea_model *model = NULL;
    struct fovea_session_options options;
    struct fovea_memory memory, small;
    struct fovea_error err;
    CHECK_OK(fovea_model_load(model_path, NULL, &model, &err), err);
    fovea_memory_default(&memory);
    CHECK_OK(fovea_session_predict(model, &input, NULL, &memory, &err), err);
    CHECK(memory.values >= 3 * SIDE * SIDE * sizeof(float) && memory.weights > 100000);
    CHECK(memory.peak >= memory.before + memory.weights + memory.values);
    /* A client that knows no more than the first two. */
    memset(&small, 0, sizeof(small));
    small.struct_size = offsetof(struct fovea_memory, weights);
    CHECK_OK(fovea_session_predict(model, &input, NULL, &small, &err), err);
    CHECK(small.values == memory.values && small.peak == 0 &&
          small.struct_size == offsetof(struct fovea_memory, weights));
    fovea_session_options_default(&options);
    options.max_memory = 1 << 20;
    CHECK(fovea_session_predict(model, &input, &options, &memory, &err) == FOVEA_ERR_LIMIT);
    fovea_model_destroy(model);
}

static void model_load__memory_that_is_no_model__an_error_that_says_what_it_is(void) {
    struct fovea_model *model = NULL;
    struct fovea_error err;
    CHECK(fovea_model_load_memory(NULL, 0, NULL, &model, &err) == FOVEA_ERR_FORMAT);
    CHECK_STR(err.message, "model in memory: not an ONNX model (the file is empty)");
    CHECK(fovea_model_load_memory("\211FOVEA\r\n rest", 13, NULL, &model, &err) ==
          FOVEA_ERR_UNSUPPORTED);
    static const char index[] = "{\"weight_map\": {\"a\": \"model-1.safetensors\"}}";
    CHECK(fovea_model_load_memory(index, sizeof(index) - 1, NULL, &model, &err) ==
          FOVEA_ERR_INVALID);
    CHECK(strstr(err.message, "has no folder"));
    CHECK(fovea_model_load_fd(-1, NULL, &model, &err) == FOVEA_ERR_IO);
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    CHECK(fovea_model_load_fd(fd, NULL, &model, &err) == FOVEA_ERR_IO);
    CHECK(strstr(err.message, "not a regular file"));
    close(fd);
    CHECK(!model);
}

static void library__version_and_build__are_told(void) {
    char text[512], start[8];
    size_t length = fovea_build_info(text, sizeof(text));
    CHECK_STR(fovea_version(), FOVEA_VERSION);
    CHECK(length == strlen(text) && strstr(text, "fovea " FOVEA_VERSION) == text);
    CHECK(strstr(text, "oneDNN"));
    CHECK(fovea_build_info(start, sizeof(start)) == length && strlen(start) == sizeof(start) - 1);
    CHECK(fovea_build_info(NULL, 0) == length);
}

int main(int argc, char **argv) {
    static const struct test tests[] = {
        TEST(fork__before_anything_ran__the_child_can_load_and_run),
        TEST(allocator__given__has_the_weights_and_gets_everything_back),
        TEST(allocator__fails_at_any_time__out_of_memory_and_nothing_is_lost),
        TEST(allocator__that_cannot_release__is_refused),
        TEST(progress__watched__all_phases_in_order),
        TEST(progress__stopped_at_any_call__cancelled),
        TEST(predict__a_session__parts_and_the_limit),
        TEST(model_load__memory_that_is_no_model__an_error_that_says_what_it_is),
        TEST(library__version_and_build__are_told),
    };
    return RUN_TESTS(tests, argc, argv);
}
