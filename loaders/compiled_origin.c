/*
 * The original of a compiled file: is it still there, is it still the same?
 *
 * The path beside the compiled file counts first, so that the two can be moved
 * together; then the absolute one. A file is the same if the system says it
 * was not touched (device, inode, size, times), or if its size and time of
 * modification are as they were (it was copied with its times), or else if
 * its SHA-256 says so.
 */
#include "loaders/arch.h"
#include "loaders/arch_options.h"
#include "loaders/compiled.h"
#include "loaders/file_digest.h"
#include "loaders/mapped_file.h"
#include "loaders/onnx.h"
#include "loaders/os_error.h"
#include "loaders/paths.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Whether there is something at `path`; of what is there, *status. What cannot be reached for good
 * is as good as not there. What only went wrong now is a failure: a changed original would else
 * pass for one that is gone.
 */
static enum fovea_status look(const char *path, struct stat *status, bool *there,
                              struct fovea_error *err) {
    *there = stat(path, status) == 0;
    int why = errno;
    if (*there || fovea_is_for_good(why)) {
        return FOVEA_OK;
    }
    return fovea_fail(err, fovea_status_of_errno(why), "cannot look at its original %s: %s", path,
                      strerror(why));
}

/* Where the original is, to be freed; NULL if it is not there. */
static enum fovea_status find_original(const struct fovea_origin *origin, const char *compiled_path,
                                       char **out, struct fovea_error *err) {
    struct stat status;
    bool there = false;
    char *path = fovea_path_beside(compiled_path, origin->beside);
    enum fovea_status st = path ? look(path, &status, &there, err)
                                : fovea_fail_memory(err, strlen(origin->beside), "a path");
    if (!st && !there) {
        free(path);
        path = strdup(origin->path);
        st = path ? look(path, &status, &there, err)
                  : fovea_fail_memory(err, strlen(origin->path), "a path");
    }
    if (st || !there) {
        free(path);
        path = NULL;
    }
    if (!st) {
        *out = path;
    }
    return st;
}

static const struct fovea_origin_file *find_file(const struct fovea_origin *origin,
                                                 const char *location) {
    for (size_t i = 0; i < origin->n_files; i++) {
        if (strcmp(origin->files[i].location, location) == 0) {
            return &origin->files[i];
        }
    }
    return NULL;
}

static bool looks_same(const struct fovea_file_id *then, const struct fovea_file_id *now) {
    return then->size == now->size && then->modified_ns == now->modified_ns;
}

static enum fovea_status check_digest(const struct fovea_origin_file *file, const char *path,
                                      struct fovea_error *err) {
    uint8_t digest[FOVEA_SHA256_SIZE];
    enum fovea_status st = fovea_file_digest(path, digest, NULL, err);
    if (!st && memcmp(digest, file->sha256, sizeof(digest)) != 0) {
        st = fovea_fail(err, FOVEA_ERR_INVALID,
                        "has changed since this was compiled from it; compile it again, or move "
                        "one of the two away");
    }
    if (st) {
        fovea_error_prefix(err, "its original %s", path);
    }
    return st;
}

/* A file of the original that is not there is none that could have changed. */
static enum fovea_status check_file(const struct fovea_origin_file *file, const char *original,
                                    struct fovea_error *err) {
    struct stat status;
    struct fovea_file_id now;
    char *path = fovea_path_of_source(original, file->location);
    if (!path) {
        return fovea_fail_memory(err, strlen(original), "a path");
    }
    bool there;
    enum fovea_status st = look(path, &status, &there, err);
    if (!st && there) {
        fovea_file_id_of(&status, &now);
        st = looks_same(&file->id, &now) ? FOVEA_OK : check_digest(file, path, err);
    }
    free(path);
    return st;
}

/* A checkpoint may have got a configuration that it did not have. */
static enum fovea_status check_absent(const struct fovea_origin *origin, const char *original,
                                      struct fovea_error *err) {
    struct stat status;
    if (!origin->load_options[0] || find_file(origin, FOVEA_ARCH_CONFIG)) {
        return FOVEA_OK;
    }
    char *path = fovea_path_of_source(original, FOVEA_ARCH_CONFIG);
    if (!path) {
        return fovea_fail_memory(err, strlen(original), "a path");
    }
    bool there;
    enum fovea_status st = look(path, &status, &there, err);
    free(path);
    if (!st && there) {
        st = fovea_fail(err, FOVEA_ERR_INVALID,
                        "its original %s has got a " FOVEA_ARCH_CONFIG " since this was compiled "
                        "from it; compile it again, or move one of the two away",
                        original);
    }
    return st;
}

enum fovea_status fovea_origin_check(const struct fovea_origin *origin, const char *path,
                                     struct fovea_error *err) {
    char *original = NULL;
    enum fovea_status st = find_original(origin, path, &original, err);
    for (size_t i = 0; original && !st && i < origin->n_files; i++) {
        st = check_file(&origin->files[i], original, err);
    }
    if (original && !st) {
        st = check_absent(origin, original, err);
    }
    free(original);
    return st;
}

/* ---- loading it --------------------------------------------------------- */

/* All files that the loaded model was made of are those the compiled file was made of. */
static enum fovea_status check_sources(const struct fovea_origin *origin,
                                       const struct fovea_model *model, struct fovea_error *err) {
    enum fovea_status st = FOVEA_OK;
    for (size_t i = 0; !st && i < model->n_sources; i++) {
        const struct fovea_source *source = &model->sources[i];
        const struct fovea_origin_file *file = find_file(origin, source->location);
        if (!file) {
            return fovea_fail(err, FOVEA_ERR_INVALID,
                              "its original %s has changed since this was compiled from it: it "
                              "reads '%s'",
                              model->path, fovea_quote(source->location).text);
        }
        if (fovea_file_id_same(&file->id, &source->id)) {
            continue;
        }
        char *path = fovea_path_of_source(model->path, source->location);
        st = path ? check_digest(file, path, err) : fovea_fail_memory(err, 1, "a path");
        free(path);
    }
    return st;
}

static enum fovea_status load_original(const struct fovea_origin *origin, const char *path,
                                       const struct fovea_load_options *options,
                                       struct fovea_model **out, struct fovea_error *err) {
    struct fovea_arch_options known;
    struct fovea_load_options all = *options;
    if (!origin->load_options[0]) {
        return fovea_onnx_load(path, options, out, err);
    }
    enum fovea_status st = fovea_arch_options_parse(origin->load_options, &known, err);
    if (st) {
        return st;
    }
    fovea_arch_options_complete(&known, &all);
    return fovea_arch_load(path, &all, out, err);
}

enum fovea_status fovea_origin_load(const struct fovea_origin *origin, const char *path,
                                    const struct fovea_load_options *options,
                                    struct fovea_model **out, struct fovea_error *err) {
    struct fovea_model *model;
    char *original;
    enum fovea_status st = find_original(origin, path, &original, err);
    if (st) {
        return st;
    }
    if (!original) {
        return fovea_fail(err, FOVEA_ERR_IO,
                          "its original is gone: it is neither at '%s' from here nor at %s",
                          fovea_quote(origin->beside).text, origin->path);
    }
    st = load_original(origin, original, options, &model, err);
    free(original);
    if (st) {
        return st;
    }
    st = check_sources(origin, model, err);
    if (st) {
        fovea_model_destroy(model);
        return st;
    }
    *out = model;
    return FOVEA_OK;
}
