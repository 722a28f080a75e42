/* Checkpoints in any container: see checkpoint.h. */
#include "loaders/checkpoint.h"

#include "loaders/mapped_file.h"
#include "loaders/npz.h"
#include "loaders/paths.h"
#include "loaders/pickle_tensors.h"
#include "loaders/pth.h"
#include "loaders/pth_legacy.h"
#include "loaders/safetensors.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *fovea_container_name(enum fovea_container container) {
    static const char *const names[] = {"none",          "safetensors", "safetensors index",
                                        "NumPy archive", "PyTorch",     "pickle"};
    return names[container];
}

enum fovea_container fovea_container_of(const void *bytes, size_t size) {
    const unsigned char *at = bytes;
    if (fovea_safetensors_looks_like(bytes, size)) {
        return FOVEA_CONTAINER_SAFETENSORS;
    }
    if (size >= 4 && memcmp(at, "PK", 2) == 0 && (at[2] == 3 || at[2] == 5) && at[3] == at[2] + 1) {
        return fovea_pth_looks_like(bytes, size) ? FOVEA_CONTAINER_PTH : FOVEA_CONTAINER_NPZ;
    }
    if (fovea_pth_legacy_looks_like(bytes, size)) {
        return FOVEA_CONTAINER_PTH;
    }
    if (size >= 2 && at[0] == 0x80 && at[1] >= 1 && at[1] <= 8) {
        return FOVEA_CONTAINER_PICKLE;
    }
    size_t space = 0;
    while (space < size && space < 64 && strchr(" \t\r\n", at[space]) && at[space]) {
        space++;
    }
    return space < size && at[space] == '{' ? FOVEA_CONTAINER_SAFETENSORS_INDEX
                                            : FOVEA_CONTAINER_NONE;
}

/* ---- folders --------------------------------------------------------------- */

static bool has_ending(const char *name) {
    static const char *const endings[] = {".safetensors", ".npz", ".pth", ".pt", ".bin", ".pkl"};
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        if (fovea_path_ends_in(name, endings[i])) {
            return true;
        }
    }
    return false;
}

/* The only file with one of the endings; "" if there is none. */
static enum fovea_status find_only(const char *folder, char name[256], struct fovea_error *err) {
    DIR *dir = opendir(folder);
    struct dirent *entry;
    enum fovea_status st = FOVEA_OK;
    name[0] = 0;
    if (!dir) {
        return fovea_fail(err, FOVEA_ERR_IO, "cannot open: %s", strerror(errno));
    }
    while (!st && (entry = readdir(dir))) {
        if (!has_ending(entry->d_name)) {
            continue;
        }
        if (name[0]) {
            st = fovea_fail(err, FOVEA_ERR_INVALID,
                            "several files may be the checkpoint: '%s', '%s'; name one",
                            fovea_quote(name).text, fovea_quote(entry->d_name).text);
        }
        snprintf(name, 256, "%s", entry->d_name);
    }
    closedir(dir);
    return st;
}

static char *join(const char *folder, const char *name) {
    char *path;
    const char *slash = fovea_path_ends_in(folder, "/") ? "" : "/";
    return asprintf(&path, "%s%s%s", folder, slash, name) < 0 ? NULL : path;
}

enum fovea_status fovea_checkpoint_find(const char *folder, char **out, struct fovea_error *err) {
    static const char *const usual[] = {"model.safetensors", "model.safetensors.index.json",
                                        "pytorch_model.bin", "pytorch_model.pth", "model.pth"};
    char name[256];
    for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++) {
        char *path = join(folder, usual[i]);
        if (!path) {
            return fovea_fail_memory(err, strlen(folder), "a path");
        }
        if (access(path, F_OK) == 0) {
            *out = path;
            return FOVEA_OK;
        }
        free(path);
    }
    enum fovea_status st = find_only(folder, name, err);
    if (!st && !name[0]) {
        st = fovea_fail(err, FOVEA_ERR_IO,
                        "is a directory, not a regular file, and has no checkpoint in it");
    }
    if (st) {
        return st;
    }
    char *path = join(folder, name);
    if (!path) {
        return fovea_fail_memory(err, strlen(folder), "a path");
    }
    *out = path;
    return FOVEA_OK;
}

/* ---- files ------------------------------------------------------------------ */

enum fovea_status fovea_checkpoint_parse(enum fovea_container container, const char *path,
                                         const void *bytes, size_t size, bool allow_links,
                                         struct fovea_tensor_dict *dict, struct fovea_error *err) {
    enum fovea_status st;
    switch (container) {
    case FOVEA_CONTAINER_SAFETENSORS:
        st = fovea_safetensors_read(bytes, size, dict, err);
        break;
    case FOVEA_CONTAINER_SAFETENSORS_INDEX:
        st = fovea_safetensors_read_index(path, bytes, size, allow_links, dict, err);
        break;
    case FOVEA_CONTAINER_NPZ:
        st = fovea_npz_read(bytes, size, dict, err);
        break;
    case FOVEA_CONTAINER_PTH:
        st = fovea_pth_legacy_looks_like(bytes, size)
                 ? fovea_pth_legacy_read(bytes, size, dict, err)
                 : fovea_pth_read(bytes, size, dict, err);
        break;
    case FOVEA_CONTAINER_PICKLE:
        st = fovea_pickle_read(bytes, size, dict, err);
        break;
    default:
        st = fovea_fail(err, FOVEA_ERR_FORMAT,
                        "not a checkpoint (safetensors, .npz, .pth or a pickle)");
    }
    return st ? st : fovea_tensor_dict_seal(dict, err);
}

/* `file` is taken, also on failure. */
static enum fovea_status take(struct fovea_checkpoint *checkpoint, struct fovea_mapping *file,
                              struct fovea_error *err) {
    enum fovea_status st = fovea_tensor_dict_take(&checkpoint->dict, file, "", err);
    if (st) {
        fovea_mapping_finish(file);
        return st;
    }
    checkpoint->container = fovea_container_of(file->bytes, file->length);
    return FOVEA_OK;
}

static enum fovea_status load(struct fovea_checkpoint *checkpoint, bool allow_links,
                              struct fovea_error *err) {
    struct fovea_mapping file;
    enum fovea_status st = fovea_file_map(checkpoint->path, INT64_MAX, &file, err);
    if (!st) {
        st = take(checkpoint, &file, err);
    }
    return st ? st
              : fovea_checkpoint_parse(checkpoint->container, checkpoint->path, file.bytes,
                                       file.length, allow_links, &checkpoint->dict, err);
}

static enum fovea_status read_alone(struct fovea_checkpoint *checkpoint, struct fovea_mapping *file,
                                    struct fovea_error *err) {
    const struct fovea_mapping bytes = *file;
    enum fovea_status st = take(checkpoint, file, err);
    if (!st && checkpoint->container == FOVEA_CONTAINER_SAFETENSORS_INDEX) {
        st = fovea_fail(err, FOVEA_ERR_INVALID,
                        "an index names files that lie beside a model loaded by its path; this "
                        "one has no folder");
    }
    return st ? st
              : fovea_checkpoint_parse(checkpoint->container, checkpoint->path, bytes.bytes,
                                       bytes.length, false, &checkpoint->dict, err);
}

static enum fovea_status resolve(const char *path, char **out, struct fovea_error *err) {
    struct stat status;
    if (stat(path, &status) == 0 && S_ISDIR(status.st_mode)) {
        return fovea_checkpoint_find(path, out, err);
    }
    char *copy = strdup(path);
    if (!copy) {
        return fovea_fail_memory(err, strlen(path), "a path");
    }
    *out = copy;
    return FOVEA_OK;
}

enum fovea_status fovea_checkpoint_load(const char *path, size_t max_memory, bool allow_links,
                                        struct fovea_checkpoint *out, struct fovea_error *err) {
    struct fovea_checkpoint checkpoint = {.path = NULL};
    enum fovea_status st = resolve(path, &checkpoint.path, err);
    if (!st) {
        fovea_tensor_dict_init(&checkpoint.dict, max_memory);
        st = load(&checkpoint, allow_links, err);
    }
    if (!st) {
        *out = checkpoint;
        return FOVEA_OK;
    }
    fovea_error_prefix(err, "%s", checkpoint.path ? checkpoint.path : path);
    fovea_checkpoint_finish(&checkpoint);
    return st;
}

enum fovea_status fovea_checkpoint_read(const char *name, struct fovea_mapping *file,
                                        size_t max_memory, struct fovea_checkpoint *out,
                                        struct fovea_error *err) {
    struct fovea_checkpoint checkpoint = {.path = strdup(name)};
    enum fovea_status st;
    fovea_tensor_dict_init(&checkpoint.dict, max_memory);
    if (!checkpoint.path) {
        st = fovea_fail_memory(err, strlen(name), "a path");
        fovea_mapping_finish(file);
    } else {
        st = read_alone(&checkpoint, file, err);
    }
    if (!st) {
        *out = checkpoint;
        return FOVEA_OK;
    }
    fovea_error_prefix(err, "%s", name);
    fovea_checkpoint_finish(&checkpoint);
    return st;
}

void fovea_checkpoint_finish(struct fovea_checkpoint *checkpoint) {
    fovea_tensor_dict_finish(&checkpoint->dict);
    free(checkpoint->path);
    *checkpoint = (struct fovea_checkpoint){0};
}
