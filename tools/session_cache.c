/* See session_cache.h. */
#include "tools/session_cache.h"

#include "loaders/sha256.h"
#include "runtime/build_id.h"
#include "runtime/compiled.h"
#include "runtime/dnn.h"
#include "runtime/parallel.h"
#include "runtime/session.h"
#include "runtime/tensor.h"
#include "tools/say.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the folder --------------------------------------------------------- */

/* Who can write there can make a model say what they like: it must be the user alone. */
static bool is_own_folder(const char *folder) {
    struct stat status;
    if (mkdir(folder, 0700) != 0 && errno != EEXIST) {
        say("note: no cache: cannot make '%s': %s", fovea_quote(folder).text, strerror(errno));
        return false;
    }
    if (stat(folder, &status) != 0 || !S_ISDIR(status.st_mode)) {
        say("note: no cache: '%s' is not a folder", fovea_quote(folder).text);
        return false;
    }
    if (status.st_uid != geteuid() || (status.st_mode & (S_IWGRP | S_IWOTH))) {
        say("note: no cache: '%s' can be written by others", fovea_quote(folder).text);
        return false;
    }
    return true;
}

const char *session_cache_folder(const char *asked, const struct fovea_model *model) {
    const char *folder = asked ? asked : getenv("FOVEA_CACHE_DIR");
    if (!folder || !folder[0] || model->compiled || (model->built && !model->load_options)) {
        return NULL;
    }
    return is_own_folder(folder) ? folder : NULL;
}

/* ---- the key ------------------------------------------------------------ */

static void add(struct fovea_sha256 *sha, const void *bytes, size_t size) {
    uint64_t length = size;
    fovea_sha256_update(sha, &length, sizeof(length));
    fovea_sha256_update(sha, bytes, size);
}

static void add_text(struct fovea_sha256 *sha, const char *text) {
    add(sha, text, strlen(text));
}

/* The model by what the system says of its files, which is quicker than reading them. */
static void add_model(struct fovea_sha256 *sha, const struct fovea_model *model, const char *path) {
    add_text(sha, path);
    add_text(sha, model->load_options ? model->load_options : "");
    for (size_t i = 0; i < model->n_sources; i++) {
        const struct fovea_file_id *id = &model->sources[i].id;
        const uint64_t numbers[] = {id->device, id->inode, id->size, (uint64_t)id->modified_ns,
                                    (uint64_t)id->changed_ns};
        add_text(sha, model->sources[i].location);
        add(sha, numbers, sizeof(numbers));
    }
}

static void add_inputs(struct fovea_sha256 *sha, const struct fovea_model *model,
                       const struct fovea_tensor *inputs) {
    for (size_t i = 0; i < fovea_model_n_inputs(model); i++) {
        add(sha, &inputs[i].dtype, sizeof(inputs[i].dtype));
        add(sha, inputs[i].dims, (size_t)inputs[i].rank * sizeof(inputs[i].dims[0]));
        if (inputs[i].data && fovea_model_input_decides_shapes(model, i)) {
            add(sha, inputs[i].data, fovea_tensor_bytes(&inputs[i]));
        }
    }
}

/* The path of the file for all this, to be freed; NULL if it cannot be told. */
static char *entry_path(const char *folder, const struct fovea_model *model,
                        const struct fovea_tensor *inputs, const char *options, int threads) {
    struct fovea_sha256 sha;
    char *real = realpath(model->path, NULL), *path = NULL;
    if (!real) {
        return NULL;
    }
    fovea_sha256_init(&sha);
    add_text(&sha, fovea_build_id());
    add_text(&sha, fovea_dnn_build());
    add_text(&sha, fovea_dnn_isa());
    add_text(&sha, options);
    add(&sha, &threads, sizeof(threads));
    add_model(&sha, model, real);
    add_inputs(&sha, model, inputs);
    free(real);
    if (asprintf(&path, "%s/%.40s.fovea", folder, fovea_sha256_digest_text(&sha).text) < 0) {
        return NULL;
    }
    return path;
}

/* ---- finding and keeping ------------------------------------------------ */

static bool is_own_file(const char *path) {
    struct stat status;
    return lstat(path, &status) == 0 && S_ISREG(status.st_mode) && status.st_uid == geteuid();
}

/* A session that uses the file as it is; anything else is as good as no file. */
static bool open_entry(const char *path, const struct fovea_tensor *inputs,
                       const struct fovea_session_options *options, struct fovea_session **out) {
    struct fovea_model *model;
    struct fovea_session *session;
    if (!is_own_file(path) || fovea_model_load(path, NULL, &model, NULL)) {
        return false;
    }
    if (!model->compiled || fovea_session_create(model, inputs, options, &session, NULL)) {
        fovea_model_destroy(model);
        return false;
    }
    if (fovea_session_get_note(session)) {
        fovea_session_destroy(session);
        fovea_model_destroy(model);
        return false;
    }
    fovea_session_take_model(session, model);
    *out = session;
    return true;
}

bool session_cache_find(const char *folder, const struct fovea_model *model,
                        const struct fovea_tensor *inputs,
                        const struct fovea_session_options *options, struct fovea_session **out) {
    char text[FOVEA_OPTIONS_TEXT];
    int threads = options->threads > 0 ? options->threads : fovea_cpu_budget();
    if (fovea_options_text(options, text, NULL)) {
        return false;
    }
    char *path = entry_path(folder, model, inputs, text, threads);
    bool found = path && open_entry(path, inputs, options, out);
    free(path);
    return found;
}

bool session_cache_takes(const struct fovea_session *session,
                         const struct fovea_session_options *options) {
    return !options->plan_only && fovea_session_can_run(session);
}

void session_cache_keep(const char *folder, const struct fovea_session *session,
                        const struct fovea_tensor *inputs) {
    struct fovea_error err;
    char *path =
        entry_path(folder, fovea_session_get_model(session), inputs,
                   fovea_session_get_options_text(session), fovea_session_get_threads(session));
    if (path && fovea_session_save(session, path, &err)) {
        say("note: %s", err.message);
    }
    free(path);
}
