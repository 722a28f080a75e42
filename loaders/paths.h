/* Paths of files that name each other. Those made are for the caller to free; NULL: no memory. */
#ifndef FOVEA_LOADERS_PATHS_H
#define FOVEA_LOADERS_PATHS_H

#include <stdbool.h>

/* Whether a path or name ends in `ending`, with something before it. */
bool fovea_path_ends_in(const char *path, const char *ending);

/* `relative` seen from the folder of `file`; as it stands if it is absolute. */
char *fovea_path_beside(const char *file, const char *relative);

/* The file that a model at `model` has at `location` (struct fovea_source). */
char *fovea_path_of_source(const char *model, const char *location);

/*
 * How to get from the folder of `from` (which need not exist itself) to the
 * existing file `to`. Also NULL if one of them is not there.
 */
char *fovea_path_relative(const char *from, const char *to);

#endif
