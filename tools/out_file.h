/*
 * Files that appear whole or not at all: written beside their place under
 * another name, then renamed. A path that is there and is no regular file
 * (/dev/stdout, a pipe) is written to as it is.
 */
#ifndef FOVEA_TOOLS_OUT_FILE_H
#define FOVEA_TOOLS_OUT_FILE_H

#include "runtime/error.h"

#include <stdio.h>

struct out_file {
    FILE *stream;
    char *path;      /* where it is to appear */
    char *temporary; /* where it is now; NULL if written in place */
};

/* FOVEA_ERR_IO names the path. Zeroed on failure, so that abandoning is harmless. */
enum fovea_status out_file_init(struct out_file *file, const char *path, struct fovea_error *err);

/* Write out, close and put in place. Either way the file is finished with. */
enum fovea_status out_file_commit(struct out_file *file, struct fovea_error *err);

/* Close and remove what is there; nothing after a commit. */
void out_file_finish(struct out_file *file);

#endif
