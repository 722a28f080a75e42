/*
 * External data: tensors in files beside the model.
 *
 * The location is text from a file of unknown origin. One rule keeps it in
 * the model's folder, applied by the kernel while it opens the file, so that
 * there is no moment between check and use: no step leads upwards, no link is
 * followed. The descriptor so opened is the one whose size is checked and
 * that is mapped.
 */
#include "loaders/limits.h"
#include "loaders/mapped_file.h"
#include "loaders/onnx_convert.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- the entries -------------------------------------------------------- */

struct place {
    const char *location;
    uint64_t offset, length;
    bool has_offset, has_length, has_checksum;
};

/* Decimal digits only: what writers produce, and nothing a second reading could differ on. */
static enum fovea_status parse_number(const char *key, const char *text, uint64_t *out,
                                      struct fovea_error *err) {
    uint64_t value = 0;
    const char *at = text;
    for (; *at >= '0' && *at <= '9'; at++) {
        unsigned digit = (unsigned)(*at - '0');
        if (value > ((uint64_t)INT64_MAX - digit) / 10) {
            return fovea_fail(err, FOVEA_ERR_INVALID, "external %s '%s' is over 2^63 - 1", key,
                              fovea_quote(text).text);
        }
        value = value * 10 + digit;
    }
    if (at == text || *at) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "external %s '%s' is not a decimal number", key,
                          fovea_quote(text).text);
    }
    *out = value;
    return FOVEA_OK;
}

static enum fovea_status parse_entry(const char *key, const char *value, struct place *place,
                                     struct fovea_error *err) {
    bool *seen = NULL, located = place->location != NULL;
    if (strcmp(key, "location") == 0) {
        seen = &located;
    } else if (strcmp(key, "offset") == 0) {
        seen = &place->has_offset;
    } else if (strcmp(key, "length") == 0) {
        seen = &place->has_length;
    } else if (strcmp(key, "checksum") == 0) {
        seen = &place->has_checksum;
    } else {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "external_data key '%s' is not one of location, offset, length, checksum",
                          fovea_quote(key).text);
    }
    if (*seen) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "external_data key '%s' occurs twice", key);
    }
    *seen = true;
    if (seen == &place->has_offset) {
        return parse_number(key, value, &place->offset, err);
    }
    if (seen == &place->has_length) {
        return parse_number(key, value, &place->length, err);
    }
    if (seen == &located) {
        place->location = value;
    }
    return FOVEA_OK;
}

static enum fovea_status parse_place(const FoveaOnnx__TensorProto *proto, struct place *place,
                                     struct fovea_error *err) {
    for (size_t i = 0; i < proto->n_external_data; i++) {
        const FoveaOnnx__StringStringEntryProto *entry = proto->external_data[i];
        enum fovea_status st =
            parse_entry(fovea_onnx_text(entry->key), fovea_onnx_text(entry->value), place, err);
        if (st) {
            return st;
        }
    }
    if (!place->location) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "external_data has no location");
    }
    return FOVEA_OK;
}

/* ---- opening ------------------------------------------------------------ */

/* The rule as far as text goes; what links do is the kernel's part. */
static enum fovea_status check_location(const char *location, struct fovea_error *err) {
    const char *why = NULL;
    if (!location[0]) {
        why = "is empty";
    } else if (location[0] == '/') {
        why = "is an absolute path";
    } else if (strchr(location, '\\') || (location[1] == ':')) {
        why = "is not a relative path with '/' between folders";
    } else if (strlen(location) >= FOVEA_LIMIT_NAME) {
        why = "is too long";
    }
    for (const char *at = location; !why && *at;) {
        size_t length = strcspn(at, "/");
        if (length == 2 && at[0] == '.' && at[1] == '.') {
            why = "leads out of the model's folder";
        }
        at += length;
        at += *at == '/';
    }
    if (!why) {
        return FOVEA_OK;
    }
    return fovea_fail(err, FOVEA_ERR_INVALID, "external location '%s' %s",
                      fovea_quote(location).text, why);
}

enum { OPEN_FLAGS = O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY };

static bool is_link(int folder, const char *name) {
    struct stat status;
    int error = errno;
    bool link = fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(status.st_mode);
    errno = error;
    return link;
}

/* For kernels before 5.6, or where a sandbox forbids openat2: folder by folder. */
static int open_by_steps(int folder, const char *location, int no_links) {
    char step[FOVEA_LIMIT_NAME];
    int at = dup(folder);
    while (at >= 0) {
        size_t length = strcspn(location, "/");
        memcpy(step, location, length);
        step[length] = 0;
        location += length;
        location += strspn(location, "/");
        int flags = *location ? O_PATH | O_DIRECTORY | O_CLOEXEC : OPEN_FLAGS;
        int next = openat(at, length ? step : ".", flags | no_links);
        int error = next < 0 && is_link(at, step) ? ELOOP : errno;
        close(at);
        errno = error;
        at = next;
        if (!*location) {
            break;
        }
    }
    return at;
}

static int open_beneath(int folder, const char *location, bool allow_links) {
    if (allow_links) {
        return openat(folder, location, OPEN_FLAGS);
    }
    struct open_how how = {.flags = OPEN_FLAGS, .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};
    long fd = syscall(SYS_openat2, folder, location, &how, sizeof(how));
    if (fd < 0 && (errno == ENOSYS || errno == EPERM)) {
        return open_by_steps(folder, location, O_NOFOLLOW);
    }
    return (int)fd;
}

static enum fovea_status open_folder(struct fovea_onnx_loader *loader, struct fovea_error *err) {
    if (loader->folder >= 0) {
        return FOVEA_OK;
    }
    const char *path = loader->model->path;
    const char *slash = strrchr(path, '/');
    char *folder = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
    if (!folder) {
        return fovea_fail_memory(err, strlen(path), "a path");
    }
    loader->folder = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    free(folder);
    if (loader->folder < 0) {
        return fovea_fail(err, FOVEA_ERR_IO, "cannot open the model's folder: %s", strerror(errno));
    }
    return FOVEA_OK;
}

static enum fovea_status map_checked(int fd, bool allow_links, struct fovea_mapping *out,
                                     struct fovea_error *err) {
    struct stat status;
    if (!allow_links && fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
        status.st_nlink != 1) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "has %lu hard links; external data must have one (or allow links)",
                          (unsigned long)status.st_nlink);
    }
    return fovea_descriptor_map(fd, INT64_MAX, out, err);
}

static enum fovea_status open_failed(const char *location, int error, struct fovea_error *err) {
    if (error == ELOOP || error == EXDEV) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "external file '%s' is reached by a symbolic link, which is not allowed",
                          fovea_quote(location).text);
    }
    return fovea_fail(err, FOVEA_ERR_IO, "cannot open external file '%s': %s",
                      fovea_quote(location).text, strerror(error));
}

static enum fovea_status map_file(struct fovea_onnx_loader *loader, const char *location,
                                  struct fovea_mapping *out, struct fovea_error *err) {
    enum fovea_status st = check_location(location, err);
    if (!st) {
        st = open_folder(loader, err);
    }
    if (st) {
        return st;
    }
    int fd = open_beneath(loader->folder, location, loader->allow_external_links);
    if (fd < 0) {
        return open_failed(location, errno, err);
    }
    st = map_checked(fd, loader->allow_external_links, out, err);
    close(fd);
    if (st) {
        fovea_error_prefix(err, "external file '%s'", fovea_quote(location).text);
    }
    return st;
}

/* ---- files already mapped ----------------------------------------------- */

static enum fovea_status reserve(struct fovea_onnx_loader *loader, struct fovea_error *err) {
    if (loader->n_files == FOVEA_LIMIT_EXTERNAL_FILES) {
        return fovea_fail(err, FOVEA_ERR_LIMIT, "over %d files of external data, the limit",
                          FOVEA_LIMIT_EXTERNAL_FILES);
    }
    size_t bytes = (loader->n_files + 1) * sizeof(*loader->files);
    struct fovea_onnx_file *files = realloc(loader->files, bytes);
    if (!files) {
        return fovea_fail_memory(err, bytes, "a mapping");
    }
    loader->files = files;
    return FOVEA_OK;
}

static enum fovea_status get_file(struct fovea_onnx_loader *loader, const char *location,
                                  struct fovea_mapping *out, struct fovea_error *err) {
    for (size_t i = loader->n_files; i > 0; i--) {
        if (strcmp(loader->files[i - 1].location, location) == 0) {
            *out = loader->files[i - 1].mapping;
            return FOVEA_OK;
        }
    }
    enum fovea_status st = reserve(loader, err);
    struct fovea_mapping mapping;
    if (!st) {
        st = map_file(loader, location, &mapping, err);
    }
    if (st) {
        return st;
    }
    st = fovea_model_take_mapping(loader->model, &mapping, err);
    if (st) {
        fovea_mapping_finish(&mapping);
        return st;
    }
    loader->files[loader->n_files++] = (struct fovea_onnx_file){location, mapping};
    *out = mapping;
    return fovea_model_add_source(loader->model, location, &mapping.id, err);
}

/* ---- contents ----------------------------------------------------------- */

static enum fovea_status check_extent(const struct place *place, const struct fovea_tensor *t,
                                      size_t file_size, struct fovea_error *err) {
    size_t bytes = fovea_tensor_bytes(t);
    if (place->has_length && place->length != bytes) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "external length is %llu; %s of %s takes %zu bytes",
                          (unsigned long long)place->length, fovea_shape_text(t).text,
                          fovea_dtype_name(t->dtype), bytes);
    }
    if (place->offset > file_size || bytes > file_size - place->offset) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "%zu bytes from offset %llu go past the end of external file '%s' (%zu "
                          "bytes)",
                          bytes, (unsigned long long)place->offset,
                          fovea_quote(place->location).text, file_size);
    }
    return FOVEA_OK;
}

enum fovea_status fovea_onnx_external(struct fovea_onnx_loader *loader,
                                      const FoveaOnnx__TensorProto *proto, struct fovea_tensor *out,
                                      bool *owned, struct fovea_error *err) {
    struct place place = {0};
    struct fovea_mapping mapping;
    enum fovea_status st = parse_place(proto, &place, err);
    if (!st) {
        st = get_file(loader, place.location, &mapping, err);
    }
    if (!st) {
        st = check_extent(&place, out, mapping.length, err);
    }
    if (st) {
        return st;
    }
    return fovea_onnx_borrow(&mapping, place.offset, out, owned, err);
}
