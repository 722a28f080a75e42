/* Mapped files and memory: see mapping.h. */
#include "runtime/mapping.h"

#include "runtime/blocks.h"
#include "runtime/pages.h"

#include <string.h>
#include <sys/mman.h>

enum fovea_status fovea_mapping_of_memory(const void *bytes, size_t length, bool lent,
                                          const struct fovea_allocator *allocator,
                                          struct fovea_mapping *out, struct fovea_error *err) {
    struct fovea_mapping mapping = {.length = length, .kind = FOVEA_MAPPING_LENT};
    if (lent || length == 0) {
        mapping.bytes = (void *)bytes;
        *out = mapping;
        return FOVEA_OK;
    }
    mapping.kind = FOVEA_MAPPING_COPY;
    mapping.allocator = allocator ? *allocator : (struct fovea_allocator){0};
    mapping.bytes = fovea_block_alloc(&mapping.allocator, length);
    if (!mapping.bytes) {
        return fovea_fail_memory(err, length, "a copy of the model");
    }
    memcpy(mapping.bytes, bytes, length);
    *out = mapping;
    return FOVEA_OK;
}

void fovea_mapping_finish(struct fovea_mapping *mapping) {
    if (mapping->length > 0 && mapping->kind == FOVEA_MAPPING_FILE) {
        munmap(mapping->bytes, mapping->length);
    } else if (mapping->length > 0 && mapping->kind == FOVEA_MAPPING_COPY) {
        fovea_block_free(&mapping->allocator, mapping->bytes, mapping->length);
    }
    *mapping = (struct fovea_mapping){0};
}

void fovea_mapping_forget(const struct fovea_mapping *mapping, const void *at, size_t size) {
    if (mapping->kind == FOVEA_MAPPING_FILE) {
        fovea_pages_forget(at, size);
    }
}
