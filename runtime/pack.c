/*
 * Packing weights: see pack.h.
 *
 * What one unit (pack_units.h) depends on is evaluated by the thread that
 * packs it. Deferred nodes that several units depend on are evaluated first,
 * once, with all threads; their results are kept until the end.
 */
#include "runtime/pack.h"

#include "runtime/compute.h"
#include "runtime/deferred.h"
#include "runtime/op.h"
#include "runtime/pack_units.h"
#include "runtime/pages.h"
#include "runtime/parallel.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* Who evaluates a deferred node. */
enum { NOBODY, ALL_THREADS, FIRST_UNIT };

/* Instead of an owner, once evaluated for several units: contents only packing has use for. */
#define MADE_HERE SIZE_MAX

struct worker {
    struct fovea_workspace workspace;
    enum fovea_status status;
    struct fovea_error error;
    size_t failed; /* the unit that failed */
};

struct packer {
    struct fovea_graph *graph;
    const struct fovea_model *model;
    struct fovea_pack_units units;
    size_t *owners; /* by number of a value: who needs it */
    struct worker *workers;
    atomic_size_t next;
    atomic_bool failed;
};

/* ---- what is there already --------------------------------------------------- */

static enum fovea_status find_entries(struct packer *p, struct fovea_packed *packed,
                                      struct fovea_error *err) {
    packed->entries = calloc(p->units.n_wants + 1, sizeof(struct fovea_store_entry *));
    if (!packed->entries) {
        return fovea_fail_memory(err, (p->units.n_wants + 1) * sizeof(void *), "packed weights");
    }
    for (size_t i = 0; i < p->units.n_units; i++) {
        const struct fovea_pack_unit *unit = &p->units.units[i];
        for (size_t w = unit->first; w > 0; w = p->units.wants[w - 1].next) {
            struct fovea_pack_want *want = &p->units.wants[w - 1];
            const struct fovea_store_key key = {
                .contents = fovea_value_identity(unit->value),
                .form = want->node ? want->node->packed_form : 0,
                .bytes =
                    want->node ? want->node->packed_bytes : fovea_tensor_bytes(&unit->value->t),
            };
            enum fovea_status st =
                fovea_store_get(packed->store, &key, &want->entry, &want->make, err);
            if (st) {
                return st;
            }
            packed->entries[packed->n_entries++] = want->entry;
        }
    }
    return fovea_store_allocate(packed->store, packed->entries, packed->n_entries, err);
}

static bool has_work(const struct packer *p, const struct fovea_pack_unit *unit) {
    for (size_t w = unit->first; w > 0; w = p->units.wants[w - 1].next) {
        if (p->units.wants[w - 1].make) {
            return true;
        }
    }
    return false;
}

/* ---- who evaluates what --------------------------------------------------------- */

static size_t both(size_t a, size_t b) {
    if (a == NOBODY || b == NOBODY || a == b) {
        return a > b ? a : b;
    }
    return ALL_THREADS;
}

static void find_owners(struct packer *p) {
    for (size_t i = 0; i < p->units.n_units; i++) {
        const struct fovea_pack_unit *unit = &p->units.units[i];
        p->owners[unit->value->number] = has_work(p, unit) ? FIRST_UNIT + i : NOBODY;
    }
    for (struct fovea_node *node = p->graph->last_deferred; node; node = node->prev) {
        node->owner = NOBODY;
        for (int i = 0; i < node->n_out; i++) {
            if (node->out[i] && !node->out[i]->t.data) {
                node->owner = both(node->owner, p->owners[node->out[i]->number]);
            }
        }
        for (int i = 0; i < node->n_in; i++) {
            if (node->in[i]) {
                size_t *owner = &p->owners[node->in[i]->number];
                *owner = both(*owner, node->owner);
            }
        }
    }
}

/* ---- nodes that several units depend on ------------------------------------------- */

static enum fovea_status evaluate_common(struct packer *p, struct fovea_node *node,
                                         struct fovea_budget *budget, struct fovea_error *err) {
    for (int i = 0; i < node->n_out; i++) {
        struct fovea_value *out = node->out[i];
        size_t bytes = out ? fovea_tensor_bytes(&out->t) : 0;
        if (!out || out->t.data) {
            continue;
        }
        enum fovea_status st = fovea_budget_spend(budget, bytes, "its constant result", err);
        if (st) {
            return st;
        }
        void *data = fovea_aligned_alloc(bytes);
        if (!data) {
            return fovea_fail_memory(err, bytes, "a constant");
        }
        fovea_value_set_constant(out, data, true);
        p->owners[out->number] = MADE_HERE;
    }
    return fovea_node_compute(node, node->graph->engine, budget, err);
}

static enum fovea_status evaluate_common_nodes(struct packer *p, struct fovea_error *err) {
    struct fovea_budget budget = p->graph->budget;
    enum fovea_status st = FOVEA_OK;
    for (struct fovea_node *node = p->graph->first_deferred; !st && node; node = node->next) {
        if (node->owner == ALL_THREADS) {
            st = evaluate_common(p, node, &budget, err);
        }
    }
    return st;
}

/* ---- one unit ------------------------------------------------------------------------ */

/* Let go of the pages of a mapped file that hold a constant. */
static void forget_leaf(void *context, const struct fovea_value *leaf) {
    const struct fovea_model *model = context;
    uintptr_t at = (uintptr_t)leaf->t.data;
    for (size_t i = 0; !leaf->owned && i < model->n_mappings; i++) {
        uintptr_t from = (uintptr_t)model->mappings[i].bytes;
        if (at >= from && at - from < model->mappings[i].length) {
            fovea_pages_forget(leaf->t.data, fovea_tensor_bytes(&leaf->t));
        }
    }
}

static enum fovea_status make_wants(struct packer *p, const struct fovea_pack_unit *unit,
                                    struct fovea_error *err) {
    for (size_t w = unit->first; w > 0; w = p->units.wants[w - 1].next) {
        const struct fovea_pack_want *want = &p->units.wants[w - 1];
        const struct fovea_node *node = want->node;
        if (!want->make || want->entry->data == unit->value->t.data) {
            continue;
        }
        if (!node) {
            memcpy(want->entry->data, unit->value->t.data, want->entry->key.bytes);
            continue;
        }
        enum fovea_status st =
            node->op->pack(node, p->graph->engine, &unit->value->t, want->entry->data, err);
        if (st) {
            fovea_error_prefix_node(err, node);
            return st;
        }
    }
    return FOVEA_OK;
}

/* Where the plain contents are to be, if they are to be made. */
static void *plain_target(const struct packer *p, const struct fovea_pack_unit *unit) {
    for (size_t w = unit->first; w > 0; w = p->units.wants[w - 1].next) {
        const struct fovea_pack_want *want = &p->units.wants[w - 1];
        if (!want->node && want->make) {
            return want->entry->data;
        }
    }
    return NULL;
}

static enum fovea_status pack_unit(struct packer *p, const struct fovea_pack_unit *unit,
                                   struct fovea_workspace *workspace, struct fovea_error *err) {
    struct fovea_value *value = unit->value;
    bool evaluates = !value->t.data;
    if (evaluates) {
        enum fovea_status st =
            fovea_deferred_evaluate(value, workspace, plain_target(p, unit), err);
        if (st) {
            return st;
        }
    }
    enum fovea_status st = make_wants(p, unit, err);
    if (evaluates) {
        fovea_deferred_forget(value, workspace);
        fovea_workspace_visit_leaves(workspace, forget_leaf, (void *)p->model);
    } else {
        forget_leaf((void *)p->model, value);
    }
    return st;
}

/* ---- all units -------------------------------------------------------------------------- */

static void work(void *context, int64_t begin, int64_t end, int thread) {
    struct packer *p = context;
    struct worker *worker = &p->workers[thread];
    (void)begin;
    (void)end;
    size_t i;
    while (!atomic_load(&p->failed) && (i = atomic_fetch_add(&p->next, 1)) < p->units.n_units) {
        if (!has_work(p, &p->units.units[i])) {
            continue;
        }
        worker->status = pack_unit(p, &p->units.units[i], &worker->workspace, &worker->error);
        if (worker->status) {
            worker->failed = i;
            atomic_store(&p->failed, true);
        }
    }
    fovea_workspace_finish(&worker->workspace);
}

static enum fovea_status pack_units(struct packer *p, struct fovea_error *err) {
    int threads = fovea_parallel_threads();
    p->workers = calloc((size_t)threads, sizeof(*p->workers));
    if (!p->workers) {
        return fovea_fail_memory(err, (size_t)threads * sizeof(*p->workers), "packing weights");
    }
    fovea_parallel_for(threads, 1, work, p);
    const struct worker *first = NULL;
    for (int i = 0; i < threads; i++) {
        const struct worker *worker = &p->workers[i];
        if (worker->status && (!first || worker->failed < first->failed)) {
            first = worker;
        }
    }
    if (first && err) {
        *err = first->error;
    }
    return first ? first->status : FOVEA_OK;
}

/* ---- the whole ---------------------------------------------------------------------------- */

/* Free the contents of constants that only packing read. */
static void drop_originals(const struct packer *p) {
    for (struct fovea_value *value = p->graph->values; value; value = value->next) {
        bool unread = p->owners[value->number] == MADE_HERE || fovea_value_is_packed(value) ||
                      !fovea_value_is_read(value);
        if (value->constant && value->owned && !value->is_input && unread) {
            free(value->owned);
            value->owned = NULL;
            value->t.data = NULL;
        }
    }
}

static void hand_out(const struct packer *p) {
    for (size_t i = 0; i < p->units.n_units; i++) {
        for (size_t w = p->units.units[i].first; w > 0; w = p->units.wants[w - 1].next) {
            const struct fovea_pack_want *want = &p->units.wants[w - 1];
            if (want->node) {
                want->node->packed_data = want->entry->data;
            } else {
                p->units.units[i].value->t.data = want->entry->data;
            }
        }
    }
}

static enum fovea_status pack_all(struct packer *p, struct fovea_packed *packed,
                                  struct fovea_error *err) {
    p->owners = calloc(p->graph->n_values + 1, sizeof(*p->owners));
    if (!p->owners) {
        return fovea_fail_memory(err, (p->graph->n_values + 1) * sizeof(*p->owners),
                                 "packing weights");
    }
    enum fovea_status st = fovea_pack_units_find(p->graph, &p->units, err);
    if (!st) {
        fovea_deferred_identify(p->graph);
        st = find_entries(p, packed, err);
    }
    if (!st) {
        find_owners(p);
        st = evaluate_common_nodes(p, err);
    }
    return st ? st : pack_units(p, err);
}

enum fovea_status fovea_pack_graph(struct fovea_graph *graph, const struct fovea_model *model,
                                   struct fovea_packed *packed, struct fovea_error *err) {
    struct packer p = {.graph = graph, .model = model};
    packed->store = model->store;
    fovea_store_enter(packed->store);
    enum fovea_status st = pack_all(&p, packed, err);
    if (!st) {
        drop_originals(&p);
        hand_out(&p);
    } else {
        /* Before anybody finds entries without contents. */
        for (size_t i = 0; i < packed->n_entries; i++) {
            fovea_store_release(packed->store, packed->entries[i]);
        }
        packed->n_entries = 0;
    }
    fovea_store_leave(packed->store);
    fovea_pack_units_finish(&p.units);
    free(p.workers);
    free(p.owners);
    return st;
}

void fovea_packed_finish(struct fovea_packed *packed) {
    if (packed->n_entries > 0) {
        fovea_store_enter(packed->store);
        for (size_t i = 0; i < packed->n_entries; i++) {
            fovea_store_release(packed->store, packed->entries[i]);
        }
        fovea_store_leave(packed->store);
    }
    free(packed->entries);
    memset(packed, 0, sizeof(*packed));
}

/* ---- before it is done ---------------------------------------------------------------------- */

static size_t leaf_bytes(const struct fovea_value *value) {
    return value->owned ? 0 : fovea_tensor_bytes(&value->t);
}

static int compare_sizes(const void *a, const void *b) {
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return (x < y) - (x > y);
}

enum fovea_status fovea_pack_transient(struct fovea_graph *graph, int threads, size_t *out,
                                       struct fovea_error *err) {
    struct fovea_pack_units units = {0};
    enum fovea_status st = fovea_pack_units_find(graph, &units, err);
    size_t *sizes = calloc(units.n_units + 1, sizeof(*sizes));
    if (!st && !sizes) {
        st = fovea_fail_memory(err, (units.n_units + 1) * sizeof(*sizes), "packing weights");
    }
    for (size_t i = 0; !st && i < units.n_units; i++) {
        st = fovea_deferred_bytes(units.units[i].value, false, &sizes[i], err);
        sizes[i] += leaf_bytes(units.units[i].value);
    }
    if (!st) {
        qsort(sizes, units.n_units, sizeof(*sizes), compare_sizes);
        size_t sum = 0;
        for (size_t i = 0; i < units.n_units && i < (size_t)threads; i++) {
            sum += sizes[i];
        }
        *out = sum;
    }
    free(sizes);
    fovea_pack_units_finish(&units);
    return st;
}
