/* Loading a model from whichever kind of file it is (fovea.h). */
#include "loaders/arch.h"
#include "loaders/checkpoint.h"
#include "loaders/compiled.h"
#include "loaders/file.h"
#include "loaders/mapped_file.h"
#include "loaders/onnx.h"
#include "loaders/os_error.h"
#include "loaders/paths.h"
#include "runtime/options.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Who reads the file at a path. */
enum reader { READ_ONNX, READ_COMPILED, READ_ARCH };

/* The first bytes of a file of `size` bytes, zeroes behind them. */
struct head {
    unsigned char bytes[128];
    size_t size;
};

static bool is_checkpoint(const struct head *head) {
    /* Both .npz and .pth; which of them, its directory tells later. */
    bool zip = head->bytes[0] == 'P' && head->bytes[1] == 'K';
    return zip || fovea_container_of(head->bytes, head->size) != FOVEA_CONTAINER_NONE;
}

/* By the first bytes, whatever the name; but what is called .onnx is no checkpoint. */
static enum reader reader_of(const char *path, const struct head *head) {
    bool arch = is_checkpoint(head) && !fovea_path_ends_in(path, ".onnx");
    return fovea_compiled_looks_like(head->bytes, 8) ? READ_COMPILED : arch ? READ_ARCH : READ_ONNX;
}

/*
 * Who reads what is open; 0 or an errno. Whatever else there is than folders and regular files is
 * left to the ONNX loader, which will say what it is.
 */
static int find_reader_of(int fd, const char *path, enum reader *out) {
    struct head head = {.size = 0};
    struct stat status;
    size_t got = 0;
    int code = fstat(fd, &status) == 0 ? 0 : errno;
    if (!code && S_ISDIR(status.st_mode)) {
        *out = READ_ARCH;
    } else if (!code && S_ISREG(status.st_mode)) {
        code = fovea_file_read_at(fd, 0, head.bytes, sizeof(head.bytes), &got);
        head.size = (size_t)status.st_size;
    }
    if (!code && got >= 8) {
        *out = reader_of(path, &head);
    }
    return code;
}

static enum fovea_status find_reader(const char *path, enum reader *out, struct fovea_error *err) {
    *out = fovea_arch_is_name(path) ? READ_ARCH : READ_ONNX;
    if (*out == READ_ARCH) {
        return FOVEA_OK;
    }
    int fd = fovea_file_open(path);
    if (fd < 0) {
        return fovea_fail(err, fovea_status_of_errno(errno), "%s: cannot open: %s", path,
                          strerror(errno));
    }
    int code = find_reader_of(fd, path, out);
    close(fd);
    return code ? fovea_fail(err, fovea_status_of_errno(code), "%s: cannot read: %s", path,
                             strerror(code))
                : FOVEA_OK;
}

static enum fovea_status load_compiled(const char *path, const struct fovea_load_options *options,
                                       struct fovea_model **out, struct fovea_error *err) {
    struct fovea_mapping file;
    struct fovea_model *model;
    enum fovea_status st = fovea_file_map(path, INT64_MAX, &file, err);
    if (!st) {
        st = fovea_model_create(path, &model, err);
        if (st) {
            fovea_mapping_finish(&file);
        }
    }
    if (!st) {
        st = fovea_compiled_load(model, &file, options, out, err);
    }
    if (st) {
        fovea_error_prefix(err, "%s", path);
    }
    return st;
}

static enum fovea_status read_options(const struct fovea_load_options *given,
                                      struct fovea_load_options *out, struct fovea_error *err) {
    enum fovea_status st = fovea_options_read(given, out, sizeof(*out), "load options", err);
    const struct fovea_allocator *allocator = st ? NULL : out->allocator;
    if (allocator && (!allocator->allocate || !allocator->release)) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "an allocator that cannot both allocate and release");
    }
    return st;
}

static enum fovea_status load(const char *path, const struct fovea_load_options *options,
                              struct fovea_model **out, struct fovea_error *err) {
    enum reader reader;
    enum fovea_status st = find_reader(path, &reader, err);
    if (st) {
        return st;
    }
    switch (reader) {
    case READ_COMPILED:
        return load_compiled(path, options, out, err);
    case READ_ARCH:
        return fovea_arch_load(path, options, out, err);
    default:
        return fovea_onnx_load(path, options, out, err);
    }
}

enum fovea_status fovea_model_load(const char *path, const struct fovea_load_options *options,
                                   struct fovea_model **out, struct fovea_error *err) {
    struct fovea_load_options whole;
    enum fovea_status st = read_options(options, &whole, err);
    if (!st) {
        st = load(path, &whole, out, err);
    }
    if (!st) {
        fovea_model_set_allocator(*out, whole.allocator);
    }
    return st;
}

/* ---- without a path ------------------------------------------------------------------------- */

/* The model in `file`, which is taken, also on failure. */
static enum fovea_status read_model(const char *name, struct fovea_mapping *file,
                                    const struct fovea_load_options *options,
                                    struct fovea_model **out, struct fovea_error *err) {
    struct head head = {.size = file->length};
    size_t shown = file->length < sizeof(head.bytes) ? file->length : sizeof(head.bytes);
    if (shown > 0) {
        memcpy(head.bytes, file->bytes, shown);
    }
    if (fovea_compiled_looks_like(head.bytes, shown)) {
        fovea_mapping_finish(file);
        return fovea_fail(
            err, FOVEA_ERR_UNSUPPORTED,
            "%s: a compiled file names the files of its original: load it by its path", name);
    }
    enum fovea_status st = shown >= 8 && is_checkpoint(&head)
                               ? fovea_arch_read(name, file, options, out, err)
                               : fovea_onnx_read(name, file, options, out, err);
    if (!st) {
        fovea_model_set_allocator(*out, options->allocator);
    }
    return st;
}

enum fovea_status fovea_model_load_memory(const void *bytes, size_t size,
                                          const struct fovea_load_options *options,
                                          struct fovea_model **out, struct fovea_error *err) {
    struct fovea_load_options whole;
    struct fovea_mapping file;
    enum fovea_status st = read_options(options, &whole, err);
    if (!st) {
        st = fovea_mapping_of_memory(bytes, size, whole.lend_memory, whole.allocator, &file, err);
    }
    return st ? st : read_model("model in memory", &file, &whole, out, err);
}

enum fovea_status fovea_model_load_fd(int fd, const struct fovea_load_options *options,
                                      struct fovea_model **out, struct fovea_error *err) {
    struct fovea_load_options whole;
    struct fovea_mapping file;
    char name[40];
    snprintf(name, sizeof(name), "descriptor %d", fd);
    enum fovea_status st = read_options(options, &whole, err);
    if (st) {
        return st;
    }
    st = fovea_descriptor_map(fd, INT64_MAX, &file, err);
    if (st) {
        fovea_error_prefix(err, "%s", name);
        return st;
    }
    return read_model(name, &file, &whole, out, err);
}
