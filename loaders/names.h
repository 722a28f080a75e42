/*
 * Which value of a graph each name stands for.
 *
 * A sorted list, not a hash table: with names of hostile origin it needs no
 * secret to keep its cost, and a file's names are all known before the first
 * is looked up.
 */
#ifndef FOVEA_LOADERS_NAMES_H
#define FOVEA_LOADERS_NAMES_H

#include <stdbool.h>
#include <stddef.h>

struct fovea_value;

/* How a name comes to be; also the order of entries with one name. */
enum fovea_definition {
    FOVEA_DEFINED_INITIALIZER,
    FOVEA_DEFINED_INPUT,
    FOVEA_DEFINED_OUTPUT, /* of a node */
};

struct fovea_name {
    const char *name; /* borrowed */
    enum fovea_definition kind;
    size_t index; /* of the initializer, input or node */
    struct fovea_value *value;
};

/* Zeroed is empty and valid. */
struct fovea_names {
    struct fovea_name *entries;
    size_t count, cap;
};

/* False if out of memory. */
bool fovea_names_add(struct fovea_names *names, const struct fovea_name *entry);

/* By name, kind, index. After the last add and before the first find. */
void fovea_names_sort(struct fovea_names *names);

/* The first entry with that name, or NULL. */
struct fovea_name *fovea_names_find(const struct fovea_names *names, const char *name);

void fovea_names_finish(struct fovea_names *names);

#endif
