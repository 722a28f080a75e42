/* What lies below a dataset's root, and which of it are images. */
#include "loaders/dataset_parts.h"

#include "runtime/limits.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- the list ---------------------------------------------------------------------- */

bool dataset_entries_add(struct dataset_entries *entries, const struct dataset_entry *entry) {
    if (entry->path && entries->count == entries->room) {
        size_t room = entries->room ? 2 * entries->room : 64;
        struct dataset_entry *grown = realloc(entries->list, room * sizeof(*grown));
        if (!grown) {
            free(entry->path);
            return false;
        }
        entries->list = grown;
        entries->room = room;
    }
    if (!entry->path) {
        return false;
    }
    entries->list[entries->count++] = *entry;
    return true;
}

/* A slash comes before any other byte, so that what is in a folder follows it at once. */
static int by_path(const void *a, const void *b) {
    const struct dataset_entry *left = a, *right = b;
    const unsigned char *x = (const unsigned char *)left->path;
    const unsigned char *y = (const unsigned char *)right->path;
    for (; *x && *x == *y; x++, y++) {
    }
    int first = *x == '/' ? 1 : *x ? *x + 1 : 0;
    int second = *y == '/' ? 1 : *y ? *y + 1 : 0;
    return (first > second) - (first < second);
}

void dataset_entries_sort(struct dataset_entries *entries) {
    if (entries->count > 0) {
        qsort(entries->list, entries->count, sizeof(*entries->list), by_path);
    }
}

void dataset_entries_finish(struct dataset_entries *entries) {
    for (size_t i = 0; i < entries->count; i++) {
        free(entries->list[i].path);
    }
    free(entries->list);
    *entries = (struct dataset_entries){0};
}

/* ---- names ------------------------------------------------------------------------- */

bool dataset_is_image_name(const char *path) {
    static const char *const endings[] = {".jpg", ".jpeg", ".png"};
    const char *dot = strrchr(path, '.');
    for (size_t i = 0; dot && i < sizeof(endings) / sizeof(endings[0]); i++) {
        if (strcasecmp(dot, endings[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_hidden(const char *path) {
    return path[0] == '.' || strstr(path, "/.");
}

static size_t depth_of(const char *path) {
    size_t depth = 0;
    for (; *path; path++) {
        depth += *path == '/';
    }
    return depth;
}

bool dataset_common_folder(const struct dataset_entries *entries, char **folder, size_t *length) {
    const char *first = NULL;
    size_t common = 0;
    for (size_t i = 0; i < entries->count; i++) {
        const char *path = entries->list[i].path;
        if (is_hidden(path) || !dataset_is_image_name(path)) {
            continue;
        }
        const char *name = strrchr(path, '/'), *above = name;
        while (above && above > path && above[-1] != '/') {
            above--;
        }
        size_t most = above ? (size_t)(above - path) : 0;
        if (!first) {
            first = path;
            common = most;
        }
        common = common < most ? common : most;
        while (common > 0 && (strncmp(first, path, common) != 0 || path[common - 1] != '/')) {
            common--;
        }
    }
    *folder = strndup(first ? first : "", common);
    *length = common;
    return *folder != NULL;
}

/* ---- images ------------------------------------------------------------------------ */

enum fovea_status dataset_add_image(struct fovea_dataset *set,
                                    const struct fovea_dataset_image *image,
                                    struct fovea_error *err) {
    /* Room doubles: it is full whenever the count is a power of two. */
    size_t n = set->n_images;
    if ((n & (n - 1)) == 0) {
        size_t bytes = (n ? 2 * n : 1) * sizeof(*set->images);
        struct fovea_dataset_image *grown = realloc(set->images, bytes);
        if (!grown) {
            free(image->path);
            return fovea_fail_memory(err, bytes, "a list of images");
        }
        set->images = grown;
    }
    set->images[set->n_images++] = *image;
    return FOVEA_OK;
}

/* Count a file that is no image; the first is kept as an example. */
static enum fovea_status ignore(struct fovea_dataset *set, const char *path,
                                struct fovea_error *err) {
    if (set->n_ignored++ == 0) {
        set->ignored = strdup(path);
    }
    return set->ignored ? FOVEA_OK : fovea_fail_memory(err, strlen(path) + 1, "a path");
}

/* Take an entry as an image, its path from `skip` on. */
static enum fovea_status take_image(struct fovea_dataset *set, struct dataset_entry *entry,
                                    size_t skip, struct fovea_error *err) {
    struct fovea_dataset_image image = {
        .path = entry->path,
        .offset = entry->offset,
        .size = entry->size,
        .fault = entry->fault,
    };
    memmove(image.path, image.path + skip, strlen(image.path + skip) + 1);
    entry->path = NULL;
    return dataset_add_image(set, &image, err);
}

static enum fovea_status take_all(struct fovea_dataset *set, struct dataset_entries *entries,
                                  struct fovea_error *err) {
    for (size_t i = 0; i < entries->count; i++) {
        struct dataset_entry *entry = &entries->list[i];
        if (is_hidden(entry->path)) {
            continue;
        }
        enum fovea_status status = dataset_is_image_name(entry->path)
                                       ? take_image(set, entry, 0, err)
                                   : entry->folder ? FOVEA_OK
                                                   : ignore(set, entry->path, err);
        if (status) {
            return status;
        }
    }
    return set->n_images > 0
               ? FOVEA_OK
               : fovea_fail(err, FOVEA_ERR_INVALID, "no image (.jpg, .jpeg, .png) among %zu names",
                            entries->count);
}

/* ---- class folders ------------------------------------------------------------------ */

struct folders {
    struct dataset_names all;       /* the class folders */
    struct dataset_names of_images; /* of each image */
    size_t n_loose;                 /* images in no folder */
};

/* Sort one entry into folders, images and others; `path` is what is below the common folder. */
static enum fovea_status place(struct fovea_dataset *set, struct dataset_entry *entry, size_t skip,
                               struct folders *folders, struct fovea_error *err) {
    const char *path = entry->path + skip;
    size_t length = strcspn(path, "/"), depth = depth_of(path);
    bool image = dataset_is_image_name(path);
    if (depth == 0 && !entry->folder) {
        folders->n_loose += image;
        return ignore(set, path, err);
    }
    if (depth != 0 && (!image || depth != 1)) {
        return entry->folder ? FOVEA_OK : ignore(set, path, err);
    }
    const struct dataset_names *all = &folders->all;
    const char *last = all->count > 0 ? all->list[all->count - 1] : "";
    bool is_new = strlen(last) != length || memcmp(last, path, length) != 0;
    if (is_new && !dataset_names_add(&folders->all, path, length)) {
        return fovea_fail_memory(err, length, "class folders");
    }
    if (depth == 0) {
        return FOVEA_OK;
    }
    if (!dataset_names_add(&folders->of_images, path, length)) {
        return fovea_fail_memory(err, length, "class folders");
    }
    return take_image(set, entry, skip, err);
}

static enum fovea_status fail_nothing(const struct fovea_dataset *set,
                                      const struct folders *folders, struct fovea_error *err) {
    size_t n = folders->all.count;
    if (set->n_images == 0 && folders->n_loose > 0) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "%zu images lie in no class folder: what they show must come from an "
                          "ILSVRC ground truth, a real.json or a list of 'path label' (--truth)",
                          folders->n_loose);
    }
    if (n == 0 || n > FOVEA_LIMIT_CLASSES) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "%zu class folders; a dataset is a folder, or a tar archive of it, with "
                          "CLASS/IMAGE.jpg, of 1..%d classes, or with images and --truth, or a "
                          "list%s%s%s",
                          n, FOVEA_LIMIT_CLASSES, set->ignored ? "; here is '" : "",
                          set->ignored ? fovea_quote(set->ignored).text : "",
                          set->ignored ? "'" : "");
    }
    return fovea_fail(err, FOVEA_ERR_INVALID,
                      "no image (.jpg, .jpeg, .png) in %zu class folders, the first of "
                      "which is '%s'; a dataset is ROOT/CLASS/IMAGE.jpg",
                      n, fovea_quote(folders->all.list[0]).text);
}

/* Every entry; what is outside of the common folder is no image, and folders there lead to it. */
static enum fovea_status place_all(struct fovea_dataset *set, struct dataset_entries *entries,
                                   const char *common, size_t skip, struct folders *folders,
                                   struct fovea_error *err) {
    enum fovea_status status = FOVEA_OK;
    for (size_t i = 0; !status && i < entries->count; i++) {
        struct dataset_entry *entry = &entries->list[i];
        bool inside = strncmp(entry->path, common, skip) == 0;
        if (is_hidden(entry->path) || (!inside && entry->folder)) {
            continue;
        }
        status = inside ? place(set, entry, skip, folders, err) : ignore(set, entry->path, err);
    }
    return status;
}

static enum fovea_status place_in_folders(struct fovea_dataset *set,
                                          struct dataset_entries *entries,
                                          const struct dataset_names *class_map,
                                          struct folders *folders, struct fovea_error *err) {
    char *common = NULL;
    size_t skip = 0;
    if (set->kind == FOVEA_DATASET_TAR && !dataset_common_folder(entries, &common, &skip)) {
        return fovea_fail_memory(err, skip + 1, "a path");
    }
    enum fovea_status status = place_all(set, entries, common ? common : "", skip, folders, err);
    free(common);
    if (status) {
        return status;
    }
    if (set->n_images == 0 || folders->all.count > FOVEA_LIMIT_CLASSES) {
        return fail_nothing(set, folders, err);
    }
    dataset_label_each(set);
    status =
        dataset_take_labels(set, &folders->of_images, class_map ? class_map : &folders->all, err);
    if (!status) {
        dataset_sort_by_class(set);
    }
    return status;
}

enum fovea_status dataset_place_images(struct fovea_dataset *set, struct dataset_entries *entries,
                                       bool want_folders, const struct dataset_names *class_map,
                                       struct fovea_error *err) {
    struct folders folders = {0};
    dataset_entries_sort(entries);
    if (!want_folders) {
        return take_all(set, entries, err);
    }
    enum fovea_status status = place_in_folders(set, entries, class_map, &folders, err);
    dataset_names_finish(&folders.all);
    dataset_names_finish(&folders.of_images);
    set->folders = true;
    return status;
}
