/* See preprocess_rows.h. */
#include "tools/preprocess_rows.h"

static enum fovea_status take(const char *text, void *target, struct fovea_error *err) {
    const struct preprocess_row *row = target;
    return fovea_preprocess_options_take(row->options, row->code, text, err);
}

void preprocess_rows_init(struct preprocess_rows *rows, struct fovea_preprocess_options *options) {
    static const struct option longs[] = {FOVEA_PREPROCESS_LONG_OPTIONS};
    _Static_assert(sizeof(longs) / sizeof(longs[0]) <= MAX_PREPROCESS_ROWS, "too few rows");
    fovea_preprocess_options_init(options);
    *rows = (struct preprocess_rows){0};
    for (size_t i = 0; i < sizeof(longs) / sizeof(longs[0]); i++) {
        rows->rows[i] = (struct preprocess_row){options, longs[i].val};
        rows->specs[i] = (struct option_spec){
            .name = longs[i].name,
            .arg = longs[i].has_arg == required_argument ? "X" : NULL,
            .help = "",
            .parse = take,
            .target = &rows->rows[i],
        };
    }
}

struct option_group preprocess_rows_group(const struct preprocess_rows *rows) {
    return (struct option_group){"preprocessing", rows->specs, fovea_preprocess_options_help};
}
