/* Datasets in folders: what there is, two folders deep. */
#include "loaders/dataset_parts.h"
#include "loaders/os_error.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static enum fovea_status fail_folder(const char *path, struct fovea_error *err) {
    return fovea_fail(err, fovea_status_of_errno(errno), "cannot read folder '%s': %s",
                      fovea_quote(path).text, strerror(errno));
}

/* "A/B", or "B" if there is no A; NULL if out of memory. */
static char *join(const char *a, const char *b) {
    char *path;
    return a ? asprintf(&path, "%s/%s", a, b) < 0 ? NULL : path : strdup(b);
}

/*
 * What could not be examined: a link to nothing is no folder, nor is an image, whose fault is told
 * when it is read. Anything else may be a class, and without it those after it had other indices.
 */
static enum fovea_status check_passed_over(const char *path, struct fovea_error *err) {
    int why = errno;
    if (fovea_is_absent(why) || why == ELOOP || dataset_is_image_name(path)) {
        return FOVEA_OK;
    }
    return fovea_fail(err, fovea_status_of_errno(why), "cannot look at '%s', perhaps a class: %s",
                      fovea_quote(path).text, strerror(why));
}

/* Whether an entry of the root is a folder. Most systems say so without another call. */
static enum fovea_status is_folder(const char *root, const struct dirent *entry, bool *out,
                                   struct fovea_error *err) {
    struct stat info;
    if (entry->d_type != DT_UNKNOWN && entry->d_type != DT_LNK) {
        *out = entry->d_type == DT_DIR;
        return FOVEA_OK;
    }
    char *path = join(root, entry->d_name);
    if (!path) {
        return fovea_fail_memory(err, strlen(root), "a path");
    }
    bool known = stat(path, &info) == 0;
    enum fovea_status status = known ? FOVEA_OK : check_passed_over(path, err);
    *out = known && S_ISDIR(info.st_mode);
    free(path);
    return status;
}

static enum fovea_status add_entry(const char *root, const char *class_name,
                                   const struct dirent *entry, struct dataset_entries *out,
                                   struct fovea_error *err) {
    struct dataset_entry found = {.folder = false};
    enum fovea_status status = class_name ? FOVEA_OK : is_folder(root, entry, &found.folder, err);
    if (status) {
        return status;
    }
    found.path = join(class_name, entry->d_name);
    return dataset_entries_add(out, &found)
               ? FOVEA_OK
               : fovea_fail_memory(err, sizeof(found) * (out->count + 1), "file names");
}

/* Add what is in ROOT/CLASS, or in ROOT if class_name is NULL. */
static enum fovea_status read_folder(const char *root, const char *class_name,
                                     struct dataset_entries *out, struct fovea_error *err) {
    char *path = class_name ? join(root, class_name) : strdup(root);
    DIR *folder = path ? opendir(path) : NULL;
    enum fovea_status status = FOVEA_OK;
    if (!folder) {
        status = path ? fail_folder(path, err) : fovea_fail_memory(err, strlen(root), "a path");
        free(path);
        return status;
    }
    struct dirent *entry;
    while (errno = 0, !status && (entry = readdir(folder))) {
        if (entry->d_name[0] != '.') {
            status = add_entry(root, class_name, entry, out, err);
        }
    }
    if (!status && errno) {
        status = fail_folder(path, err);
    }
    closedir(folder);
    free(path);
    return status;
}

enum fovea_status dataset_list_folder(const char *root, struct dataset_entries *out,
                                      struct fovea_error *err) {
    struct dataset_entries entries = {0};
    enum fovea_status status = read_folder(root, NULL, &entries, err);
    size_t top = entries.count;
    for (size_t i = 0; !status && i < top; i++) {
        if (entries.list[i].folder) {
            status = read_folder(root, entries.list[i].path, &entries, err);
        }
    }
    if (status) {
        dataset_entries_finish(&entries);
        return status;
    }
    *out = entries;
    return FOVEA_OK;
}
