/* The first step of reading a zip archive (zip.h): finding its directory, from its end. */
#ifndef FOVEA_LOADERS_ZIP_END_H
#define FOVEA_LOADERS_ZIP_END_H

#include "runtime/error.h"

/* `count` members in `bytes` bytes from byte `start`, which are within the archive. */
struct fovea_zip_directory {
    uint64_t count, bytes, start;
};

enum fovea_status fovea_zip_find_directory(const void *bytes, size_t size,
                                           struct fovea_zip_directory *directory,
                                           struct fovea_error *err);

#endif
