/*
 * Tar archives, listed without extracting: the old format, ustar, GNU (long
 * names, numbers in base 256) and pax (path, linkpath, size).
 */
#ifndef FOVEA_LOADERS_TAR_H
#define FOVEA_LOADERS_TAR_H

#include "runtime/error.h"

enum { FOVEA_TAR_BLOCK = 512 };

enum fovea_tar_type {
    FOVEA_TAR_FILE,
    FOVEA_TAR_FOLDER,
    FOVEA_TAR_HARD_LINK, /* to the path of an entry before it */
    FOVEA_TAR_SYMBOLIC_LINK,
    FOVEA_TAR_OTHER, /* device, pipe, sparse file, or of no known type */
};

struct fovea_tar_entry {
    char *path; /* as the archive has it */
    char *link; /* where a link points, or NULL */
    enum fovea_tar_type type;
    uint64_t offset, size; /* of the content */
};

struct fovea_tar {
    struct fovea_tar_entry *entries; /* in the archive's order */
    size_t count, room;
};

/* Whether the first block of a file, FOVEA_TAR_BLOCK bytes, is a tar header. */
bool fovea_tar_is_header(const unsigned char *block);

/*
 * List the archive of `size` bytes that is open as `fd`, by pread alone. What
 * follows the end mark (two blocks of zeroes) is padding and must be zeroes;
 * an archive without the mark may end after any entry. Every entry's content
 * is within the file.
 *
 * FOVEA_ERR_FORMAT with the byte where it stops making sense, FOVEA_ERR_LIMIT
 * for names over 4096 bytes or more entries than FOVEA_LIMIT_TAR_ENTRIES.
 */
enum fovea_status fovea_tar_load(int fd, uint64_t size, struct fovea_tar *out,
                                 struct fovea_error *err);
void fovea_tar_finish(struct fovea_tar *tar);

#endif
