/* Names to values: see names.h. */
#include "loaders/names.h"

#include <stdlib.h>
#include <string.h>

bool fovea_names_add(struct fovea_names *names, const struct fovea_name *entry) {
    if (names->count == names->cap) {
        size_t cap = names->cap ? names->cap * 2 : 64;
        struct fovea_name *entries = realloc(names->entries, cap * sizeof(*entries));
        if (!entries) {
            return false;
        }
        names->entries = entries;
        names->cap = cap;
    }
    names->entries[names->count++] = *entry;
    return true;
}

static int compare(const void *left, const void *right) {
    const struct fovea_name *a = left, *b = right;
    int order = strcmp(a->name, b->name);
    if (order != 0) {
        return order;
    }
    if (a->kind != b->kind) {
        return a->kind < b->kind ? -1 : 1;
    }
    return (a->index > b->index) - (a->index < b->index);
}

void fovea_names_sort(struct fovea_names *names) {
    if (names->count > 0) {
        qsort(names->entries, names->count, sizeof(*names->entries), compare);
    }
}

struct fovea_name *fovea_names_find(const struct fovea_names *names, const char *name) {
    size_t low = 0, high = names->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(names->entries[middle].name, name) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == names->count || strcmp(names->entries[low].name, name) != 0) {
        return NULL;
    }
    return &names->entries[low];
}

void fovea_names_finish(struct fovea_names *names) {
    free(names->entries);
    *names = (struct fovea_names){0};
}
