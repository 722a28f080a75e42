/* What images show: from names to classes. */
#include "loaders/dataset_parts.h"

#include "runtime/limits.h"

#include <stdlib.h>
#include <string.h>

/* ---- names ------------------------------------------------------------------------- */

bool dataset_names_add(struct dataset_names *names, const char *name, size_t length) {
    if (names->count == names->room) {
        size_t room = names->room ? 2 * names->room : 64;
        char **grown = realloc(names->list, room * sizeof(*grown));
        if (!grown) {
            return false;
        }
        names->list = grown;
        names->room = room;
    }
    char *copy = strndup(name, length);
    if (copy) {
        names->list[names->count++] = copy;
    }
    return copy != NULL;
}

void dataset_names_finish(struct dataset_names *names) {
    for (size_t i = 0; i < names->count; i++) {
        free(names->list[i]);
    }
    free(names->list);
    *names = (struct dataset_names){0};
}

int dataset_number_of(const char *name) {
    int value = 0;
    if (!*name) {
        return -1;
    }
    for (; *name; name++) {
        if (*name < '0' || *name > '9') {
            return -1;
        }
        value = 10 * value + (*name - '0');
        if (value >= FOVEA_LIMIT_CLASSES) {
            return -1;
        }
    }
    return value;
}

/* ---- classes ------------------------------------------------------------------------ */

static int by_bytes(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int by_index(const void *a, const void *b) {
    const struct fovea_dataset_class *x = a, *y = b;
    return (x->index > y->index) - (x->index < y->index);
}

/* Indices by the numbers in the names if all are numbers, else by order. */
static enum fovea_status index_classes(struct fovea_dataset *set, struct fovea_error *err) {
    set->numeric = true;
    for (size_t i = 0; i < set->n_classes; i++) {
        set->numeric = set->numeric && dataset_number_of(set->classes[i].name) >= 0;
    }
    for (size_t i = 0; i < set->n_classes; i++) {
        set->classes[i].index = set->numeric ? dataset_number_of(set->classes[i].name) : (int)i;
    }
    qsort(set->classes, set->n_classes, sizeof(*set->classes), by_index);
    for (size_t i = 1; i < set->n_classes; i++) {
        if (set->classes[i].index == set->classes[i - 1].index) {
            return fovea_fail(err, FOVEA_ERR_INVALID, "'%s' and '%s' both stand for class %d",
                              fovea_quote(set->classes[i - 1].name).text,
                              fovea_quote(set->classes[i].name).text, set->classes[i].index);
        }
    }
    return FOVEA_OK;
}

/*
 * The distinct ones of `sorted` names, none of them "", become classes. With `once`, a name must
 * not come twice: it would move the indices of all that follow.
 */
static enum fovea_status make_classes(struct fovea_dataset *set, char *const *sorted, size_t count,
                                      bool once, struct fovea_error *err) {
    set->classes = calloc(count + 1, sizeof(*set->classes));
    if (!set->classes) {
        return fovea_fail_memory(err, (count + 1) * sizeof(*set->classes), "classes");
    }
    for (size_t i = 0; i < count; i++) {
        bool again = i > 0 && strcmp(sorted[i], sorted[i - 1]) == 0;
        if (again && once) {
            return fovea_fail(err, FOVEA_ERR_INVALID, "class '%s' is in the class map twice",
                              fovea_quote(sorted[i]).text);
        }
        if (again) {
            continue;
        }
        if (set->n_classes == FOVEA_LIMIT_CLASSES) {
            return fovea_fail(err, FOVEA_ERR_LIMIT, "more than %d classes", FOVEA_LIMIT_CLASSES);
        }
        char *name = strdup(sorted[i]);
        if (!name) {
            return fovea_fail_memory(err, strlen(sorted[i]), "a class name");
        }
        set->classes[set->n_classes++].name = name;
    }
    return index_classes(set, err);
}

static enum fovea_status classes_of(struct fovea_dataset *set, const struct dataset_names *names,
                                    bool once, struct fovea_error *err) {
    size_t bytes = (names->count + 1) * sizeof(char *);
    char **sorted = malloc(bytes);
    if (!sorted) {
        return fovea_fail_memory(err, bytes, "classes");
    }
    size_t count = 0;
    for (size_t i = 0; i < names->count; i++) {
        if (*names->list[i]) {
            sorted[count++] = names->list[i];
        }
    }
    qsort(sorted, count, sizeof(*sorted), by_bytes);
    enum fovea_status status = make_classes(set, sorted, count, once, err);
    free(sorted);
    return status;
}

/* ---- labels ------------------------------------------------------------------------- */

struct named {
    const char *name;
    size_t number;
};

static int by_name(const void *a, const void *b) {
    const struct named *x = a, *y = b;
    return strcmp(x->name, y->name);
}

static enum fovea_status number_labels(struct fovea_dataset *set, const struct dataset_names *names,
                                       const struct named *table, struct fovea_error *err) {
    for (size_t i = 0; i < names->count; i++) {
        const struct named wanted = {.name = names->list[i]};
        const struct named *found =
            bsearch(&wanted, table, set->n_classes, sizeof(*table), by_name);
        if (!found) {
            return fovea_fail(err, FOVEA_ERR_INVALID,
                              "class '%s' is none of the %zu classes of the class map",
                              fovea_quote(names->list[i]).text, set->n_classes);
        }
        set->labels[i] = found->number;
    }
    set->n_labels = names->count;
    return FOVEA_OK;
}

static enum fovea_status look_up(struct fovea_dataset *set, const struct dataset_names *names,
                                 struct fovea_error *err) {
    size_t bytes = (set->n_classes + 1) * sizeof(struct named);
    struct named *table = malloc(bytes);
    set->labels = calloc(names->count + 1, sizeof(*set->labels));
    enum fovea_status status =
        table && set->labels ? FOVEA_OK : fovea_fail_memory(err, bytes, "labels");
    for (size_t i = 0; !status && i < set->n_classes; i++) {
        table[i] = (struct named){set->classes[i].name, i};
    }
    if (!status) {
        qsort(table, set->n_classes, sizeof(*table), by_name);
        status = number_labels(set, names, table, err);
    }
    free(table);
    return status;
}

/* Images of numeric folders are in the order of the numbers, not of the digits. */
static int by_label(const void *a, const void *b) {
    const struct fovea_dataset_image *x = a, *y = b;
    int order = (x->first_label > y->first_label) - (x->first_label < y->first_label);
    return order ? order : strcmp(x->path, y->path);
}

void dataset_sort_by_class(struct fovea_dataset *set) {
    /* In first_label, for a moment, the class itself: each image has one label. */
    for (size_t i = 0; i < set->n_images; i++) {
        set->images[i].first_label = set->labels[i];
    }
    qsort(set->images, set->n_images, sizeof(*set->images), by_label);
    for (size_t i = 0; i < set->n_images; i++) {
        set->labels[i] = set->images[i].first_label;
        set->images[i].first_label = i;
    }
}

/* Forget classes and labels that were there before. */
static void clear(struct fovea_dataset *set) {
    for (size_t i = 0; i < set->n_classes; i++) {
        free(set->classes[i].name);
    }
    free(set->classes);
    free(set->labels);
    set->classes = NULL;
    set->labels = NULL;
    set->n_classes = set->n_labels = 0;
}

enum fovea_status dataset_take_labels(struct fovea_dataset *set, const struct dataset_names *names,
                                      const struct dataset_names *all, struct fovea_error *err) {
    clear(set);
    enum fovea_status status = classes_of(set, all ? all : names, all != NULL, err);
    if (!status) {
        status = look_up(set, names, err);
    }
    return status;
}

void dataset_label_each(struct fovea_dataset *set) {
    for (size_t i = 0; i < set->n_images; i++) {
        set->images[i].first_label = i;
        set->images[i].n_labels = 1;
    }
}
