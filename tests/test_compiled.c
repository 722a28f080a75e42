/*
 * Compiled files: what was stored computes the same bits; what does not fit is
 * planned anew from the original, or refused in words.
 */
#include "runtime/compiled.h"
#include "runtime/tensor.h"
#include "tests/check.h"
#include "tests/compiled_file.h"
#include "tests/temp_dir.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SIDE = 480, CLASSES = 10, PIXELS = 3 * SIDE * SIDE };

static const char *const examples[] = {"nfnet_shapes", "vit_map_shapes"};

/* The same made-up image every time. */
static const float *image(void) {
    static float pixels[2 * PIXELS];
    for (size_t i = 0; i < sizeof(pixels) / sizeof(pixels[0]); i++) {
        pixels[i] = (float)(i * 7919 % 1000) / 250.0f - 2.0f;
    }
    return pixels;
}

/* ---- running ------------------------------------------------------------ */

struct result {
    enum fovea_status status;
    struct fovea_error err;
    float logits[2 * CLASSES];
    bool used; /* the compiled plan was used */
    char note[512];
};

static void keep_note(struct result *r, const char *note) {
    if (note) {
        snprintf(r->note, sizeof(r->note), "%s", note);
    }
    r->used = r->used && !note;
}

static void run_model(const struct fovea_model *model, int64_t batch,
                      const struct fovea_session_options *options, struct result *r) {
    struct fovea_session *session;
    const struct fovea_tensor input = {
        .dtype = FOVEA_F32, .rank = 4, .dims = {batch, 3, SIDE, SIDE}, .data = (void *)image()};
    r->used = model->compiled != NULL;
    keep_note(r, fovea_model_get_note(model));
    r->status = fovea_session_create(model, &input, options, &session, &r->err);
    if (r->status) {
        return;
    }
    struct fovea_tensor output;
    fovea_session_output_shape(session, 0, &output);
    CHECK(fovea_tensor_bytes(&output) == (size_t)batch * CLASSES * sizeof(float));
    output.data = r->logits;
    r->status = fovea_session_run(session, &input, &output, NULL, &r->err);
    keep_note(r, fovea_session_get_note(session));
    fovea_session_destroy(session);
}

static struct result run_file(const char *path, int64_t batch,
                              const struct fovea_session_options *options) {
    struct result r = {0};
    struct fovea_model *model;
    r.status = fovea_model_load(path, NULL, &model, &r.err);
    if (!r.status) {
        run_model(model, batch, options, &r);
        fovea_model_destroy(model);
    }
    return r;
}

static struct fovea_session_options with_passes(const char *passes) {
    struct fovea_session_options options;
    fovea_session_options_default(&options);
    options.passes = passes;
    options.threads = 1;
    return options;
}

static bool same_logits(const struct result *a, const struct result *b) {
    return !a->status && !b->status && memcmp(a->logits, b->logits, sizeof(a->logits)) == 0;
}

static void make(struct compiled_example *example, const char *passes) {
    struct fovea_error err = {0};
    if (!compiled_example_make(example, examples[0], passes, &err)) {
        check_failed(__FILE__, __LINE__, "making a compiled file", err.message);
    }
}

static void expect_ok(const struct result *r) {
    if (r->status) {
        check_failed(__FILE__, __LINE__, "it did not run", r->err.message);
    }
}

static void expect(const struct result *r, enum fovea_status status, const char *words) {
    if (r->status != status || !strstr(r->err.message, words)) {
        check_failed(__FILE__, __LINE__, words, r->status ? r->err.message : "it ran");
    }
}

/* It ran, from the original, and says why. */
static void expect_original(const struct result *r, const struct result *want, const char *words) {
    expect_ok(r);
    CHECK(!r->used);
    CHECK(same_logits(r, want));
    if (!strstr(r->note, words) || !strstr(r->note, "is planned anew")) {
        check_failed(__FILE__, __LINE__, words, r->note);
    }
}

/* ---- what fits ---------------------------------------------------------- */

static void compiled__example__gives_the_same_bits(void) {
    for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
        for (int off = 0; off < 2; off++) {
            struct compiled_example e;
            struct fovea_error err = {0};
            struct fovea_session_options options = with_passes(off ? "off" : "on");
            CHECK(compiled_example_make(&e, examples[i], options.passes, &err));
            struct result plain = run_file(e.model, 1, &options);
            struct result compiled = run_file(e.compiled, 1, &options);
            expect_ok(&compiled);
            CHECK(compiled.used);
            CHECK(same_logits(&plain, &compiled));
        }
    }
}

static void compiled__session_options__are_those_it_was_compiled_for(void) {
    struct compiled_example e;
    struct fovea_model *model;
    struct fovea_session_options options;
    struct fovea_error err = {0};
    make(&e, "layout,linear");
    CHECK_OK(fovea_model_load(e.compiled, NULL, &model, &err), err);
    fovea_session_options_default(&options);
    fovea_model_get_session_options(model, &options);
    CHECK_STR(options.passes, "layout,linear");
    fovea_model_destroy(model);
    CHECK_OK(fovea_model_load(e.model, NULL, &model, &err), err);
    fovea_session_options_default(&options);
    fovea_model_get_session_options(model, &options);
    CHECK(!options.passes);
    fovea_model_destroy(model);
}

static void compiled__bf16__gives_the_same_bits_and_its_precision(void) {
    for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
        struct compiled_example e;
        struct compiled_session s;
        struct fovea_model *model;
        struct fovea_error err = {0};
        CHECK(compiled_example_make(&e, examples[i], "on", &err));
        struct fovea_session_options options = with_passes("on"), planned;
        options.precision = FOVEA_PRECISION_BF16;
        struct result plain = run_file(e.model, 1, &options);
        CHECK_OK(compiled_session_load(&s, e.model, &options, &err), err);
        CHECK_OK(fovea_session_save(s.session, e.compiled, &err), err);
        compiled_session_finish(&s);
        CHECK_OK(fovea_model_load(e.compiled, NULL, &model, &err), err);
        fovea_session_options_default(&planned);
        fovea_model_get_session_options(model, &planned);
        CHECK(planned.precision == FOVEA_PRECISION_BF16);
        fovea_model_destroy(model);
        struct result compiled = run_file(e.compiled, 1, &options);
        expect_ok(&compiled);
        CHECK(compiled.used && same_logits(&plain, &compiled));
        options.precision = FOVEA_PRECISION_F32;
        struct result f32 = run_file(e.model, 1, &options),
                      other = run_file(e.compiled, 1, &options);
        expect_original(&other, &f32, "compiled for 'precision=bf16;");
    }
}

static void compiled__other_number_of_threads__gives_a_result(void) {
    struct compiled_example e;
    make(&e, "on");
    struct fovea_session_options options = with_passes("on");
    struct result plain = run_file(e.model, 1, &options);
    options.threads = 2;
    struct result two = run_file(e.compiled, 1, &options);
    expect_ok(&two);
    for (int i = 0; i < CLASSES; i++) {
        CHECK(two.logits[i] - plain.logits[i] < 1e-4f && plain.logits[i] - two.logits[i] < 1e-4f);
    }
}

static void compiled__model__says_what_the_original_says(void) {
    struct compiled_example e;
    struct fovea_model *plain, *compiled;
    struct fovea_error err = {0};
    make(&e, "on");
    CHECK_OK(fovea_model_load(e.model, NULL, &plain, &err), err);
    CHECK_OK(fovea_model_load(e.compiled, NULL, &compiled, &err), err);
    CHECK(compiled->compiled && !fovea_model_get_note(compiled));
    CHECK(fovea_model_n_inputs(compiled) == 1 && fovea_model_n_outputs(compiled) == 1);
    const struct fovea_io *a = fovea_model_get_input(plain, 0);
    const struct fovea_io *b = fovea_model_get_input(compiled, 0);
    CHECK_STR(b->name, a->name);
    CHECK(b->dtype == a->dtype && b->rank == a->rank);
    for (int d = 0; d < a->rank; d++) {
        CHECK(b->dims[d] == a->dims[d] && !b->dim_names[d] == !a->dim_names[d]);
    }
    CHECK_STR(fovea_model_get_metadata(compiled, "labels"),
              fovea_model_get_metadata(plain, "labels"));
    CHECK_STR(fovea_model_get_metadata(compiled, "recipe"),
              fovea_model_get_metadata(plain, "recipe"));
    CHECK(compiled->n_parameters == plain->n_parameters && compiled->n_parameters > 0);
    CHECK(!fovea_model_get_planned_input(plain, 0));
    CHECK(fovea_model_get_planned_input(compiled, 0)->dims[3] == SIDE);
    CHECK(!fovea_model_get_planned_input(compiled, 1));
    fovea_model_destroy(plain);
    fovea_model_destroy(compiled);
}

/* ---- what does not ------------------------------------------------------ */

static void compiled__other_shape_or_options__uses_the_original(void) {
    struct compiled_example e;
    make(&e, "on");
    struct fovea_session_options on = with_passes("on"), off = with_passes("off");
    struct result two = run_file(e.model, 2, &on), plain = run_file(e.model, 1, &off);
    struct result r = run_file(e.compiled, 2, &on);
    expect_original(&r, &two, "was compiled for f32 [1,3,480,480], not f32 [2,3,480,480]");
    r = run_file(e.compiled, 1, &off);
    expect_original(&r, &plain,
                    "it was compiled for 'precision=f32;winograd=auto;passes=on', not "
                    "'precision=f32;winograd=auto;passes=off'");
    unlink(e.model);
    r = run_file(e.compiled, 1, &on);
    CHECK(!r.status && r.used);
    r = run_file(e.compiled, 2, &on);
    expect(&r, FOVEA_ERR_IO, "its original is gone");
    expect(&r, FOVEA_ERR_IO, "not f32 [2,3,480,480]");
}

/* A text of the description replaced by another of the same length. */
static struct result run_with_text(const struct compiled_example *e, const char *from,
                                   const char *to) {
    struct compiled_file file;
    CHECK(strlen(from) == strlen(to));
    CHECK(compiled_file_load(&file, e->compiled));
    memcpy(file.bytes + compiled_file_find(&file, from), to, strlen(to));
    compiled_file_mend(&file, false);
    char path[256];
    snprintf(path, sizeof(path), "%s", temp_path("changed.fovea"));
    CHECK(compiled_file_save(&file, path));
    compiled_file_finish(&file);
    return run_file(path, 1, NULL);
}

static void other_text(const struct compiled_example *e, const char *text, const char *words) {
    char other[256];
    struct fovea_session_options options = with_passes("on");
    struct result plain = run_file(e->model, 1, &options);
    snprintf(other, sizeof(other), "%s", text);
    other[strlen(other) - 1] ^= 1;
    struct result r = run_with_text(e, text, other);
    expect_original(&r, &plain, words);
}

static void compiled__other_build_or_machine__uses_the_original(void) {
    struct compiled_example e;
    struct fovea_model *model;
    struct fovea_error err = {0};
    make(&e, "on");
    CHECK_OK(fovea_model_load(e.compiled, NULL, &model, &err), err);
    const struct fovea_origin *origin = &model->compiled->origin;
    other_text(&e, origin->version, "it was compiled for Fovea ");
    other_text(&e, origin->build, "it was compiled for build ");
    other_text(&e, origin->dnn, "it was compiled for oneDNN ");
    other_text(&e, origin->isa, "it was compiled for CPU ");
    unlink(e.model);
    char other[64];
    snprintf(other, sizeof(other), "%s", origin->build);
    other[0] ^= 1;
    struct result r = run_with_text(&e, origin->build, other);
    expect(&r, FOVEA_ERR_IO, "its original is gone");
    fovea_model_destroy(model);
}

static void compiled__changed_original__is_refused(void) {
    struct compiled_example e;
    make(&e, "on");
    compiled_example_append(e.model, "x");
    struct result r = run_file(e.compiled, 1, NULL);
    expect(&r, FOVEA_ERR_INVALID, "has changed since this was compiled from it");
    CHECK(strncmp(r.err.message, e.compiled, strlen(e.compiled)) == 0);
}

/* The plan is in the mapping; who needs the original finds another, and is told so. */
static void compiled__original_changed_after_loading__is_refused_when_needed(void) {
    struct compiled_example e;
    struct fovea_model *model;
    struct fovea_error err = {0};
    struct result r = {0};
    make(&e, "on");
    struct fovea_session_options on = with_passes("on");
    CHECK_OK(fovea_model_load(e.compiled, NULL, &model, &err), err);
    compiled_example_append(e.model, "z\x01x"); /* field 15, which says nothing */
    run_model(model, 1, &on, &r);
    CHECK(!r.status && r.used);
    run_model(model, 2, &on, &r);
    expect(&r, FOVEA_ERR_INVALID, "has changed since this was compiled from it");
    fovea_model_destroy(model);
}

/* Only the time of modification differs: the contents are compared. */
static void compiled__touched_original__is_the_same(void) {
    struct compiled_example e;
    make(&e, "on");
    const struct timespec times[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};
    CHECK(utimensat(AT_FDCWD, e.model, times, 0) == 0);
    struct fovea_session_options on = with_passes("on");
    struct result r = run_file(e.compiled, 1, &on);
    expect_ok(&r);
    CHECK(r.used);
}

static void compiled__both_files_moved__are_found_beside_each_other(void) {
    struct compiled_example e;
    char folder[256], model[300], compiled[300];
    make(&e, "on");
    snprintf(folder, sizeof(folder), "%s", temp_path("moved"));
    mkdir(folder, 0777);
    snprintf(model, sizeof(model), "%s/nfnet_shapes.onnx", folder);
    snprintf(compiled, sizeof(compiled), "%s/m.fovea", folder);
    CHECK(rename(e.model, model) == 0 && rename(e.compiled, compiled) == 0);
    struct fovea_session_options on = with_passes("on");
    struct result two = run_file(model, 2, &on), r = run_file(compiled, 2, &on);
    expect_original(&r, &two, "m.fovea: input 'image' was compiled for");
    unlink(model);
    unlink(compiled);
    rmdir(folder);
}

static void compiled__other_packed_form__uses_the_original(void) {
    struct compiled_example e;
    struct compiled_file file;
    struct fovea_model *model;
    struct fovea_error err = {0};
    make(&e, "on");
    struct fovea_session_options on = with_passes("on");
    struct result plain = run_file(e.model, 1, &on);
    CHECK_OK(fovea_model_load(e.compiled, NULL, &model, &err), err);
    const struct fovea_packed_weights *packed = model->compiled->packed;
    while (packed->bytes == 0) {
        packed++;
    }
    CHECK(compiled_file_load(&file, e.compiled));
    unsigned char *at = memmem(file.bytes, file.size, &packed->form, sizeof(packed->form));
    CHECK(at != NULL);
    *at ^= 1;
    compiled_file_mend(&file, false);
    fovea_model_destroy(model);
    CHECK(compiled_file_save(&file, e.compiled));
    compiled_file_finish(&file);
    struct result r = run_file(e.compiled, 1, &on);
    expect_original(&r, &plain, "takes weights in another form here");
}

static const struct test tests[] = {
    TEST(compiled__example__gives_the_same_bits),
    TEST(compiled__session_options__are_those_it_was_compiled_for),
    TEST(compiled__bf16__gives_the_same_bits_and_its_precision),
    TEST(compiled__other_number_of_threads__gives_a_result),
    TEST(compiled__model__says_what_the_original_says),
    TEST(compiled__other_shape_or_options__uses_the_original),
    TEST(compiled__other_build_or_machine__uses_the_original),
    TEST(compiled__changed_original__is_refused),
    TEST(compiled__original_changed_after_loading__is_refused_when_needed),
    TEST(compiled__touched_original__is_the_same),
    TEST(compiled__both_files_moved__are_found_beside_each_other),
    TEST(compiled__other_packed_form__uses_the_original),
};

int main(int argc, char **argv) {
    return RUN_TESTS(tests, argc, argv);
}
