/* See dataset.h. */
#include "loaders/dataset.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

/* The names in one folder, sorted by their bytes; those with a leading dot are left out. */
struct names {
    char **names;
    size_t count, room;
};

static void names_finish(struct names *list) {
    for (size_t i = 0; i < list->count; i++) {
        free(list->names[i]);
    }
    free(list->names);
}

static bool names_add(struct names *list, const char *name) {
    if (list->count == list->room) {
        size_t room = list->room ? 2 * list->room : 64;
        char **grown = realloc(list->names, room * sizeof(*grown));
        if (!grown) {
            return false;
        }
        list->names = grown;
        list->room = room;
    }
    list->names[list->count] = strdup(name);
    return list->names[list->count] && ++list->count;
}

static int by_bytes(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static enum fovea_status fail_folder(const char *path, struct fovea_error *err) {
    return fovea_fail(err, FOVEA_ERR_IO, "cannot read folder '%s': %s", fovea_quote(path).text,
                      strerror(errno));
}

static enum fovea_status read_folder(const char *path, struct names *out, struct fovea_error *err) {
    struct names list = {0};
    DIR *folder = opendir(path);
    if (!folder) {
        return fail_folder(path, err);
    }
    struct dirent *entry;
    enum fovea_status status = FOVEA_OK;
    while (errno = 0, !status && (entry = readdir(folder))) {
        if (entry->d_name[0] != '.' && !names_add(&list, entry->d_name)) {
            status = fovea_fail_memory(err, sizeof(list.names) * (list.count + 1), "file names");
        }
    }
    if (!status && errno) {
        status = fail_folder(path, err);
    }
    closedir(folder);
    if (status) {
        names_finish(&list);
        return status;
    }
    if (list.count > 0) {
        qsort(list.names, list.count, sizeof(*list.names), by_bytes);
    }
    *out = list;
    return FOVEA_OK;
}

/* "A/B", or NULL. */
static char *join(const char *a, const char *b) {
    char *path;
    return asprintf(&path, "%s/%s", a, b) < 0 ? NULL : path;
}

static bool is_folder(const char *root, const char *name) {
    struct stat info;
    char *path = join(root, name);
    bool yes = path && stat(path, &info) == 0 && S_ISDIR(info.st_mode);
    free(path);
    return yes;
}

static bool is_image_name(const char *name) {
    static const char *const endings[] = {".jpg", ".jpeg", ".png"};
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && i < sizeof(endings) / sizeof(endings[0]); i++) {
        if (strcasecmp(dot, endings[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* The number that a name of digits spells; -1 for any other name, or one too large. */
static int number_of(const char *name) {
    int value = 0;
    if (!*name) {
        return -1;
    }
    for (; *name; name++) {
        if (*name < '0' || *name > '9') {
            return -1;
        }
        value = 10 * value + (*name - '0');
        if (value >= FOVEA_DATASET_CLASSES_MAX) {
            return -1;
        }
    }
    return value;
}

static int by_index(const void *a, const void *b) {
    const struct fovea_dataset_class *x = a, *y = b;
    return (x->index > y->index) - (x->index < y->index);
}

/* Indices by the numbers in the names if all are numbers, else by order. */
static enum fovea_status index_classes(struct fovea_dataset *set, struct fovea_error *err) {
    set->numeric = true;
    for (size_t i = 0; i < set->n_classes; i++) {
        set->numeric = set->numeric && number_of(set->classes[i].name) >= 0;
    }
    for (size_t i = 0; i < set->n_classes; i++) {
        set->classes[i].index = set->numeric ? number_of(set->classes[i].name) : (int)i;
    }
    qsort(set->classes, set->n_classes, sizeof(*set->classes), by_index);
    for (size_t i = 1; i < set->n_classes; i++) {
        if (set->classes[i].index == set->classes[i - 1].index) {
            return fovea_fail(err, FOVEA_ERR_INVALID,
                              "folders '%s' and '%s' both stand for class %d",
                              fovea_quote(set->classes[i - 1].name).text,
                              fovea_quote(set->classes[i].name).text, set->classes[i].index);
        }
    }
    return FOVEA_OK;
}

/* Count a file that is no image; the first is kept as an example. */
static void ignore(struct fovea_dataset *set, const char *folder, const char *name) {
    if (set->n_ignored++ == 0) {
        set->ignored = folder ? join(folder, name) : strdup(name);
    }
}

static enum fovea_status list_classes(struct fovea_dataset *set, struct fovea_error *err) {
    struct names names;
    enum fovea_status status = read_folder(set->root, &names, err);
    if (status) {
        return status;
    }
    set->classes = calloc(names.count ? names.count : 1, sizeof(*set->classes));
    if (!set->classes) {
        status = fovea_fail_memory(err, names.count * sizeof(*set->classes), "class folders");
    }
    for (size_t i = 0; !status && i < names.count; i++) {
        if (!is_folder(set->root, names.names[i])) {
            ignore(set, NULL, names.names[i]);
            continue;
        }
        set->classes[set->n_classes++].name = names.names[i];
        names.names[i] = NULL;
    }
    names_finish(&names);
    if (!status && (set->n_classes == 0 || set->n_classes > FOVEA_DATASET_CLASSES_MAX)) {
        status = fovea_fail(err, FOVEA_ERR_INVALID,
                            "%zu class folders; a dataset is ROOT/CLASS/IMAGE.jpg with 1..%d",
                            set->n_classes, FOVEA_DATASET_CLASSES_MAX);
    }
    return status ? status : index_classes(set, err);
}

/* Add the images among `names` of class folder `c`. */
static enum fovea_status add_images(struct fovea_dataset *set, size_t c, const struct names *names,
                                    struct fovea_error *err) {
    const char *folder = set->classes[c].name;
    size_t bytes = (set->n_images + names->count + 1) * sizeof(*set->images);
    struct fovea_dataset_image *grown = realloc(set->images, bytes);
    if (!grown) {
        return fovea_fail_memory(err, bytes, "a list of images");
    }
    set->images = grown;
    for (size_t i = 0; i < names->count; i++) {
        if (!is_image_name(names->names[i])) {
            ignore(set, folder, names->names[i]);
            continue;
        }
        char *path = join(folder, names->names[i]);
        if (!path) {
            return fovea_fail_memory(err, strlen(names->names[i]), "a path");
        }
        set->images[set->n_images++] = (struct fovea_dataset_image){path, c};
    }
    return FOVEA_OK;
}

static enum fovea_status list_images(struct fovea_dataset *set, struct fovea_error *err) {
    enum fovea_status status = FOVEA_OK;
    for (size_t c = 0; !status && c < set->n_classes; c++) {
        struct names names = {0};
        char *path = join(set->root, set->classes[c].name);
        status = path ? read_folder(path, &names, err)
                      : fovea_fail_memory(err, strlen(set->root), "a path");
        if (!status) {
            status = add_images(set, c, &names, err);
        }
        names_finish(&names);
        free(path);
    }
    if (!status && set->n_images == 0) {
        status = fovea_fail(err, FOVEA_ERR_INVALID,
                            "no image (.jpg, .jpeg, .png) in %zu class folders, the first of "
                            "which is '%s'; a dataset is ROOT/CLASS/IMAGE.jpg",
                            set->n_classes, fovea_quote(set->classes[0].name).text);
    }
    return status;
}

enum fovea_status fovea_dataset_load(const char *root, struct fovea_dataset *out,
                                     struct fovea_error *err) {
    struct fovea_dataset set = {.root = strdup(root)};
    enum fovea_status status =
        set.root ? FOVEA_OK : fovea_fail_memory(err, strlen(root) + 1, "a path");
    if (!status) {
        status = list_classes(&set, err);
    }
    if (!status) {
        status = list_images(&set, err);
    }
    if (status) {
        fovea_dataset_finish(&set);
        return status;
    }
    *out = set;
    return FOVEA_OK;
}

void fovea_dataset_finish(struct fovea_dataset *dataset) {
    for (size_t i = 0; i < dataset->n_classes; i++) {
        free(dataset->classes[i].name);
    }
    for (size_t i = 0; i < dataset->n_images; i++) {
        free(dataset->images[i].path);
    }
    free(dataset->classes);
    free(dataset->images);
    free(dataset->ignored);
    free(dataset->root);
    *dataset = (struct fovea_dataset){0};
}
