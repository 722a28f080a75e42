/* See tensor_file.h. */
#include "tools/tensor_file.h"

#include "loaders/npy.h"
#include "loaders/paths.h"
#include "loaders/tensor_pb.h"

#include <stdlib.h>
#include <string.h>

bool tensor_file_named(const char *path) {
    return fovea_path_ends_in(path, ".pb") || fovea_path_ends_in(path, ".npy");
}

static enum fovea_status fail_name(const char *path, struct fovea_error *err) {
    return fovea_fail(err, FOVEA_ERR_INVALID, "'%s' ends neither in .pb nor in .npy",
                      fovea_quote(path).text);
}

/* The path before what went wrong, unless it is there already. */
static enum fovea_status prefixed(enum fovea_status status, const char *path,
                                  struct fovea_error *err) {
    struct fovea_quoted quoted = fovea_quote(path);
    if (status && err && !strstr(err->message, quoted.text)) {
        fovea_error_prefix(err, "%s", quoted.text);
    }
    return status;
}

void named_tensor_finish(struct named_tensor *tensor) {
    free(tensor->t.data);
    free(tensor->name);
    *tensor = (struct named_tensor){0};
}

enum fovea_status tensor_file_load(const char *path, struct named_tensor *out,
                                   struct fovea_error *err) {
    struct named_tensor loaded = {0};
    enum fovea_status status;
    if (fovea_path_ends_in(path, ".pb")) {
        status = fovea_tensor_load_pb(path, &loaded.t, &loaded.name, err);
    } else if (fovea_path_ends_in(path, ".npy")) {
        status = fovea_tensor_load_npy(path, &loaded.t, err);
        loaded.name = status ? NULL : strdup("");
    } else {
        return fail_name(path, err);
    }
    if (!status && !loaded.name) {
        status = fovea_fail_memory(err, 1, "a tensor's name");
    }
    if (status) {
        named_tensor_finish(&loaded);
        return prefixed(status, path, err);
    }
    *out = loaded;
    return FOVEA_OK;
}

enum fovea_status tensor_file_save(const char *path, const char *name,
                                   const struct fovea_tensor *tensor, struct fovea_error *err) {
    if (fovea_path_ends_in(path, ".pb")) {
        return prefixed(fovea_tensor_save_pb(path, tensor, name, err), path, err);
    }
    if (fovea_path_ends_in(path, ".npy")) {
        return prefixed(fovea_tensor_save_npy(path, tensor, err), path, err);
    }
    return fail_name(path, err);
}

enum fovea_status tensor_list_load(struct tensor_list *list, const char *path,
                                   struct fovea_error *err) {
    size_t bytes = (list->count + 1) * sizeof(*list->tensors);
    struct named_tensor *grown = realloc(list->tensors, bytes);
    if (!grown) {
        return fovea_fail_memory(err, bytes, "tensors");
    }
    list->tensors = grown;
    enum fovea_status status = tensor_file_load(path, &list->tensors[list->count], err);
    list->count += status == FOVEA_OK;
    return status;
}

void tensor_list_finish(struct tensor_list *list) {
    for (size_t i = 0; i < list->count; i++) {
        named_tensor_finish(&list->tensors[i]);
    }
    free(list->tensors);
    *list = (struct tensor_list){0};
}
