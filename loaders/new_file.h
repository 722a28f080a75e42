/*
 * A file that appears under its name only when all of it is on the disk.
 */
#ifndef FOVEA_LOADERS_NEW_FILE_H
#define FOVEA_LOADERS_NEW_FILE_H

#include "runtime/model.h"

struct fovea_new_file {
    int folder, fd;
    char name[256], temporary[288]; /* in the folder */
};

/*
 * Open a new file beside `path`. What is at `path` is neither opened nor
 * followed; it is replaced by fovea_new_file_keep. A file that `model` (or NULL) is made
 * of is not to be replaced: FOVEA_ERR_INVALID. Messages do not name the path.
 */
enum fovea_status fovea_new_file_init(struct fovea_new_file *file, const char *path,
                                      const struct fovea_model *model, struct fovea_error *err);

/* Append. */
enum fovea_status fovea_new_file_write(struct fovea_new_file *file, const void *bytes, size_t size,
                                       struct fovea_error *err);

/* Write over the beginning. */
enum fovea_status fovea_new_file_write_start(struct fovea_new_file *file, const void *bytes,
                                             size_t size, struct fovea_error *err);

/* Give it its name, once it is on the disk. */
enum fovea_status fovea_new_file_keep(struct fovea_new_file *file, struct fovea_error *err);

/* Close it; unless it was kept, it is gone. */
void fovea_new_file_finish(struct fovea_new_file *file);

#endif
