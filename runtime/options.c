/* Sized structs of options: see options.h. */
#include "runtime/options.h"

#include <string.h>

/* Over this, a size is rather an uninitialised struct's. */
enum { SIZE_MOST = 4096 };

static size_t size_of(const void *options) {
    size_t size;
    memcpy(&size, options, sizeof(size));
    return size;
}

static enum fovea_status check_rest(const unsigned char *given, size_t from, size_t to,
                                    const char *what, struct fovea_error *err) {
    for (size_t i = from; i < to; i++) {
        if (given[i] != 0) {
            return fovea_fail(
                err, FOVEA_ERR_UNSUPPORTED,
                "%s set a field at byte %zu of %zu; this library (%s) knows %zu bytes", what, i, to,
                FOVEA_VERSION, from);
        }
    }
    return FOVEA_OK;
}

enum fovea_status fovea_options_read(const void *given, void *out, size_t size, const char *what,
                                     struct fovea_error *err) {
    size_t theirs = given ? size_of(given) : 0;
    if (given && (theirs < sizeof(size_t) || theirs > SIZE_MOST)) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "%s of %zu bytes (their struct_size); they are filled by a _default "
                          "function first",
                          what, theirs);
    }
    enum fovea_status st = theirs > size ? check_rest(given, size, theirs, what, err) : FOVEA_OK;
    if (st) {
        return st;
    }
    memset(out, 0, size);
    if (given) {
        memcpy(out, given, theirs < size ? theirs : size);
    }
    memcpy(out, &size, sizeof(size));
    return FOVEA_OK;
}

void fovea_options_write(const void *options, void *given) {
    size_t ours = size_of(options), theirs = size_of(given);
    size_t least = ours < theirs ? ours : theirs;
    if (least > sizeof(size_t)) {
        memcpy((char *)given + sizeof(size_t), (const char *)options + sizeof(size_t),
               least - sizeof(size_t));
    }
}
