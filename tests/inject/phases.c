/* The phases of a model's life: see phases.h. */
#include "tests/inject/phases.h"

#include "tests/inject/phases_classify.h"

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Where out parameters point until they are written. */
static char untouched;
#define UNTOUCHED ((void *)&untouched)

static size_t count_of(const struct fovea_tensor *t) {
    size_t count = 1;
    for (int i = 0; i < t->rank; i++) {
        count *= (size_t)t->dims[i];
    }
    return count;
}

static enum fovea_status create_session(const struct phase_work *work,
                                        const struct fovea_model *model, struct fovea_session **out,
                                        struct fovea_error *err) {
    struct fovea_session_options options;
    struct fovea_tensor shape = work->input;
    fovea_session_options_default(&options);
    options.threads = work->threads;
    options.precision = work->precision;
    shape.data = work->other; /* of which nothing may stay in the session */
    return fovea_session_create(model, &shape, &options, out, err);
}

static enum fovea_status run(struct phase_work *work, struct fovea_session *session,
                             struct fovea_error *err) {
    memset(work->output.data, 0xff, count_of(&work->output) * sizeof(float));
    return fovea_session_run(session, &work->input, &work->output, NULL, err);
}

static bool is_wanted(const struct phase_work *work) {
    size_t bytes = count_of(&work->output) * sizeof(float);
    return memcmp(work->output.data, work->wanted->values, bytes) == 0;
}

/* ---- what all phases share --------------------------------------------------- */

static float *floats_of(const struct fovea_tensor *t) {
    float *values = malloc((count_of(t) + 1) * sizeof(*values));
    if (!values) {
        abort();
    }
    return values;
}

enum fovea_status phase_work_begin(struct phase_work *work, struct fovea_error *err) {
    enum fovea_status st = fovea_model_load(work->model_path, NULL, &work->model, err);
    if (st) {
        return st;
    }
    const struct fovea_io *io = fovea_model_get_input(work->model, 0);
    work->input = (struct fovea_tensor){.dtype = FOVEA_F32, .rank = io->rank};
    for (int i = 0; i < io->rank; i++) {
        work->input.dims[i] = io->dims[i] < 0 ? 1 : io->dims[i];
    }
    float *input = floats_of(&work->input);
    for (size_t i = 0; i < count_of(&work->input); i++) {
        input[i] = (float)(i * 37 % 255) / 127 - 1;
    }
    work->input.data = input;
    work->other = calloc(count_of(&work->input), sizeof(float));
    work->output = work->wanted->shape;
    work->output.data = floats_of(&work->output);
    return FOVEA_OK;
}

void phase_work_end(struct phase_work *work) {
    fovea_model_destroy(work->model);
    free(work->input.data);
    free(work->other);
    free(work->output.data);
}

bool phase_work_measure(struct phase_work *work) {
    struct fovea_session *session = NULL;
    struct fovea_error err = {0};
    enum fovea_status st = phase_work_begin(work, &err);
    st = st ? st : create_session(work, work->model, &session, &err);
    if (!st) {
        fovea_session_output_shape(session, 0, &work->wanted->shape);
        free(work->output.data);
        work->output = work->wanted->shape;
        work->output.data = floats_of(&work->output);
        st = run(work, session, &err);
    }
    if (!st && count_of(&work->output) <= PHASE_MOST_WANTED) {
        memcpy(work->wanted->values, work->output.data, count_of(&work->output) * sizeof(float));
        st = fovea_session_save(session, work->compiled, &err);
    }
    if (st) {
        fprintf(stderr, "%s: %s\n", work->model_path, err.message);
    }
    fovea_session_destroy(session);
    return !st;
}

static bool always(const struct phase_work *work) {
    (void)work;
    return true;
}

static enum fovea_status prepare_nothing(struct phase_work *work, struct fovea_error *err) {
    (void)work;
    (void)err;
    return FOVEA_OK;
}

static bool nothing_to_clean(struct phase_work *work) {
    (void)work;
    return true;
}

static void finish_nothing(struct phase_work *work) {
    (void)work;
}

/* ---- load -------------------------------------------------------------------- */

static struct fovea_model *loaded;

static enum fovea_status load(struct phase_work *work, struct fovea_error *err) {
    loaded = UNTOUCHED;
    return fovea_model_load(work->model_path, NULL, &loaded, err);
}

static enum fovea_status load_compiled(struct phase_work *work, struct fovea_error *err) {
    loaded = UNTOUCHED;
    return fovea_model_load(work->compiled, NULL, &loaded, err);
}

static bool runs_as_wanted(struct phase_work *work, const struct fovea_model *model) {
    struct fovea_session *session = NULL;
    bool ok = !create_session(work, model, &session, NULL) && !run(work, session, NULL) &&
              is_wanted(work);
    fovea_session_destroy(session);
    return ok;
}

static bool loaded_runs(struct phase_work *work) {
    return runs_as_wanted(work, loaded);
}

static bool nothing_loaded(struct phase_work *work) {
    (void)work;
    return loaded == UNTOUCHED;
}

static void unload(struct phase_work *work) {
    (void)work;
    fovea_model_destroy(loaded);
}

/* ---- create ------------------------------------------------------------------ */

static struct fovea_session *created;

static enum fovea_status create(struct phase_work *work, struct fovea_error *err) {
    created = UNTOUCHED;
    return create_session(work, work->model, &created, err);
}

static bool created_runs(struct phase_work *work) {
    return !run(work, created, NULL) && is_wanted(work);
}

static bool nothing_created(struct phase_work *work) {
    (void)work;
    return created == UNTOUCHED;
}

static void destroy_created(struct phase_work *work) {
    (void)work;
    fovea_session_destroy(created);
}

/* ---- run --------------------------------------------------------------------- */

static enum fovea_status make_session(struct phase_work *work, struct fovea_error *err) {
    return create_session(work, work->model, &work->session, err);
}

static void finish_session(struct phase_work *work) {
    fovea_session_destroy(work->session);
    work->session = NULL;
}

static enum fovea_status run_session(struct phase_work *work, struct fovea_error *err) {
    return run(work, work->session, err);
}

static bool result_is_wanted(struct phase_work *work) {
    return is_wanted(work);
}

/* ---- save: a file is there whole, or not at all ------------------------------ */

static char saved[512];

static int n_files(const char *path) {
    int n = 0;
    DIR *folder = opendir(path);
    while (folder && readdir(folder)) {
        n++;
    }
    if (folder) {
        closedir(folder);
    }
    return n;
}

static int files_before;

static enum fovea_status prepare_save(struct phase_work *work, struct fovea_error *err) {
    snprintf(saved, sizeof(saved), "%s/saved", work->folder);
    files_before = n_files(work->folder);
    return make_session(work, err);
}

static enum fovea_status save(struct phase_work *work, struct fovea_error *err) {
    return fovea_session_save(work->session, saved, err);
}

static bool saved_runs(struct phase_work *work) {
    struct fovea_model *model = NULL;
    bool ok = !fovea_model_load(saved, NULL, &model, NULL) && !fovea_model_get_note(model) &&
              runs_as_wanted(work, model);
    fovea_model_destroy(model);
    return ok;
}

static bool nothing_saved(struct phase_work *work) {
    if (access(saved, F_OK) == 0) {
        return saved_runs(work); /* only that it lasts could not be made sure */
    }
    return n_files(work->folder) == files_before;
}

static void remove_saved(struct phase_work *work) {
    (void)work;
    unlink(saved);
}

/* ---- load from memory -------------------------------------------------------- */

/* Checkpoints have their configuration beside them, so that they are files, or folders. */
static bool is_onnx(const struct phase_work *work) {
    const char *dot = strrchr(work->model_path, '.');
    return dot && strcmp(dot, ".onnx") == 0;
}

static unsigned char *bytes;
static size_t n_bytes;

static enum fovea_status read_bytes(struct phase_work *work, struct fovea_error *err) {
    FILE *file = fopen(work->model_path, "rb");
    (void)err;
    if (!file || fseek(file, 0, SEEK_END) != 0) {
        abort();
    }
    n_bytes = (size_t)ftell(file);
    bytes = malloc(n_bytes);
    rewind(file);
    if (!bytes || fread(bytes, 1, n_bytes, file) != n_bytes) {
        abort();
    }
    fclose(file);
    return FOVEA_OK;
}

static enum fovea_status load_memory(struct phase_work *work, struct fovea_error *err) {
    (void)work;
    loaded = UNTOUCHED;
    return fovea_model_load_memory(bytes, n_bytes, NULL, &loaded, err);
}

static void free_bytes(struct phase_work *work) {
    (void)work;
    free(bytes);
}

const struct phase phases[] = {
    {"load", always, prepare_nothing, load, loaded_runs, nothing_loaded, unload, finish_nothing},
    {"load-memory", is_onnx, read_bytes, load_memory, loaded_runs, nothing_loaded, unload,
     free_bytes},
    {"create", always, prepare_nothing, create, created_runs, nothing_created, destroy_created,
     finish_nothing},
    {"run", always, make_session, run_session, result_is_wanted, nothing_to_clean, finish_nothing,
     finish_session},
    {"save", always, prepare_save, save, saved_runs, nothing_saved, remove_saved, finish_session},
    {"load-compiled", always, prepare_nothing, load_compiled, loaded_runs, nothing_loaded, unload,
     finish_nothing},
    {"classifier", has_jpeg, classify_once, create_classifier, classifier_works, no_classifier,
     destroy_classifier, finish_nothing},
    {"classifier-beside", has_files_beside, classify_by_files, create_classifier, classifier_works,
     no_classifier, destroy_classifier, finish_nothing},
    {"classify", has_jpeg, classify_first, classify, results_are_wanted, nothing_classified,
     finish_nothing, destroy_classifier},
};
const int n_phases = sizeof(phases) / sizeof(phases[0]);
