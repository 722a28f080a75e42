/*
 * Every model of ../shared/models, compiled with passes on and off, in f32 and
 * in bf16: the bits
 * that the stored graph computes are those of the session it was stored from.
 * A field of nodes or values that the file forgets shows here.
 */
#include "loaders/tensor_pb.h"
#include "runtime/model.h"
#include "runtime/tensor.h"
#include "tests/check.h"
#include "tests/temp_dir.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_IO = 8 };

struct fixture {
    const char *folder;
    struct fovea_tensor inputs[MOST_IO];
    size_t n_inputs, n_outputs;
    void *outputs[2][MOST_IO];
    size_t bytes[MOST_IO];
};

static bool load_inputs(struct fixture *f) {
    char path[512];
    for (;;) {
        struct fovea_error err;
        snprintf(path, sizeof(path), "%s/test_data_set_0/input_%zu.pb", f->folder, f->n_inputs);
        if (access(path, F_OK) != 0 || f->n_inputs == MOST_IO) {
            return f->n_inputs > 0;
        }
        CHECK_OK(fovea_tensor_load_pb(path, &f->inputs[f->n_inputs], NULL, &err), err);
        f->n_inputs++;
    }
}

/* Run, keeping the outputs as outputs[which]; with `save_to`, store the session afterwards. */
static void run(struct fixture *f, const struct fovea_model *model,
                const struct fovea_session_options *options, const char *save_to, int which) {
    struct fovea_session *session = NULL;
    struct fovea_error err;
    struct fovea_tensor outputs[MOST_IO];
    CHECK_OK(fovea_session_create(model, f->inputs, options, &session, &err), err);
    f->n_outputs = fovea_model_n_outputs(model);
    CHECK(session && f->n_outputs <= MOST_IO);
    if (!session || f->n_outputs > MOST_IO) {
        return;
    }
    for (size_t i = 0; i < f->n_outputs; i++) {
        fovea_session_output_shape(session, i, &outputs[i]);
        f->bytes[i] = fovea_tensor_bytes(&outputs[i]);
        outputs[i].data = f->outputs[which][i] = calloc(1, f->bytes[i] + 1);
    }
    CHECK_OK(fovea_session_run(session, f->inputs, outputs, NULL, &err), err);
    CHECK(!fovea_session_get_note(session));
    if (save_to) {
        CHECK_OK(fovea_session_save(session, save_to, &err), err);
    }
    fovea_session_destroy(session);
}

static void compare(struct fixture *f, const char *passes) {
    for (size_t i = 0; i < f->n_outputs; i++) {
        bool same = f->outputs[0][i] && f->outputs[1][i] &&
                    memcmp(f->outputs[0][i], f->outputs[1][i], f->bytes[i]) == 0;
        if (!same) {
            check_failed(__FILE__, __LINE__, f->folder, passes);
        }
        free(f->outputs[0][i]);
        free(f->outputs[1][i]);
        f->outputs[0][i] = f->outputs[1][i] = NULL;
    }
}

static void round_trip(struct fixture *f, const char *passes, enum fovea_precision precision) {
    char path[512];
    struct fovea_session_options options;
    struct fovea_model *plain = NULL, *compiled = NULL;
    struct fovea_error err;
    const char *to = temp_path("model.fovea");
    fovea_session_options_default(&options);
    options.passes = passes;
    options.threads = 2;
    options.precision = precision;
    snprintf(path, sizeof(path), "%s/model.onnx", f->folder);
    enum fovea_status st = fovea_model_load(path, NULL, &plain, &err);
    CHECK(st == FOVEA_OK || st == FOVEA_ERR_UNSUPPORTED);
    if (plain) {
        run(f, plain, &options, to, 0);
        fovea_model_destroy(plain);
        CHECK_OK(fovea_model_load(to, NULL, &compiled, &err), err);
    }
    if (compiled) {
        CHECK(compiled->compiled != NULL && !fovea_model_get_note(compiled));
        run(f, compiled, &options, NULL, 1);
        fovea_model_destroy(compiled);
    }
    compare(f, passes);
}

static void round_trip_folder(const char *folder) {
    struct fixture f = {.folder = folder};
    if (load_inputs(&f)) {
        round_trip(&f, "on", FOVEA_PRECISION_F32);
        round_trip(&f, "off", FOVEA_PRECISION_F32);
        round_trip(&f, "on", FOVEA_PRECISION_BF16);
        round_trip(&f, "off", FOVEA_PRECISION_BF16);
    }
    for (size_t i = 0; i < f.n_inputs; i++) {
        free(f.inputs[i].data);
    }
}

static void compiled__every_shared_model__gives_the_same_bits(void) {
    static const char root[] = FOVEA_SOURCE_ROOT "/../shared/models";
    char folder[512];
    DIR *dir = opendir(root);
    int models = 0;
    if (!dir) {
        check_skip("../shared/models is not there");
        return;
    }
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (entry->d_name[0] != '.') {
            snprintf(folder, sizeof(folder), "%s/%.200s", root, entry->d_name);
            round_trip_folder(folder);
            models++;
        }
    }
    closedir(dir);
    CHECK(models > 0);
}

static const struct test tests[] = {
    TEST(compiled__every_shared_model__gives_the_same_bits),
};

int main(int argc, char **argv) {
    return RUN_TESTS(tests, argc, argv);
}
