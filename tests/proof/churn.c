/*
 * churn MODEL TIMES [THREADS]: load a model (- is one of a few layers that is made up), make a
 * session, run it once, and destroy both, TIMES times; then the session alone, as often. Resident
 * memory and descriptors must be flat: what is there at the end is what was there after the first
 * tenth, but for 1 MB of memory, and results are the same bits every time.
 */
#include "runtime/fovea.h"
#include "tests/inject/tiny_model.h"
#include "tests/temp_dir.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SLACK = 1 << 20 };

struct churn {
    const char *path;
    int threads;
    struct fovea_tensor input, output;
    float *want; /* NULL before the first run */
};

static size_t count_of(const struct fovea_tensor *t) {
    size_t count = 1;
    for (int i = 0; i < t->rank; i++) {
        count *= (size_t)t->dims[i];
    }
    return count;
}

/* Pages that the process has, in bytes. */
static long resident(void) {
    long total, pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file) {
        pages = fscanf(file, "%ld %ld", &total, &pages) == 2 ? pages : 0;
        fclose(file);
    }
    return pages * sysconf(_SC_PAGESIZE);
}

static int descriptors(void) {
    int n = 0;
    DIR *folder = opendir("/proc/self/fd");
    while (folder && readdir(folder)) {
        n++;
    }
    if (folder) {
        closedir(folder);
    }
    return n;
}

static float *floats(const struct fovea_tensor *shape) {
    size_t count = count_of(shape);
    float *data = malloc(count * sizeof(*data));
    for (size_t i = 0; data && i < count; i++) {
        data[i] = (float)(i * 37 % 255) / 127 - 1;
    }
    return data;
}

static void shape_input(struct churn *c, const struct fovea_model *model) {
    const struct fovea_io *io = fovea_model_get_input(model, 0);
    c->input = (struct fovea_tensor){.dtype = FOVEA_F32, .rank = io->rank};
    for (int i = 0; i < io->rank; i++) {
        c->input.dims[i] = io->dims[i] < 0 ? 1 : io->dims[i];
    }
    c->input.data = floats(&c->input);
}

/* The first result is wanted of all others. */
static enum fovea_status check(struct churn *c, struct fovea_error *err) {
    size_t bytes = count_of(&c->output) * sizeof(float);
    if (!c->want) {
        c->want = malloc(bytes);
        memcpy(c->want, c->output.data, bytes);
    }
    if (memcmp(c->want, c->output.data, bytes) != 0) {
        snprintf(err->message, sizeof(err->message), "another result than the first time");
        return FOVEA_ERR_INVALID;
    }
    return FOVEA_OK;
}

static enum fovea_status use_session(struct churn *c, const struct fovea_model *model,
                                     struct fovea_error *err) {
    struct fovea_session *session = NULL;
    struct fovea_session_options options;
    fovea_session_options_default(&options);
    options.threads = c->threads;
    enum fovea_status st = fovea_session_create(model, &c->input, &options, &session, err);
    if (!st && !c->output.data) {
        fovea_session_output_shape(session, 0, &c->output);
        c->output.data = floats(&c->output);
    }
    st = st ? st : fovea_session_run(session, &c->input, &c->output, NULL, err);
    fovea_session_destroy(session);
    return st ? st : check(c, err);
}

static enum fovea_status use_model(struct churn *c, const struct fovea_model *model,
                                   struct fovea_error *err) {
    struct fovea_model *own = NULL;
    enum fovea_status st = FOVEA_OK;
    if (!model) {
        st = fovea_model_load(c->path, NULL, &own, err);
    }
    if (!st && !c->input.data) {
        shape_input(c, own);
    }
    st = st ? st : use_session(c, model ? model : own, err);
    fovea_model_destroy(own);
    return st;
}

/* With `model` its sessions are churned, else models. */
static bool churn(struct churn *c, const struct fovea_model *model, long times) {
    const char *what = model ? "create, run, destroy" : "load, create, run, destroy";
    long settled = 0, most = 0;
    int open_files = 0;
    struct fovea_error err = {0};
    for (long i = 0; i < times; i++) {
        if (use_model(c, model, &err)) {
            fprintf(stderr, "%s, the %ld-th time: %s\n", what, i + 1, err.message);
            return false;
        }
        long now = resident();
        if (i == times / 10) {
            settled = now;
            open_files = descriptors();
        }
        most = now > most ? now : most;
    }
    long last = resident();
    int still_open = descriptors();
    bool flat = last <= settled + SLACK && still_open == open_files;
    printf("%s: %ld times; resident %.2f MB after a tenth of them, %.2f MB at the end, %.2f MB at "
           "most; descriptors %d, then %d%s\n",
           what, times, (double)settled / 1e6, (double)last / 1e6, (double)most / 1e6, open_files,
           still_open, flat ? "" : ": NOT FLAT");
    return flat;
}

int main(int argc, char **argv) {
    struct churn c = {.path = argc > 1 ? argv[1] : NULL, .threads = argc > 3 ? atoi(argv[3]) : 2};
    long times = argc > 2 ? atol(argv[2]) : 0;
    struct fovea_model *model = NULL;
    if (times < 1) {
        fprintf(stderr, "usage: churn MODEL TIMES [THREADS]\n");
        return 2;
    }
    if (strcmp(c.path, "-") == 0) {
        c.path = temp_path("tiny.onnx");
        if (!tiny_model_write(c.path)) {
            return 1;
        }
    }
    bool models = churn(&c, NULL, times);
    bool sessions = !fovea_model_load(c.path, NULL, &model, NULL) && churn(&c, model, times);
    fovea_model_destroy(model);
    free(c.input.data);
    free(c.output.data);
    free(c.want);
    printf("%d passed, %d failed\n", models + sessions, 2 - models - sessions);
    return models && sessions ? 0 : 1;
}
