/*
 * Packing weights: see pack.h.
 *
 * A thread takes one group of units (pack_units.h) at a time, evaluates what it
 * depends on, and packs each unit as soon as its contents are there.
 */
#include "runtime/pack.h"

#include "runtime/deferred.h"
#include "runtime/op.h"
#include "runtime/pack_units.h"
#include "runtime/pages.h"
#include "runtime/parallel.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct worker {
    struct fovea_workspace workspace;
    enum fovea_status status;
    struct fovea_error error;
    size_t failed;               /* the first unit of the group that failed */
    struct fovea_wanted *wanted; /* of a group */
    size_t *units;               /* they are the contents of */
    const struct packer *packer;
};

struct packer {
    struct fovea_graph *graph;
    const struct fovea_model *model;
    struct fovea_pack_units units;
    struct worker *workers;
    atomic_size_t next;
    atomic_bool failed;
};

/* ---- what is there already --------------------------------------------------- */

static struct fovea_store_key key_of(const struct fovea_pack_unit *unit,
                                     const struct fovea_pack_want *want) {
    const struct fovea_node *node = want->node;
    return (struct fovea_store_key){
        .contents = fovea_value_identity(unit->value),
        .form = node ? node->packed_form : 0,
        .bytes = node ? node->packed_bytes : fovea_tensor_bytes(&unit->value->t),
    };
}

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
            const struct fovea_store_key key = key_of(unit, want);
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

/* ---- one unit ------------------------------------------------------------------------ */

/* Let go of the pages of a mapped file that hold a constant. */
static void forget_leaf(void *context, const struct fovea_value *leaf) {
    const struct fovea_model *model = context;
    uintptr_t at = (uintptr_t)leaf->t.data;
    for (size_t i = 0; !leaf->owned && i < model->n_mappings; i++) {
        uintptr_t from = (uintptr_t)model->mappings[i].bytes;
        if (at >= from && at - from < model->mappings[i].length) {
            fovea_mapping_forget(&model->mappings[i], leaf->t.data, fovea_tensor_bytes(&leaf->t));
        }
    }
}

static enum fovea_status make_wants(const struct packer *p, const struct fovea_pack_unit *unit,
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

/* wanted[i] of a group has contents. */
static enum fovea_status make_wanted(void *context, size_t i, struct fovea_error *err) {
    const struct worker *worker = context;
    const struct packer *p = worker->packer;
    return make_wants(p, &p->units.units[worker->units[i]], err);
}

static enum fovea_status pack_group(struct packer *p, struct worker *worker, size_t first,
                                    struct fovea_error *err) {
    enum fovea_status st = FOVEA_OK;
    size_t n = 0;
    for (size_t i = first + 1; !st && i > 0; i = p->units.units[i - 1].next) {
        const struct fovea_pack_unit *unit = &p->units.units[i - 1];
        if (!has_work(p, unit)) {
            continue;
        }
        if (unit->value->t.data) {
            st = make_wants(p, unit, err);
            forget_leaf((void *)p->model, unit->value);
            continue;
        }
        worker->wanted[n] = (struct fovea_wanted){unit->value, plain_target(p, unit)};
        worker->units[n++] = i - 1;
    }
    if (!st && n > 0) {
        st = fovea_deferred_evaluate(worker->wanted, n, &worker->workspace, make_wanted, worker,
                                     err);
        fovea_workspace_visit_leaves(&worker->workspace, forget_leaf, (void *)p->model);
    }
    return st;
}

/* ---- all units -------------------------------------------------------------------------- */

static enum fovea_status start_worker(struct packer *p, struct worker *worker,
                                      struct fovea_error *err) {
    size_t room = p->units.n_units + 1;
    worker->packer = p;
    worker->workspace.allocator = p->model->allocator;
    worker->wanted = calloc(room, sizeof(*worker->wanted));
    worker->units = calloc(room, sizeof(*worker->units));
    return worker->wanted && worker->units
               ? FOVEA_OK
               : fovea_fail_memory(err, room * sizeof(*worker->wanted), "packing weights");
}

static void finish_worker(struct worker *worker) {
    fovea_workspace_finish(&worker->workspace);
    free(worker->wanted);
    free(worker->units);
}

static void work(void *context, int64_t begin, int64_t end, int thread) {
    struct packer *p = context;
    struct worker *worker = &p->workers[thread];
    const struct fovea_progress *progress = &p->graph->engine->progress;
    (void)begin;
    (void)end;
    worker->status = start_worker(p, worker, &worker->error);
    size_t i;
    while (!worker->status && !atomic_load(&p->failed) &&
           (i = atomic_fetch_add(&p->next, 1)) < p->units.n_units) {
        worker->failed = i;
        /* The first thread is the caller's. */
        if (thread == 0) {
            worker->status = fovea_progress_tell(
                progress, FOVEA_PHASE_PACK, (double)i / (double)p->units.n_units, &worker->error);
        }
        if (!worker->status && p->units.units[i].group == i) {
            worker->status = pack_group(p, worker, i, &worker->error);
        }
    }
    if (worker->status) {
        atomic_store(&p->failed, true);
    }
    finish_worker(worker);
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
        bool unread = fovea_value_is_packed(value) || !fovea_value_is_read(value);
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
    enum fovea_status st = fovea_pack_units_find(p->graph, &p->units, err);
    if (!st) {
        fovea_deferred_identify(p->graph);
        st = find_entries(p, packed, err);
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
        /* Reading a constant brings in pages of its neighbours, some after they were let go. */
        fovea_model_forget_files(model);
        fovea_pages_trim();
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

static int compare_sizes(const void *a, const void *b) {
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return (x < y) - (x > y);
}

/* What it takes to make what the store lacks of a group; `wanted` has room for it. */
static enum fovea_status group_cost(const struct packer *p, size_t first,
                                    struct fovea_wanted *wanted, size_t *transient, size_t *results,
                                    struct fovea_error *err) {
    size_t n = 0, leaf = 0;
    for (size_t i = first + 1; i > 0; i = p->units.units[i - 1].next) {
        const struct fovea_pack_unit *unit = &p->units.units[i - 1];
        size_t lacking = 0;
        for (size_t w = unit->first; w > 0; w = p->units.wants[w - 1].next) {
            struct fovea_store_key key = key_of(unit, &p->units.wants[w - 1]);
            lacking += fovea_store_has(p->model->store, &key) ? 0 : key.bytes;
        }
        *results += lacking;
        if (lacking > 0 && unit->value->t.data) {
            leaf = unit->value->owned ? leaf : fovea_tensor_bytes(&unit->value->t);
        } else if (lacking > 0) {
            /* Any address will do to say that there is a target. */
            wanted[n++] = (struct fovea_wanted){unit->value, unit->plain ? unit->value : NULL};
        }
    }
    size_t bytes;
    enum fovea_status st = fovea_deferred_bytes(wanted, n, &bytes, err);
    if (!st) {
        *transient = bytes + leaf;
    }
    return st;
}

static enum fovea_status add_costs(const struct packer *p, int threads, struct fovea_wanted *wanted,
                                   size_t *sizes, struct fovea_pack_cost *out,
                                   struct fovea_error *err) {
    struct fovea_pack_cost cost = {0};
    for (size_t i = 0; i < p->units.n_units; i++) {
        if (p->units.units[i].group != i) {
            continue;
        }
        enum fovea_status st = group_cost(p, i, wanted, &sizes[i], &cost.new_bytes, err);
        if (st) {
            return st;
        }
    }
    qsort(sizes, p->units.n_units, sizeof(*sizes), compare_sizes);
    for (size_t i = 0; i < p->units.n_units && i < (size_t)threads; i++) {
        cost.transient_bytes += sizes[i];
    }
    *out = cost;
    return FOVEA_OK;
}

enum fovea_status fovea_pack_estimate(struct fovea_graph *graph, const struct fovea_model *model,
                                      int threads, struct fovea_pack_cost *out,
                                      struct fovea_error *err) {
    struct packer p = {.graph = graph, .model = model};
    enum fovea_status st = fovea_pack_units_find(graph, &p.units, err);
    struct fovea_wanted *wanted = calloc(p.units.n_units + 1, sizeof(*wanted));
    size_t *sizes = calloc(p.units.n_units + 1, sizeof(*sizes));
    if (!st && (!wanted || !sizes)) {
        st = fovea_fail_memory(err, (p.units.n_units + 1) * sizeof(*wanted), "packing weights");
    }
    if (!st) {
        fovea_store_enter(model->store);
        fovea_deferred_identify(graph);
        st = add_costs(&p, threads, wanted, sizes, out, err);
        fovea_store_leave(model->store);
    }
    free(wanted);
    free(sizes);
    fovea_pack_units_finish(&p.units);
    return st;
}
