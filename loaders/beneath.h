/*
 * Files that another file names: they lie in its folder, or below.
 *
 * The location is text of unknown origin. One rule keeps it in the folder,
 * applied by the kernel while it opens the file, so that there is no moment
 * between check and use: no step leads upwards, no link is followed. The
 * descriptor so opened is the one whose size is checked and that is mapped.
 */
#ifndef FOVEA_LOADERS_BENEATH_H
#define FOVEA_LOADERS_BENEATH_H

#include "runtime/model.h"

/* The folder of the file at `path`, to be closed; -1 if there is none, with the error set. */
int fovea_beneath_open_folder(const char *path, struct fovea_error *err);

/*
 * Map the file at `location` within an open folder. `allow_links`: it may be
 * reached by symbolic links and have several names. `what` begins messages
 * ("external", as in "external location 'x' ...").
 */
enum fovea_status fovea_beneath_map(int folder, const char *location, bool allow_links,
                                    const char *what, struct fovea_mapping *out,
                                    struct fovea_error *err);

#endif
