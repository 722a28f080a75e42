/* Large blocks of memory: see blocks.h. */
#include "runtime/blocks.h"

#include "runtime/pages.h"
#include "runtime/tensor.h"

void *fovea_block_alloc(const struct fovea_allocator *allocator, size_t bytes) {
    if (!allocator->allocate) {
        return fovea_pages_alloc(bytes);
    }
    return allocator->allocate(allocator->context, bytes ? bytes : 1, FOVEA_ALIGNMENT);
}

void fovea_block_free(const struct fovea_allocator *allocator, void *block, size_t bytes) {
    if (!allocator->allocate) {
        fovea_pages_free(block, bytes);
    } else if (block) {
        allocator->release(allocator->context, block, bytes ? bytes : 1);
    }
}
