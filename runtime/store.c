/* A table of packed weights, by key: see store.h. */
#include "runtime/store.h"

#include "runtime/blocks.h"
#include "runtime/parallel.h"
#include "runtime/tensor.h"

#include <stdlib.h>
#include <string.h>

struct fovea_store_region {
    void *pages;
    size_t bytes;
    size_t entries; /* that lie in it */
};

struct fovea_store {
    struct fovea_lock *lock;
    struct fovea_allocator allocator;
    struct fovea_store_entry **buckets; /* n_buckets, a power of two */
    size_t n_buckets, n_entries;
};

enum { FIRST_BUCKETS = 64 };

enum fovea_status fovea_store_create(struct fovea_store **out, struct fovea_error *err) {
    struct fovea_store *store = calloc(1, sizeof(*store));
    if (!store) {
        return fovea_fail_memory(err, sizeof(*store), "a store of weights");
    }
    store->lock = fovea_lock_create();
    store->buckets = calloc(FIRST_BUCKETS, sizeof(store->buckets[0]));
    store->n_buckets = FIRST_BUCKETS;
    if (!store->lock || !store->buckets) {
        fovea_store_destroy(store);
        return fovea_fail_memory(err, FIRST_BUCKETS * sizeof(store->buckets[0]),
                                 "a store of weights");
    }
    *out = store;
    return FOVEA_OK;
}

void fovea_store_set_allocator(struct fovea_store *store, const struct fovea_allocator *allocator) {
    store->allocator = *allocator;
}

void fovea_store_destroy(struct fovea_store *store) {
    if (!store) {
        return;
    }
    fovea_lock_destroy(store->lock);
    free(store->buckets);
    free(store);
}

void fovea_store_enter(struct fovea_store *store) {
    fovea_lock_enter(store->lock);
}

void fovea_store_leave(struct fovea_store *store) {
    fovea_lock_leave(store->lock);
}

static struct fovea_store_entry **bucket_of(const struct fovea_store *store,
                                            const struct fovea_store_key *key) {
    uint64_t hash = key->contents.low ^ key->form;
    return &store->buckets[hash & (store->n_buckets - 1)];
}

static bool same_key(const struct fovea_store_key *a, const struct fovea_store_key *b) {
    return fovea_digest_same(a->contents, b->contents) && a->form == b->form &&
           a->bytes == b->bytes;
}

/* Twice the buckets; without memory for them the table is only slower. */
static void grow(struct fovea_store *store) {
    struct fovea_store larger = *store;
    larger.n_buckets = 2 * store->n_buckets;
    larger.buckets = calloc(larger.n_buckets, sizeof(larger.buckets[0]));
    if (!larger.buckets) {
        return;
    }
    for (size_t i = 0; i < store->n_buckets; i++) {
        struct fovea_store_entry *next;
        for (struct fovea_store_entry *entry = store->buckets[i]; entry; entry = next) {
            struct fovea_store_entry **bucket = bucket_of(&larger, &entry->key);
            next = entry->next;
            entry->next = *bucket;
            *bucket = entry;
        }
    }
    free(store->buckets);
    *store = larger;
}

static struct fovea_store_entry *find(const struct fovea_store *store,
                                      const struct fovea_store_key *key) {
    struct fovea_store_entry *entry = *bucket_of(store, key);
    while (entry && !same_key(&entry->key, key)) {
        entry = entry->next;
    }
    return entry;
}

bool fovea_store_has(const struct fovea_store *store, const struct fovea_store_key *key) {
    return find(store, key) != NULL;
}

enum fovea_status fovea_store_get(struct fovea_store *store, const struct fovea_store_key *key,
                                  struct fovea_store_entry **out, bool *made,
                                  struct fovea_error *err) {
    struct fovea_store_entry *entry = find(store, key);
    *made = !entry;
    if (!entry) {
        entry = calloc(1, sizeof(*entry));
        if (!entry) {
            return fovea_fail_memory(err, sizeof(*entry), "packed weights");
        }
        if (store->n_entries >= store->n_buckets) {
            grow(store);
        }
        struct fovea_store_entry **bucket = bucket_of(store, key);
        entry->key = *key;
        entry->next = *bucket;
        *bucket = entry;
        store->n_entries++;
    }
    entry->users++;
    *out = entry;
    return FOVEA_OK;
}

static size_t rounded(size_t bytes) {
    size_t lines = (bytes + FOVEA_ALIGNMENT - 1) / FOVEA_ALIGNMENT;
    return (lines ? lines : 1) * FOVEA_ALIGNMENT;
}

enum fovea_status fovea_store_allocate(struct fovea_store *store,
                                       struct fovea_store_entry *const *entries, size_t count,
                                       struct fovea_error *err) {
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++) {
        bytes += entries[i]->data ? 0 : rounded(entries[i]->key.bytes);
    }
    if (bytes == 0) {
        return FOVEA_OK;
    }
    struct fovea_store_region *region = calloc(1, sizeof(*region));
    unsigned char *pages = region ? fovea_block_alloc(&store->allocator, bytes) : NULL;
    if (!pages) {
        free(region);
        return fovea_fail_memory(err, bytes, "packed weights");
    }
    region->pages = pages;
    region->bytes = bytes;
    for (size_t i = 0; i < count; i++) {
        if (!entries[i]->data) {
            entries[i]->data = pages;
            entries[i]->region = region;
            region->entries++;
            pages += rounded(entries[i]->key.bytes);
        }
    }
    return FOVEA_OK;
}

void fovea_store_release(struct fovea_store *store, struct fovea_store_entry *entry) {
    if (--entry->users > 0) {
        return;
    }
    struct fovea_store_entry **link = bucket_of(store, &entry->key);
    while (*link != entry) {
        link = &(*link)->next;
    }
    *link = entry->next;
    store->n_entries--;
    struct fovea_store_region *region = entry->region;
    if (region && --region->entries == 0) {
        fovea_block_free(&store->allocator, region->pages, region->bytes);
        free(region);
    }
    free(entry);
}
