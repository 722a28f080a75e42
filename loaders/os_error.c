/* Meanings of errno: see os_error.h. */
#include "loaders/os_error.h"

#include <errno.h>

bool fovea_is_absent(int os_error) {
    return os_error == ENOENT || os_error == ENOTDIR || os_error == ENAMETOOLONG;
}

bool fovea_is_for_good(int os_error) {
    return fovea_is_absent(os_error) || os_error == EACCES || os_error == EPERM ||
           os_error == ELOOP || os_error == ENXIO;
}

enum fovea_status fovea_status_of_errno(int os_error) {
    return os_error == ENOMEM ? FOVEA_ERR_MEMORY : FOVEA_ERR_IO;
}
