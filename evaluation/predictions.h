/*
 * Files of predictions, read back: predictions.csv of a report, or any CSV
 * whose head names the columns `path` and `label` and `pred`, or `correct`.
 */
#ifndef FOVEA_EVALUATION_PREDICTIONS_H
#define FOVEA_EVALUATION_PREDICTIONS_H

#include "runtime/error.h"

struct eval_prediction {
    const char *path;   /* lent from the file's text, as is labels */
    const char *labels; /* joined by spaces; "" if there are none */
    int32_t label;      /* the first, or -1 */
    int32_t pred;       /* -1: not known */
    bool answered;      /* there is a prediction, or a verdict */
    bool scored;        /* answered, and there is something to be right about */
    bool right;
    size_t row; /* from 0 */
};

struct eval_predictions {
    struct eval_prediction *rows; /* by path; of equal paths in the order of the file */
    size_t n;
    char *text; /* the file, cut into fields */
};

/*
 * Read `path`, a CSV (RFC 4180; LF or CRLF) or a folder with a predictions.csv.
 * *out is the caller's to finish. Messages begin with the file.
 *
 * FOVEA_ERR_IO if it cannot be read; FOVEA_ERR_FORMAT, naming the line, if it is
 * not such a file.
 */
enum fovea_status eval_predictions_load(const char *path, struct eval_predictions *out,
                                        struct fovea_error *err);

/* A zeroed one is fine. */
void eval_predictions_finish(struct eval_predictions *predictions);

#endif
