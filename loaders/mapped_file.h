/*
 * Files that are read whole: opened without ever blocking, regular files
 * only, mapped read-only.
 */
#ifndef FOVEA_LOADERS_MAPPED_FILE_H
#define FOVEA_LOADERS_MAPPED_FILE_H

#include "runtime/model.h"

/*
 * Map the file at `path`, which has at most `most` bytes; unmap with
 * fovea_mapping_finish. An empty file gives length 0. Messages do not name
 * the path.
 */
enum fovea_status fovea_file_map(const char *path, uint64_t most, struct fovea_mapping *out,
                                 struct fovea_error *err);

/* The same of an open descriptor, which stays the caller's. */
enum fovea_status fovea_descriptor_map(int fd, uint64_t most, struct fovea_mapping *out,
                                       struct fovea_error *err);

void fovea_mapping_finish(struct fovea_mapping *mapping);

/* 80 % of the memory the machine or the cgroup has left: the default limit of parsing. */
size_t fovea_default_max_memory(void);

#endif
