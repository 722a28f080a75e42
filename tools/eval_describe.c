/* What an evaluation is, in words: see eval_run.h. */
#include "tools/eval_run.h"

#include "loaders/arch.h"
#include "loaders/file_digest.h"
#include "loaders/paths.h"
#include "loaders/recipe_write.h"
#include "runtime/build_id.h"
#include "runtime/compiled.h"
#include "runtime/dnn.h"
#include "runtime/session.h"
#include "tools/json_out.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The files of a model that is not compiled, or of which it was compiled, one after another. */
static size_t n_files(const struct fovea_model *m) {
    return m->compiled && m->compiled->origin.n_files > 0 ? m->compiled->origin.n_files
                                                          : m->n_sources;
}

static enum fovea_status digest_file(const struct fovea_model *m, size_t i, const char **location,
                                     uint8_t digest[FOVEA_SHA256_SIZE], struct fovea_error *err) {
    if (m->compiled && m->compiled->origin.n_files > 0) {
        const struct fovea_origin_file *file = &m->compiled->origin.files[i];
        *location = file->location;
        memcpy(digest, file->sha256, FOVEA_SHA256_SIZE);
        return FOVEA_OK;
    }
    *location = m->sources[i].location;
    char *path = fovea_path_of_source(m->path, *location);
    if (!path) {
        return fovea_fail_memory(err, strlen(m->path), "a path");
    }
    enum fovea_status status = fovea_file_digest(path, digest, NULL, err);
    if (status) {
        fovea_error_prefix(err, "%s", fovea_quote(path).text);
    }
    free(path);
    return status;
}

static const char *file_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* As record.h has it. The model's own file comes first, and has no location. */
static enum fovea_status model_sha256(const struct fovea_model *m, struct fovea_sha256_hex *out,
                                      struct fovea_error *err) {
    uint8_t digest[FOVEA_SHA256_SIZE];
    struct fovea_sha256 list;
    enum fovea_status status = FOVEA_OK;
    fovea_sha256_init(&list);
    for (size_t i = 0; !status && i < n_files(m); i++) {
        const char *location;
        status = digest_file(m, i, &location, digest, err);
        if (!status) {
            *out = fovea_sha256_hex_of(digest);
            const char *name = *location ? location : file_name(m->path);
            fovea_sha256_update(&list, out->text, strlen(out->text));
            fovea_sha256_update(&list, "  ", 2);
            fovea_sha256_update(&list, name, strlen(name));
            fovea_sha256_update(&list, "\n", 1);
        }
    }
    /* A network made up by name is what its name says. */
    if (n_files(m) == 0) {
        *out = fovea_sha256_text(m->path, strlen(m->path));
    }
    if (!status && n_files(m) > 1) {
        *out = fovea_sha256_digest_text(&list);
    }
    return status;
}

/* Sets *out; what asprintf cannot make is NULL, which is found at the end. */
static void put(char **out, const char *format, ...) FOVEA_PRINTF(2, 3);
static void put(char **out, const char *format, ...) {
    va_list list;
    va_start(list, format);
    if (vasprintf(out, format, list) < 0) {
        *out = NULL;
    }
    va_end(list);
}

static void describe_model(struct eval_description *d, const struct classifier *c) {
    put(&d->model, "%s", c->path);
    put(&d->precision, "%s", precision_name(fovea_session_precision(c->session)));
    d->classes = (int32_t)c->classes;
    d->parameters = (uint64_t)c->model->n_parameters;
    d->macs = (uint64_t)fovea_session_get_macs(c->session) / (uint64_t)c->batch;
}

/* The model's own names of its classes, or else the list's. */
static enum fovea_status describe_names(struct eval_description *d, const struct eval *eval,
                                        struct fovea_error *err) {
    size_t n = (size_t)d->classes;
    const struct fovea_labels *labels = &eval->model.labels;
    if (labels->count == 0 && !eval->list.names) {
        return FOVEA_OK;
    }
    d->names = calloc(n, sizeof(*d->names));
    for (size_t i = 0; d->names && i < n; i++) {
        const char *name =
            labels->count > 0 ? fovea_labels_get(labels, (int64_t)i) : eval->list.names[i];
        d->names[i] = strdup(name ? name : "");
        if (!d->names[i]) {
            return fovea_fail_memory(err, 1, "names of classes");
        }
    }
    return d->names ? FOVEA_OK : fovea_fail_memory(err, n * sizeof(*d->names), "names of classes");
}

/* The recipe as one line of JSON, and its digest. */
static void describe_recipe(struct eval_description *d, const struct fovea_recipe *recipe) {
    d->recipe = fovea_recipe_to_text(recipe);
    if (d->recipe) {
        put(&d->recipe_sha256, "%s", fovea_recipe_digest(recipe).text);
    }
}

enum fovea_status eval_describe(struct eval *eval, struct fovea_error *err) {
    struct eval_description *d = &eval->description;
    const struct classifier *c = &eval->model;
    struct fovea_sha256_hex sha;
    enum fovea_status status = model_sha256(c->model, &sha, err);
    if (status) {
        return status;
    }
    describe_model(d, c);
    describe_recipe(d, &c->recipe);
    put(&d->model_sha256, "%s", sha.text);
    put(&d->dataset, "%s", eval->list.dataset.path);
    put(&d->dataset_words, "%s", eval->list.words.text);
    put(&d->list_sha256, "%s", eval_list_digest(eval->list.records, eval->list.count).text);
    d->listed = eval->list.count;
    put(&d->library, "%s, build %s", FOVEA_VERSION, fovea_build_id());
    put(&d->backend, "oneDNN %s, %s", fovea_dnn_version(), fovea_dnn_isa());
    /* What a checkpoint was taken for depends on options, too. */
    const char *built = fovea_model_get_metadata(c->model, FOVEA_ARCH_KEY);
    put(&d->options, "%s; %s%s%s%s%s; at most %llu pixels%s%s",
        fovea_session_get_options_text(c->session),
        eval->exact ? "each image by itself, on one thread" : "images share runs and threads",
        eval->jpeg->allow_truncated ? "; truncated files" : "",
        eval->jpeg->strict ? "; no damaged files" : "",
        eval->jpeg->exif_orientation ? "; turned as EXIF says" : "",
        eval->list.among ? "; only classes of the list compete" : "",
        (unsigned long long)eval->jpeg->max_pixels, built ? "; " : "", built ? built : "");
    status = describe_names(d, eval, err);
    if (!status && !(d->model && d->precision && d->recipe && d->recipe_sha256 && d->model_sha256 &&
                     d->dataset && d->dataset_words && d->list_sha256 && d->library && d->backend &&
                     d->options)) {
        status = fovea_fail(err, FOVEA_ERR_MEMORY, "out of memory for a description");
    }
    return status;
}
