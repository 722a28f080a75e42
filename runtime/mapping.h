/*
 * Bytes that a model is made from and that its constants may lie in: a file
 * that is mapped, or memory.
 */
#ifndef FOVEA_RUNTIME_MAPPING_H
#define FOVEA_RUNTIME_MAPPING_H

#include "runtime/error.h"

/* What the system says of a file's contents without reading them: changed, if any of it is. */
struct fovea_file_id {
    uint64_t device, inode, size;
    int64_t modified_ns, changed_ns;
};

enum fovea_mapping_kind {
    FOVEA_MAPPING_FILE, /* its pages come back when they are read */
    FOVEA_MAPPING_COPY, /* pages of ours */
    FOVEA_MAPPING_LENT, /* somebody else's memory */
};

/* Bytes that nobody changes, or (length 0) nothing. */
struct fovea_mapping {
    void *bytes;
    size_t length;
    struct fovea_file_id id; /* of a file */
    enum fovea_mapping_kind kind;
    struct fovea_allocator allocator; /* of a copy */
};

/* `length` bytes in memory: as they are there, or copied to a block (blocks.h). */
enum fovea_status fovea_mapping_of_memory(const void *bytes, size_t length, bool lent,
                                          const struct fovea_allocator *allocator,
                                          struct fovea_mapping *out, struct fovea_error *err);

/* Unmap or free; of what is lent, only forget where it is. */
void fovea_mapping_finish(struct fovea_mapping *mapping);

/* Let go of the pages of `size` bytes at `at`, in the mapping, if they come back. */
void fovea_mapping_forget(const struct fovea_mapping *mapping, const void *at, size_t size);

#endif
