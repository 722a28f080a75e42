/* Pages over mmap: see pages.h. */
#include "runtime/pages.h"

#include <malloc.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

static size_t page_size(void) {
    return (size_t)sysconf(_SC_PAGESIZE);
}

static size_t rounded(size_t bytes) {
    size_t page = page_size();
    return (bytes ? bytes + page - 1 : page) / page * page;
}

void *fovea_pages_alloc(size_t bytes) {
    if (bytes > SIZE_MAX - page_size()) {
        return NULL;
    }
    size_t size = rounded(bytes);
    void *pages = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) {
        return NULL;
    }
    if (size >= FOVEA_PAGES_HUGE) {
        madvise(pages, size, MADV_HUGEPAGE); /* a wish: small pages do as well */
    }
    return pages;
}

void fovea_pages_free(void *pages, size_t bytes) {
    if (pages) {
        munmap(pages, rounded(bytes));
    }
}

void fovea_pages_forget(const void *data, size_t bytes) {
    size_t page = page_size(), before = (page - (uintptr_t)data % page) % page;
    if (before < bytes && bytes - before >= page) {
        madvise((char *)data + before, (bytes - before) / page * page, MADV_DONTNEED);
    }
}

void fovea_pages_trim(void) {
    malloc_trim(0);
}
