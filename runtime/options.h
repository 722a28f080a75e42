/*
 * Structs of options as clients hand them over: of the size that their header
 * had, which may be shorter or longer than ours.
 */
#ifndef FOVEA_RUNTIME_OPTIONS_H
#define FOVEA_RUNTIME_OPTIONS_H

#include "runtime/error.h"

/*
 * Copy `given` (NULL: the defaults, zeros) into `out`, a struct of `size` bytes
 * that begins with its size. What `given` lacks is zero; FOVEA_ERR_UNSUPPORTED
 * if it sets something beyond `size`, FOVEA_ERR_INVALID if its size cannot be
 * one. `what` begins messages: "load options".
 */
enum fovea_status fovea_options_read(const void *given, void *out, size_t size, const char *what,
                                     struct fovea_error *err);

/* Copy `options`, a whole struct, back to `given`, as much as that has room for. */
void fovea_options_write(const void *options, void *given);

#endif
