/*
 * The SHA-256 of a file, and of which state of it.
 */
#ifndef FOVEA_LOADERS_FILE_DIGEST_H
#define FOVEA_LOADERS_FILE_DIGEST_H

#include "loaders/sha256.h"
#include "runtime/model.h"

/*
 * Digest the regular file at `path`. `id` (or NULL) gets its identity.
 * FOVEA_ERR_INVALID if it changed meanwhile. Messages do not name the path.
 */
enum fovea_status fovea_file_digest(const char *path, uint8_t digest[FOVEA_SHA256_SIZE],
                                    struct fovea_file_id *id, struct fovea_error *err);

#endif
