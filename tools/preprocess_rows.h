/*
 * The preprocessing options (preprocess_options.h) as rows of an option table.
 */
#ifndef FOVEA_TOOLS_PREPROCESS_ROWS_H
#define FOVEA_TOOLS_PREPROCESS_ROWS_H

#include "tools/options.h"
#include "tools/preprocess_options.h"

enum { N_RECIPE_ROWS = 15, N_JPEG_ROWS = 4 };

struct preprocess_rows {
    struct option_spec specs[N_RECIPE_ROWS + N_JPEG_ROWS + 1];
};

/* `options` is initialised, and lent to the rows; it keeps strings of argv, not copies. */
void preprocess_rows_init(struct preprocess_rows *rows, struct fovea_preprocess_options *options);

/* The row of --size alone. */
struct option_spec preprocess_size_row(struct fovea_preprocess_options *options);

/* The group to put into a command's usage. */
struct option_group preprocess_rows_group(const struct preprocess_rows *rows);

#endif
