/* What is alive: see alive.h. Nothing here allocates. */
#include "tests/inject/alive.h"

#include <execinfo.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { ROWS = 1 << 18, BUCKETS = 1 << 16 };

struct row {
    uintptr_t key;
    uint64_t bytes;
    int next; /* row of the same bucket, or of the free list, plus 1 */
    int frames;
    void *stack[ALIVE_FRAMES];
};

static struct row rows[ROWS];
static int buckets[BUCKETS], unused, fresh; /* row plus 1; rows below `fresh` have been used */
static long count;
static atomic_flag busy = ATOMIC_FLAG_INIT;

static void enter(void) {
    while (atomic_flag_test_and_set_explicit(&busy, memory_order_acquire)) {
    }
}

static void leave(void) {
    atomic_flag_clear_explicit(&busy, memory_order_release);
}

static int *bucket_of(uintptr_t key) {
    return &buckets[(key * UINT64_C(0x9e3779b97f4a7c15) >> 40) % BUCKETS];
}

void alive_clear(void) {
    enter();
    memset(buckets, 0, sizeof(buckets));
    unused = fresh = 0;
    count = 0;
    leave();
}

void alive_add(uintptr_t key, uint64_t bytes, bool with_stack) {
    enter();
    int at = unused;
    if (at) {
        unused = rows[at - 1].next;
    } else if (fresh < ROWS) {
        at = ++fresh;
    }
    if (at) {
        struct row *row = &rows[at - 1];
        int *bucket = bucket_of(key);
        row->key = key;
        row->bytes = bytes;
        row->next = *bucket;
        row->frames = with_stack ? backtrace(row->stack, ALIVE_FRAMES) : 0;
        *bucket = at;
    }
    count++;
    leave();
}

bool alive_remove(uintptr_t key) {
    bool found = false;
    enter();
    for (int *link = bucket_of(key); *link; link = &rows[*link - 1].next) {
        if (rows[*link - 1].key == key) {
            int at = *link;
            *link = rows[at - 1].next;
            rows[at - 1].next = unused;
            unused = at;
            count--;
            found = true;
            break;
        }
    }
    leave();
    return found;
}

long alive_count(void) {
    return count;
}

void alive_print(void) {
    int left = 8;
    for (int i = 0; i < BUCKETS && left > 0; i++) {
        for (int at = buckets[i]; at && left > 0; at = rows[at - 1].next, left--) {
            const struct row *row = &rows[at - 1];
            fprintf(stderr, "alive: %#jx, %ju bytes\n", (uintmax_t)row->key, (uintmax_t)row->bytes);
            backtrace_symbols_fd(row->stack, row->frames, STDERR_FILENO);
        }
    }
}
