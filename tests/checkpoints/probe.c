/*
 * What the library makes of checkpoint files.
 *
 *     probe FILE...      for each, in a child of its own, separated by tabs:
 *                        STATUS MILLISECONDS KIB_ABOVE_IDLE MESSAGE
 *                        where STATUS is a status's name, or "crash"
 *     probe -d FILE      its tensors, a line each: NAME TYPE SHAPE SHA256
 */
#include "loaders/checkpoint.h"
#include "loaders/sha256.h"
#include "runtime/clock.h"
#include "runtime/tensor.h"
#include "tests/probe_child.h"

#include <stdio.h>
#include <string.h>

struct result {
    enum fovea_status status;
    double ms;
    char message[512];
};

static enum fovea_status load(const char *path, struct fovea_checkpoint *checkpoint,
                              struct fovea_error *err) {
    return fovea_checkpoint_load(path, PROBE_MEMORY / 2, false, checkpoint, err);
}

static int dump(const char *path) {
    struct fovea_checkpoint checkpoint;
    struct fovea_error err = {.message = ""};
    if (load(path, &checkpoint, &err)) {
        printf("error: %s\n", err.message);
        return 1;
    }
    for (size_t i = 0; i < checkpoint.dict.count; i++) {
        const struct fovea_named_tensor *entry = &checkpoint.dict.entries[i];
        printf("%s\t%s\t%s\t%s\n", entry->name, fovea_dtype_name(entry->t.dtype),
               fovea_shape_text(&entry->t).text,
               fovea_sha256_text(entry->t.data, fovea_tensor_bytes(&entry->t)).text);
    }
    fovea_checkpoint_finish(&checkpoint);
    return 0;
}

static void try_file(const char *path, void *out) {
    struct result *result = out;
    struct fovea_checkpoint checkpoint;
    struct fovea_error err = {.message = ""};
    if (!path) {
        return;
    }
    double start = fovea_clock_seconds();
    result->status = load(path, &checkpoint, &err);
    result->ms = 1e3 * (fovea_clock_seconds() - start);
    if (!result->status) {
        fovea_checkpoint_finish(&checkpoint);
    }
    memcpy(result->message, err.message, sizeof(result->message));
}

int main(int argc, char **argv) {
    struct result result;
    long idle = 0, kib = 0;
    int how;
    if (argc == 3 && strcmp(argv[1], "-d") == 0) {
        return dump(argv[2]);
    }
    probe_child(try_file, NULL, &result, sizeof(result), &idle, &how);
    for (int i = 1; i < argc; i++) {
        bool ok = probe_child(try_file, argv[i], &result, sizeof(result), &kib, &how);
        printf("%s\t%.1f\t%ld\t%s\n", ok ? fovea_status_name(result.status) : "crash",
               ok ? result.ms : 0, kib > idle ? kib - idle : 0, ok ? result.message : "");
    }
    return 0;
}
