/*
 * The preprocessing options (preprocess_options.h) as rows of an option table.
 */
#ifndef FOVEA_TOOLS_PREPROCESS_ROWS_H
#define FOVEA_TOOLS_PREPROCESS_ROWS_H

#include "tools/options.h"
#include "tools/preprocess_options.h"

enum { MAX_PREPROCESS_ROWS = 24 };

/* Which option a row stands for. */
struct preprocess_row {
    struct fovea_preprocess_options *options;
    int code;
};

struct preprocess_rows {
    struct preprocess_row rows[MAX_PREPROCESS_ROWS];
    struct option_spec specs[MAX_PREPROCESS_ROWS + 1];
};

/* `options` is initialised, and lent to the rows. */
void preprocess_rows_init(struct preprocess_rows *rows, struct fovea_preprocess_options *options);

/* The group to put into a command's usage. */
struct option_group preprocess_rows_group(const struct preprocess_rows *rows);

#endif
