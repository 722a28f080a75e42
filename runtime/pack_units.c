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
    return FOVEA_OK;
}

void fovea_pack_units_finish(struct fovea_pack_units *units) {
    free(units->units);
    free(units->wants);
    free(units->unit_of);
    memset(units, 0, sizeof(*units));
}
