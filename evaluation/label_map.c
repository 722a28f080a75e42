/* The label doctor's map as a file for --label-map. See doctor.h. */
#include "evaluation/doctor.h"

#include <stdlib.h>
#include <string.h>

/* The folder that the images of a label lie in; length 0: none, or not one. */
struct folder {
    const char *name;
    size_t length;
    bool several;
};

static bool same(const struct folder *a, const char *name, size_t length) {
    return a->length == length && memcmp(a->name, name, length) == 0;
}

static void note_folder(struct folder *folder, const char *path) {
    const char *slash = strchr(path, '/');
    size_t length = slash ? (size_t)(slash - path) : 0;
    /* a word of the file ends at these */
    bool word = length > 0 && strcspn(path, " \t,\"\r\n") >= length;
    if (!folder->name) {
        *folder = (struct folder){path, word ? length : 0, !word};
    } else if (!same(folder, path, length)) {
        folder->several = true;
    }
}

static int compare_folders(const void *a, const void *b) {
    const struct folder *x = *(const struct folder *const *)a,
                        *y = *(const struct folder *const *)b;
    size_t shorter = x->length < y->length ? x->length : y->length;
    int order = memcmp(x->name, y->name, shorter);
    return order ? order : (x->length > y->length) - (x->length < y->length);
}

/* Whether each label has a folder to itself; `sorted` has room for all. */
static bool are_classes(const struct folder *folders, int32_t classes,
                        const struct folder **sorted) {
    size_t n = 0;
    for (int32_t i = 0; i < classes; i++) {
        if (folders[i].several) {
            return false;
        }
        if (folders[i].name) {
            sorted[n++] = &folders[i];
        }
    }
    qsort(sorted, n, sizeof(*sorted), compare_folders);
    for (size_t i = 1; i < n; i++) {
        if (compare_folders(&sorted[i - 1], &sorted[i]) == 0) {
            return false;
        }
    }
    return n > 0;
}

static void write_lines(const struct eval_diagnosis *d, const struct folder *folders, bool by_name,
                        FILE *out) {
    for (int32_t label = 0; label < d->classes; label++) {
        const struct folder *folder = &folders[label];
        if (!folder->name) {
            continue; /* no images: nothing is known of it */
        }
        if (by_name) {
            fprintf(out, "%.*s ", (int)folder->length, folder->name);
        } else {
            fprintf(out, "%d ", (int)label);
        }
        if (d->map[label] >= 0) {
            fprintf(out, "%d\n", (int)d->map[label]);
        } else {
            fputs("-\n", out);
        }
    }
}

enum fovea_status eval_label_map_write(const struct eval_diagnosis *diagnosis,
                                       const struct eval_record *records, size_t n_records,
                                       FILE *out, struct fovea_error *err) {
    size_t classes = (size_t)diagnosis->classes;
    struct folder *folders = calloc(classes + 1, sizeof(*folders));
    const struct folder **sorted = calloc(classes + 1, sizeof(*sorted));
    enum fovea_status status = FOVEA_OK;
    if (!folders || !sorted) {
        status = fovea_fail_memory(err, classes * sizeof(*folders), "a label map");
    } else {
        for (size_t i = 0; i < n_records; i++) {
            if (records[i].n_labels == 1) {
                note_folder(&folders[records[i].labels[0]], records[i].path);
            }
        }
        write_lines(diagnosis, folders, are_classes(folders, diagnosis->classes, sorted), out);
    }
    free(folders);
    free(sorted);
    return status;
}
