/*
 * Files that are read or written whole. Reading: opened without ever
 * blocking, regular files only, mapped read-only.
 */
#ifndef FOVEA_LOADERS_MAPPED_FILE_H
#define FOVEA_LOADERS_MAPPED_FILE_H

#include "runtime/mapping.h"

#include <sys/stat.h>

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

/* The identity of an examined file, and whether two are of the same file, not changed since. */
void fovea_file_id_of(const struct stat *status, struct fovea_file_id *out);
bool fovea_file_id_same(const struct fovea_file_id *a, const struct fovea_file_id *b);

/*
 * Write a file of two parts, either of which may be empty. A file that could
 * not be written in full is removed again. Messages do not name the path.
 */
enum fovea_status fovea_file_save(const char *path, const void *head, size_t head_bytes,
                                  const void *body, size_t body_bytes, struct fovea_error *err);

#endif
