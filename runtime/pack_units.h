/*
 * The units of packing: each a constant that steps read, with the steps that
 * want a packed form of it.
 */
#ifndef FOVEA_RUNTIME_PACK_UNITS_H
#define FOVEA_RUNTIME_PACK_UNITS_H

#include "runtime/graph.h"
#include "runtime/store.h"

/* A form of a unit's constant that somebody wants. */
struct fovea_pack_want {
    struct fovea_node *node; /* NULL: the plain contents, of steps that read them */
    struct fovea_store_entry *entry;
    bool make;   /* the entry is new: its contents are to be made */
    size_t next; /* want of the same unit, 1 + its number; 0: none */
};

struct fovea_pack_unit {
    struct fovea_value *value;
    size_t first; /* want, 1 + its number */
    bool plain;   /* among the wants */
};

struct fovea_pack_units {
    struct fovea_pack_unit *units;
    struct fovea_pack_want *wants;
    size_t n_units, n_wants;
    size_t *unit_of; /* by number of a value: 1 + its unit, or 0 */
};

/* In the order of the steps. `units` is zeroed by the caller, and finished after failure too. */
enum fovea_status fovea_pack_units_find(struct fovea_graph *graph, struct fovea_pack_units *units,
                                        struct fovea_error *err);
void fovea_pack_units_finish(struct fovea_pack_units *units);

#endif
