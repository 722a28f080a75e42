/*
 * Files that may lie beside a model, and were perhaps not written for us.
 */
#ifndef FOVEA_LOADERS_BESIDE_H
#define FOVEA_LOADERS_BESIDE_H

#include "runtime/error.h"

/*
 * The file `name` beside the model, of JSON: *bytes is for the caller to free(), or
 * NULL where there is none. One that could never be read (no regular file,
 * not permitted, too large) is as good as none: `why` then says why, and
 * else has the status FOVEA_OK.
 *
 * FOVEA_ERR_MEMORY or FOVEA_ERR_IO is what only went wrong now: were that as good
 * as none, too, a model would once be another.
 */
enum fovea_status fovea_beside_read(const char *model_path, const char *name, uint8_t **bytes,
                                    size_t *size, struct fovea_error *why, struct fovea_error *err);

#endif
