/*
 * Memory in whole pages, from the system and at once back to it: for blocks so
 * large that malloc's habit of keeping them would be felt.
 */
#ifndef FOVEA_RUNTIME_PAGES_H
#define FOVEA_RUNTIME_PAGES_H

#include <stddef.h>

/* From here on pages of 2 MiB are worth asking for: fewer faults, fewer misses in a run. */
#define FOVEA_PAGES_HUGE ((size_t)4 << 20)

/* At least one page, zeroed, or NULL. Takes no memory until it is touched. */
void *fovea_pages_alloc(size_t bytes);
void fovea_pages_free(void *pages, size_t bytes);

/*
 * Tell the system that [data, data + bytes) of a file mapped read-only is not
 * needed for now: whole pages inside leave this process's memory, and come
 * back from the file when they are read again.
 */
void fovea_pages_forget(const void *data, size_t bytes);

/* Make free memory that malloc keeps the system's again. */
void fovea_pages_trim(void);

#endif
