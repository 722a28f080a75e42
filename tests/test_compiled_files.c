/*
 * Compiled files as files: damage of any kind is found, and saving leaves a
 * whole file or none.
 */
#include "runtime/compiled.h"
#include "tests/check.h"
#include "tests/compiled_file.h"
#include "tests/temp_dir.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct fovea_session_options with_passes_on(void) {
    struct fovea_session_options options;
    fovea_session_options_default(&options);
    options.passes = "on";
    options.threads = 1;
    return options;
}

static void make(struct compiled_example *example) {
    struct fovea_error err = {0};
    if (!compiled_example_make(example, "nfnet_shapes", "on", &err)) {
        check_failed(__FILE__, __LINE__, "making a compiled file", err.message);
    }
}

/* ---- damage ------------------------------------------------------------- */

static enum fovea_status load_bytes(const struct compiled_file *file, size_t size,
                                    struct fovea_error *err) {
    struct fovea_model *model;
    const char *path = temp_write("damaged.fovea", file->bytes, size);
    enum fovea_status st = fovea_model_load(path, NULL, &model, err);
    if (!st) {
        fovea_model_destroy(model);
    }
    return st;
}

static void compiled__any_bit_flipped__is_refused(void) {
    struct compiled_example e;
    struct compiled_file file;
    make(&e);
    CHECK(compiled_file_load(&file, e.compiled));
    for (size_t at = 0; at < file.size; at += at < 700 ? 1 : 1 + file.size / 700) {
        struct fovea_error err = {.message = ""};
        unsigned char bit = (unsigned char)(1 << at % 8);
        file.bytes[at] ^= bit;
        enum fovea_status st = load_bytes(&file, file.size, &err);
        /* Damage to the magic makes it another kind of file, to the format an unknown one. */
        bool format = at >= 8 && at < 12;
        if (st != (format ? FOVEA_ERR_UNSUPPORTED : FOVEA_ERR_FORMAT) || !err.message[0]) {
            char words[64];
            snprintf(words, sizeof(words), "a bit of byte %zu", at);
            check_failed(__FILE__, __LINE__, words, err.message);
        }
        file.bytes[at] ^= bit;
    }
    compiled_file_finish(&file);
}

static void compiled__cut_anywhere__is_refused(void) {
    struct compiled_example e;
    struct compiled_file file;
    make(&e);
    CHECK(compiled_file_load(&file, e.compiled));
    size_t data = compiled_file_data(&file);
    const size_t edges[] = {8, 63, 64, 65, data - 1, data, data + 1, file.size - 8, file.size - 1};
    for (size_t i = 0; i < sizeof(edges) / sizeof(edges[0]) + 200; i++) {
        size_t n = sizeof(edges) / sizeof(edges[0]);
        size_t cut = i < n ? edges[i] : (i - n) * file.size / 200;
        struct fovea_error err = {.message = ""};
        CHECK(load_bytes(&file, cut, &err) == FOVEA_ERR_FORMAT && err.message[0]);
    }
    /* One byte more is as wrong as one less. */
    unsigned char *longer = realloc(file.bytes, file.size + 1);
    CHECK(longer != NULL);
    file.bytes = longer ? longer : file.bytes;
    file.bytes[file.size] = 0;
    struct fovea_error err = {.message = ""};
    CHECK(load_bytes(&file, file.size + 1, &err) == FOVEA_ERR_FORMAT);
    compiled_file_finish(&file);
}

static void compiled__message_of_damage__says_where(void) {
    struct compiled_example e;
    struct compiled_file file;
    struct fovea_error err = {0};
    make(&e);
    CHECK(compiled_file_load(&file, e.compiled));
    size_t data = compiled_file_data(&file);
    char words[64];
    file.bytes[data + FOVEA_ALIGNMENT] ^= 0x40;
    CHECK(load_bytes(&file, file.size, &err));
    snprintf(words, sizeof(words), "byte %zu: the MiB of data that begins here is damaged", data);
    CHECK(strstr(err.message, words) != NULL);
    file.bytes[data + FOVEA_ALIGNMENT] ^= 0x40;
    file.bytes[200] ^= 1;
    CHECK(load_bytes(&file, file.size, &err));
    CHECK(strstr(err.message, "byte 64: the description that begins here is damaged") != NULL);
    compiled_file_finish(&file);
}

/* ---- saving ------------------------------------------------------------- */

/* It is not saved, for that reason, and no file is left behind. */
static void expect_unsaved(const char *path, const struct fovea_session_options *options,
                           enum fovea_status status, const char *words) {
    struct compiled_session s;
    struct fovea_error err = {0};
    CHECK_OK(compiled_session_load(&s, path, options, &err), err);
    CHECK(fovea_session_save(s.session, temp_path("again.fovea"), &err) == status);
    CHECK(strstr(err.message, words) != NULL);
    CHECK(access(temp_path("again.fovea"), F_OK) != 0);
    compiled_session_finish(&s);
}

static void save__compiled_session__is_refused(void) {
    struct compiled_example e;
    make(&e);
    struct fovea_session_options options = with_passes_on();
    expect_unsaved(e.compiled, &options, FOVEA_ERR_INVALID, "is compiled already");
}

static void save__model_changed_since_it_was_loaded__is_refused(void) {
    struct compiled_example e;
    struct compiled_session s;
    struct fovea_error err = {0};
    make(&e);
    CHECK_OK(compiled_session_load(&s, e.model, NULL, &err), err);
    compiled_example_append(e.model, "x");
    CHECK(fovea_session_save(s.session, temp_path("again.fovea"), &err) == FOVEA_ERR_INVALID);
    CHECK(strstr(err.message, "changed since the model was loaded") != NULL);
    CHECK(access(temp_path("again.fovea"), F_OK) != 0);
    CHECK(fovea_session_save(s.session, "/proc/no/such.fovea", &err) != FOVEA_OK);
    compiled_session_finish(&s);
}

static void save__planned_session__is_refused(void) {
    struct compiled_example e;
    make(&e);
    struct fovea_session_options options = with_passes_on();
    options.plan_only = true;
    expect_unsaved(e.model, &options, FOVEA_ERR_INVALID, "was only planned");
}

static void *save_many(void *argument) {
    const struct compiled_example *e = argument;
    struct compiled_session s;
    struct fovea_error err = {0};
    struct fovea_session_options options = with_passes_on();
    if (compiled_session_load(&s, e->model, &options, &err)) {
        return argument;
    }
    bool ok = true;
    for (int i = 0; ok && i < 5; i++) {
        ok = !fovea_session_save(s.session, e->compiled, &err);
    }
    compiled_session_finish(&s);
    return ok ? NULL : argument;
}

/* Whoever reads meanwhile finds one whole file or the other. */
static void save__by_several_at_once__always_leaves_a_whole_file(void) {
    enum { WRITERS = 3 };
    struct compiled_example e;
    pthread_t threads[WRITERS];
    make(&e);
    for (int i = 0; i < WRITERS; i++) {
        CHECK(pthread_create(&threads[i], NULL, save_many, &e) == 0);
    }
    for (int i = 0; i < 20; i++) {
        struct fovea_model *model;
        struct fovea_error err = {0};
        CHECK_OK(fovea_model_load(e.compiled, NULL, &model, &err), err);
        if (!err.message[0]) {
            fovea_model_destroy(model);
        }
    }
    for (int i = 0; i < WRITERS; i++) {
        void *failed;
        CHECK(pthread_join(threads[i], &failed) == 0 && !failed);
    }
}

static const struct test tests[] = {
    TEST(compiled__any_bit_flipped__is_refused),
    TEST(compiled__cut_anywhere__is_refused),
    TEST(compiled__message_of_damage__says_where),
    TEST(save__compiled_session__is_refused),
    TEST(save__model_changed_since_it_was_loaded__is_refused),
    TEST(save__planned_session__is_refused),
    TEST(save__by_several_at_once__always_leaves_a_whole_file),
};

int main(int argc, char **argv) {
    return RUN_TESTS(tests, argc, argv);
}
