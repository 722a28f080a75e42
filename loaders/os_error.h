/* What an errno of a call on a file means for whoever wanted the file. */
#ifndef FOVEA_LOADERS_OS_ERROR_H
#define FOVEA_LOADERS_OS_ERROR_H

#include "runtime/error.h"

/* There is no such file. */
bool fovea_is_absent(int os_error);

/* There is none, or it may not be reached: another try would end the same way. */
bool fovea_is_for_good(int os_error);

/* FOVEA_ERR_MEMORY for want of memory, else FOVEA_ERR_IO. */
enum fovea_status fovea_status_of_errno(int os_error);

#endif
