/*
 * A file of a report as a stream: it appears under its name, whole and on the
 * disk, when it is kept, and not at all before.
 */
#ifndef FOVEA_EVALUATION_REPORT_FILE_H
#define FOVEA_EVALUATION_REPORT_FILE_H

#include "loaders/new_file.h"

#include <stdio.h>

struct eval_file {
    FILE *stream;
    char *path;
    struct fovea_new_file file;
    struct fovea_error error; /* of the first write that failed */
    bool open, failed;
};

/* `file` must stay where it is until it is finished with. FOVEA_ERR_IO names the path. */
enum fovea_status eval_file_init(struct eval_file *file, const char *folder, const char *name,
                                 struct fovea_error *err);

/* Either way the file is finished with. */
enum fovea_status eval_file_keep(struct eval_file *file, struct fovea_error *err);

/* Abandon it; nothing after it was kept. A zeroed one is fine. */
void eval_file_finish(struct eval_file *file);

#endif
