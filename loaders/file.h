/*
 * Whole files into memory, without ever waiting on a pipe or a device.
 */
#ifndef FOVEA_LOADERS_FILE_H
#define FOVEA_LOADERS_FILE_H

#include "runtime/error.h"

/*
 * Open for reading: -1 and errno, or a descriptor to be closed. It does not wait
 * for whoever might write to a named pipe, and begins again if it is interrupted.
 */
int fovea_file_open(const char *path);

/*
 * The folder that `path` lies in, for openat and its like, but not to be read: -1 and errno, or a
 * descriptor to be closed. Begins again if it is interrupted.
 */
int fovea_file_open_folder(const char *path);

/*
 * Read `size` bytes from byte `at` of an open file, beginning again where that is interrupted or
 * falls short. 0 or an errno; *got is how many there are, fewer only where the file ends.
 */
int fovea_file_read_at(int fd, uint64_t at, void *out, size_t size, size_t *got);

/*
 * Read the regular file at `path`, of at most `max_size` bytes.
 *
 * On success *bytes is for the caller to free() and never NULL, even for an
 * empty file. Messages do not repeat the path: the caller, who knows what the
 * file is for, puts it in front.
 *
 * FOVEA_ERR_IO if it cannot be opened or read, or is no regular file: then
 * *os_error, unless os_error is NULL, is the errno (ENOENT: it does not exist)
 * or 0 where the system did not object. FOVEA_ERR_LIMIT over max_size.
 */
enum fovea_status fovea_file_read(const char *path, size_t max_size, uint8_t **bytes, size_t *size,
                                  int *os_error, struct fovea_error *err);

#endif
