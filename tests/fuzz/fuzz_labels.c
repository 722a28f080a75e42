/*
 * Fuzzing label files: names of classes, maps between orders of them, lists of
 * lists (ReaL), and what says what the images of a folder show. Any bytes give labels in
 * their range, or an error. The first byte chooses which.
 */
#include "loaders/dataset.h"
#include "loaders/json_label_lists.h"
#include "loaders/label_map.h"
#include "loaders/labels.h"
#include "tests/fuzz/fuzz_model.h"
#include "tests/temp_dir.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { CLASSES = 10 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum fovea_status try_map(const char *path, struct fovea_error *err) {
    struct fovea_label_map map;
    enum fovea_status st = fovea_label_map_load(path, &map, err);
    if (!st) {
        for (size_t i = 0; i < map.count; i++) {
            if (fovea_label_map_get(&map, map.pairs[i].from) != map.pairs[i].to) {
                abort();
            }
        }
        fovea_label_map_finish(&map);
    }
    return st;
}

static enum fovea_status try_lists(const char *path, struct fovea_error *err) {
    struct fovea_label_lists lists;
    enum fovea_status st = fovea_label_lists_load(path, CLASSES, &lists, err);
    if (!st) {
        for (size_t i = 0; i < lists.first[lists.n_lists]; i++) {
            if (lists.labels[i] < 0 || lists.labels[i] >= CLASSES) {
                abort();
            }
        }
        fovea_label_lists_finish(&lists);
    }
    return st;
}

/* A flat folder of three images, which the file is about. */
static enum fovea_status try_truth(const char *path, struct fovea_error *err) {
    static bool made;
    const struct fovea_dataset_options options = {.truth = path};
    struct fovea_dataset set;
    if (!made) {
        temp_write("a.jpg", "", 0);
        temp_write("b.jpg", "", 0);
        temp_write("ILSVRC2012_val_00000002.JPEG", "", 0);
        made = true;
    }
    enum fovea_status st = fovea_dataset_load(temp_dir(), &options, &set, err);
    if (!st) {
        for (size_t i = 0; i < set.n_images; i++) {
            const struct fovea_dataset_image *image = &set.images[i];
            if (image->first_label > set.n_labels ||
                image->n_labels > set.n_labels - image->first_label) {
                abort();
            }
            for (size_t j = 0; j < image->n_labels; j++) {
                if (set.labels[image->first_label + j] >= set.n_classes) {
                    abort();
                }
            }
        }
        fovea_dataset_finish(&set);
    }
    return st;
}

static enum fovea_status try_names(const char *path, struct fovea_error *err) {
    struct fovea_labels labels;
    enum fovea_status st = fovea_labels_load(NULL, path, &labels, err);
    if (!st) {
        for (size_t i = 0; i < labels.count; i++) {
            const char *name = fovea_labels_get(&labels, (int64_t)i);
            if (name && fovea_labels_find(&labels, name) > (int)i) {
                abort();
            }
        }
        fovea_labels_finish(&labels);
    }
    return st;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static enum fovea_status (*const tries[])(const char *path, struct fovea_error *err) = {
        try_map, try_lists, try_truth, try_names};
    struct fovea_error err = {.message = ""};
    char path[64];
    size_t skip = size > 0;
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    if (fd < 0 || (size > 1 && write(fd, data + 1, size - 1) != (ssize_t)(size - 1))) {
        abort();
    }
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    fuzz_check_error(tries[skip ? data[0] % 4 : 0](path, &err), &err);
    close(fd);
    return 0;
}
