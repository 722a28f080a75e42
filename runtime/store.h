/*
 * Packed weights of a model, shared by its sessions. What one session has
 * packed, the next finds: for another batch size, in another thread.
 *
 * An entry is kept as long as a session uses it. Sessions may be created and
 * destroyed by several threads at once: whoever looks, adds or releases holds
 * the store's lock, and a session that packs holds it until all its entries
 * have contents. So one session packs at a time, with all its threads, and
 * others wait, then find. Contents never change and are read without the lock.
 */
#ifndef FOVEA_RUNTIME_STORE_H
#define FOVEA_RUNTIME_STORE_H

#include "runtime/error.h"
#include "runtime/hash.h"

struct fovea_store;

/* What the bytes are: of which constant (deferred.h), in which form (graph.h; 0: plain). */
struct fovea_store_key {
    struct fovea_digest contents;
    uint64_t form;
    size_t bytes;
};

struct fovea_store_entry {
    struct fovea_store_key key;
    void *data; /* NULL until fovea_store_allocate; aligned to FOVEA_ALIGNMENT */
    size_t users;
    struct fovea_store_region *region; /* the memory that data lies in */
    struct fovea_store_entry *next;    /* of the same bucket */
};

enum fovea_status fovea_store_create(struct fovea_store **out, struct fovea_error *err);
/* Where the memory of entries comes from, before there are any; else from pages. */
void fovea_store_set_allocator(struct fovea_store *store, const struct fovea_allocator *allocator);
void fovea_store_destroy(struct fovea_store *store);

void fovea_store_enter(struct fovea_store *store);
void fovea_store_leave(struct fovea_store *store);

/* Whether there is an entry of that key. */
bool fovea_store_has(const struct fovea_store *store, const struct fovea_store_key *key);

/* The entry of that key with one more user; a new one (*made) has no data yet. */
enum fovea_status fovea_store_get(struct fovea_store *store, const struct fovea_store_key *key,
                                  struct fovea_store_entry **out, bool *made,
                                  struct fovea_error *err);

/* Give memory to those of `entries` that have no data: all in one region. */
enum fovea_status fovea_store_allocate(struct fovea_store *store,
                                       struct fovea_store_entry *const *entries, size_t count,
                                       struct fovea_error *err);

/* One user less; the last one takes the entry with it. */
void fovea_store_release(struct fovea_store *store, struct fovea_store_entry *entry);

#endif
