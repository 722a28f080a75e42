/* Which constants are to be packed: see pack_units.h. */
#include "runtime/pack_units.h"

#include <stdlib.h>
#include <string.h>

static void add_want(struct fovea_pack_units *u, struct fovea_value *value,
                     struct fovea_node *node) {
    if (u->unit_of[value->number] == 0) {
        u->units[u->n_units++].value = value;
        u->unit_of[value->number] = u->n_units;
    }
    struct fovea_pack_unit *unit = &u->units[u->unit_of[value->number] - 1];
    if (!node && unit->plain) {
        return;
    }
    unit->plain |= !node;
    u->wants[u->n_wants] = (struct fovea_pack_want){.node = node, .next = unit->first};
    unit->first = ++u->n_wants;
}

static void add_wants_of(struct fovea_pack_units *u, struct fovea_node *node) {
    for (int i = 0; i < node->n_in; i++) {
        struct fovea_value *value = node->in[i];
        if (!value || !value->constant) {
            continue;
        }
        if (node->packed_bytes > 0 && node->packed_input == i) {
            add_want(u, value, node);
        } else if (!value->t.data) {
            add_want(u, value, NULL);
        }
    }
}

/* ---- groups -------------------------------------------------------------- */

static size_t group_of(struct fovea_pack_units *u, size_t unit) {
    while (u->units[unit].group != unit) {
        u->units[unit].group = u->units[u->units[unit].group].group; /* halves the way */
        unit = u->units[unit].group;
    }
    return unit;
}

/* One owner for two (1 + a unit; 0: none), whose groups become one. */
static size_t joined(struct fovea_pack_units *u, size_t a, size_t b) {
    if (a == 0 || b == 0) {
        return a + b;
    }
    a = group_of(u, a - 1);
    b = group_of(u, b - 1);
    u->units[a > b ? a : b].group = a > b ? b : a;
    return (a > b ? b : a) + 1;
}

/* From each unit back through the deferred nodes it depends on. */
static void join_groups(struct fovea_graph *graph, struct fovea_pack_units *u, size_t *owners) {
    for (size_t i = 0; i < u->n_units; i++) {
        u->units[i].group = i;
        owners[u->units[i].value->number] = i + 1;
    }
    for (struct fovea_node *node = graph->last_deferred; node; node = node->prev) {
        size_t owner = 0;
        for (int i = 0; i < node->n_out; i++) {
            if (node->out[i] && !node->out[i]->t.data) {
                owner = joined(u, owner, owners[node->out[i]->number]);
            }
        }
        for (int i = 0; owner && i < node->n_in; i++) {
            const struct fovea_value *in = node->in[i];
            if (in && !in->t.data) {
                owners[in->number] = joined(u, owners[in->number], owner);
            }
        }
    }
}

static enum fovea_status find_groups(struct fovea_graph *graph, struct fovea_pack_units *u,
                                     struct fovea_error *err) {
    size_t *owners = calloc(graph->n_values + 1, sizeof(*owners));
    if (!owners) {
        return fovea_fail_memory(err, (graph->n_values + 1) * sizeof(*owners), "packing weights");
    }
    join_groups(graph, u, owners);
    free(owners);
    for (size_t i = u->n_units; i-- > 0;) {
        struct fovea_pack_unit *unit = &u->units[i];
        unit->group = group_of(u, i);
        if (unit->group != i) {
            struct fovea_pack_unit *first = &u->units[unit->group];
            unit->next = first->next;
            first->next = i + 1;
        }
    }
    return FOVEA_OK;
}

enum fovea_status fovea_pack_units_find(struct fovea_graph *graph, struct fovea_pack_units *units,
                                        struct fovea_error *err) {
    size_t most = graph->n_outputs;
    for (const struct fovea_node *node = graph->first; node; node = node->next) {
        most += (size_t)node->n_in;
    }
    units->units = calloc(most + 1, sizeof(*units->units));
    units->wants = calloc(most + 1, sizeof(*units->wants));
    units->unit_of = calloc(graph->n_values + 1, sizeof(*units->unit_of));
    if (!units->units || !units->wants || !units->unit_of) {
        return fovea_fail_memory(err, (most + 1) * sizeof(*units->units), "packing weights");
    }
    for (struct fovea_node *node = graph->first; node; node = node->next) {
        add_wants_of(units, node);
    }
    for (size_t i = 0; i < graph->n_outputs; i++) {
        struct fovea_value *value = graph->outputs[i];
        if (value->constant && !value->t.data) {
            add_want(units, value, NULL);
        }
    }
    return find_groups(graph, units, err);
}

void fovea_pack_units_finish(struct fovea_pack_units *units) {
    free(units->units);
    free(units->wants);
    free(units->unit_of);
    memset(units, 0, sizeof(*units));
}
