/*
 * The original of a compiled file: whether it is the one, which of its options
 * count, and what becomes of a plan for another build.
 */
#include "loaders/compiled.h"
#include "tests/check.h"
#include "tests/compiled_draft.h"
#include "tests/onnx_parts.h"
#include "tests/temp_dir.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OPTIONS "heads=0;head-type=;positions=;gelu=;ws-eps="

static enum fovea_status load(const struct compiled_draft *d, int size, struct fovea_model **out,
                              struct fovea_error *err) {
    struct fovea_load_options options;
    const char *path = temp_path("draft.fovea");
    *err = (struct fovea_error){.message = ""};
    *out = NULL;
    fovea_load_options_default(&options);
    options.size = size;
    compiled_draft_write(d, path);
    return fovea_model_load(path, &options, out, err);
}

static void expect(const struct compiled_draft *d, int size, enum fovea_status status,
                   const char *words) {
    struct fovea_model *model;
    struct fovea_error err;
    enum fovea_status st = load(d, size, &model, &err);
    if (st != status || !strstr(err.message, words)) {
        check_failed(__FILE__, __LINE__, words, st ? err.message : "it was loaded");
    }
    fovea_model_destroy(model);
}

/* ---- options of a checkpoint -------------------------------------------- */

/* The side that is asked for is the one planned, if that is of one square image. */
static void size__of_the_planned_image__is_asked_for_in_vain(void) {
    static const int64_t shapes[][4] = {{1, 2, 2, 2}, {1, 2, 2, 3}};
    struct compiled_draft d;
    for (int i = 0; i < 2; i++) {
        compiled_draft_init(&d);
        d.load_options = "size=0;" OPTIONS;
        memcpy(d.planned[0].dims, shapes[i], sizeof(shapes[i]));
        memcpy(d.values[0].dims, shapes[i], sizeof(shapes[i]));
        expect(&d, 0, FOVEA_OK, "");
        expect(&d, 2, i == 0 ? FOVEA_OK : FOVEA_ERR_IO, i == 0 ? "" : "size 2 is asked for");
        expect(&d, 4, FOVEA_ERR_IO, "size 4 is asked for: its original is gone");
    }
    compiled_draft_init(&d);
    d.load_options = "size=0;" OPTIONS;
    d.planned[0].rank = d.values[0].rank = 3;
    expect(&d, 2, FOVEA_ERR_IO, "size 2 is asked for");
    compiled_draft_init(&d);
    d.load_options = "size=0;" OPTIONS;
    d.planned[1] = d.planned[0];
    d.values[4] = d.values[0];
    d.inputs[1] = 4;
    d.n_inputs = 2;
    d.n_values = 5;
    expect(&d, 2, FOVEA_ERR_IO, "size 2 is asked for");
    d.load_options = "size=2;" OPTIONS;
    expect(&d, 2, FOVEA_OK, "");
}

static void options__that_are_none__are_refused(void) {
    struct compiled_draft d;
    struct fovea_model *model = NULL;
    struct fovea_load_options options;
    struct fovea_error err = {0};
    compiled_draft_init(&d);
    d.load_options = "size=large";
    expect(&d, 0, FOVEA_ERR_FORMAT, "'size=large' are no options of a checkpoint");
    const struct fovea_origin origin = {.beside = "file", .path = "", .load_options = "size=large"};
    temp_write("file", "", 0);
    fovea_load_options_default(&options);
    CHECK(fovea_origin_load(&origin, temp_path("draft.fovea"), &options, &model, &err) ==
          FOVEA_ERR_FORMAT);
    CHECK(!model && strstr(err.message, "are no options of a checkpoint"));
}

/* The original of a checkpoint is loaded as one, whatever it has become. */
static void checkpoint__that_is_none__is_refused(void) {
    struct compiled_draft d;
    compiled_draft_init(&d);
    d.load_options = "size=0;" OPTIONS;
    d.beside = "weights.npz";
    temp_write("weights.npz", "PK nothing", 10);
    expect(&d, 4, FOVEA_ERR_FORMAT, "size 4 is asked for: ");
    unlink(temp_path("weights.npz"));
}

static void config__that_was_not_there__is_a_change(void) {
    struct compiled_draft d;
    compiled_draft_init(&d);
    d.load_options = "size=0;" OPTIONS;
    d.beside = "weights.npz";
    temp_write("weights.npz", "", 0);
    expect(&d, 0, FOVEA_OK, "");
    temp_write("config.json", "{}", 2);
    expect(&d, 0, FOVEA_ERR_INVALID, "has got a config.json since this was compiled from it");
    d.files[0] = "other.json"; /* which is not there any more */
    d.files[1] = "config.json";
    d.n_files = 2;
    expect(&d, 0, FOVEA_ERR_INVALID, "has changed since this was compiled from it");
    d.digests[1] = temp_path("config.json");
    expect(&d, 0, FOVEA_OK, "");
    d.load_options = ""; /* only checkpoints have a configuration */
    d.n_files = 0;
    expect(&d, 0, FOVEA_OK, "");
    unlink(temp_path("config.json"));
    unlink(temp_path("weights.npz"));
}

/* What is there, but cannot be reached, is as good as gone: the plan is used. */
static void original__that_cannot_be_reached__is_no_failure(void) {
    struct compiled_draft d;
    bool root = geteuid() == 0;
    compiled_draft_init(&d);
    d.beside = "loop";
    CHECK(symlink("loop", temp_path("loop")) == 0);
    expect(&d, 0, FOVEA_OK, "");
    d.beside = "locked/original.onnx";
    CHECK(mkdir(temp_path("locked"), 0) == 0 && chmod(temp_dir(), 0755) == 0);
    compiled_draft_write(&d, temp_path("draft.fovea"));
    struct fovea_model *model = NULL;
    struct fovea_error err = {0};
    if (!root || seteuid(65534) == 0) {
        CHECK_OK(fovea_model_load(temp_path("draft.fovea"), NULL, &model, &err), err);
        CHECK(!root || seteuid(0) == 0);
    }
    fovea_model_destroy(model);
    rmdir(temp_path("locked"));
    unlink(temp_path("loop"));
}

/* ---- models ------------------------------------------------------------- */

/* A model at `path` with weights in a file beside it. */
static void write_original(const char *path) {
    static const char zeros[4];
    struct onnx_parts parts;
    struct pb pb = {0};
    temp_write("weights.bin", zeros, sizeof(zeros));
    onnx_parts_init(&parts);
    size_t tensor =
        onnx_tensor_begin(&parts.initializers, "w", ONNX_FLOAT, 1, (const int64_t[]){1});
    pb_int(&parts.initializers, 14, 1);
    size_t entry = pb_begin(&parts.initializers, 13);
    pb_text(&parts.initializers, 1, "location");
    pb_text(&parts.initializers, 2, "weights.bin");
    pb_end(&parts.initializers, entry);
    pb_end(&parts.initializers, tensor);
    onnx_parts_encode(&parts, &pb);
    temp_write(path, pb.bytes, pb.size);
    pb_finish(&pb);
    onnx_parts_finish(&parts);
}

/* Compiled by another version, so that the original is planned anew, if it is the one. */
static void original__for_another_version__is_checked_file_by_file(void) {
    struct compiled_draft d;
    struct fovea_model *model;
    struct fovea_error err;
    compiled_draft_init(&d);
    write_original("original.onnx");
    d.version = "0.0.0";
    d.beside = "original.onnx";
    expect(&d, 0, FOVEA_ERR_INVALID, "has changed since this was compiled from it: it reads ''");
    d.files[0] = "";
    d.digests[0] = temp_path("original.onnx");
    d.n_files = 1;
    expect(&d, 0, FOVEA_ERR_INVALID, "it was compiled for Fovea 0.0.0; this is");
    expect(&d, 0, FOVEA_ERR_INVALID, "from it: it reads 'weights.bin'");
    d.files[1] = "weights.bin";
    d.n_files = 2;
    expect(&d, 0, FOVEA_ERR_INVALID, "weights.bin: has changed since this was compiled from it");
    d.digests[1] = temp_path("weights.bin");
    CHECK_OK(load(&d, 0, &model, &err), err);
    CHECK(model && !model->compiled && strstr(fovea_model_get_note(model), "is planned anew"));
    CHECK(model && fovea_model_get_planned_input(model, 0)->dims[3] == 2);
    fovea_model_destroy(model);
}

/* A plan for other inputs than there are is of no use. */
static void original__of_another_number_of_inputs__has_no_plan(void) {
    struct compiled_draft d;
    struct fovea_model *model;
    struct fovea_error err;
    compiled_draft_init(&d);
    write_original("original.onnx");
    d.version = "0.0.0";
    d.beside = "original.onnx";
    d.files[0] = "";
    d.files[1] = "weights.bin";
    d.digests[0] = temp_path("original.onnx");
    d.digests[1] = temp_path("weights.bin");
    d.n_files = 2;
    d.planned[1] = d.planned[0];
    d.n_inputs = 2;
    CHECK_OK(load(&d, 0, &model, &err), err);
    CHECK(model && fovea_model_n_inputs(model) == 1 && !fovea_model_get_planned_input(model, 0));
    fovea_model_destroy(model);
}

static const struct test tests[] = {
    TEST(size__of_the_planned_image__is_asked_for_in_vain),
    TEST(options__that_are_none__are_refused),
    TEST(checkpoint__that_is_none__is_refused),
    TEST(config__that_was_not_there__is_a_change),
    TEST(original__that_cannot_be_reached__is_no_failure),
    TEST(original__for_another_version__is_checked_file_by_file),
    TEST(original__of_another_number_of_inputs__has_no_plan),
};

int main(int argc, char **argv) {
    return RUN_TESTS(tests, argc, argv);
}
