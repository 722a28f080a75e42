/*
 * What is made of an evaluation: report.json for programs, predictions.csv
 * image by image, report.html for people, timings.json beside them.
 *
 * The bytes of report.json and predictions.csv follow from the description and
 * the records alone. report.html also shows the timings and small copies of
 * some images, where it is given them.
 */
#ifndef FOVEA_EVALUATION_REPORT_H
#define FOVEA_EVALUATION_REPORT_H

#include "evaluation/record.h"
#include "evaluation/summary.h"
#include "runtime/error.h"

#include <stdio.h>

/* How it was run, and how long it took: no part of what was found. 0 where not known. */
struct eval_timings {
    double seconds; /* from the first image to the last; of all runs together, if it was resumed */
    size_t images;  /* done in that time */
    int threads, streams, workers, ranks;
    int64_t batch;
    uint64_t peak_rss_bytes;
};

/*
 * Where the files of images can be read again, for thumbnails. `read` gives
 * the bytes of record `index`, to be freed; called by one thread at a time.
 */
struct eval_pictures {
    enum fovea_status (*read)(const void *context, size_t index, uint8_t **bytes, size_t *size,
                              struct fovea_error *err);
    const void *context;
};

/* All of it lent. */
struct eval_evidence {
    const struct eval_description *description;
    const struct eval_record *records; /* in the list's order */
    size_t n_records;
    const struct eval_timings *timings;   /* or NULL */
    const struct eval_pictures *pictures; /* or NULL: a gallery without pictures */
};

/*
 * Write report.json, predictions.csv, report.html, timings.json if there are
 * timings, and label-map.txt if the label doctor has one (else none is left)
 * into `folder`, which is made if its parent is there. Each file appears whole
 * or not at all; one that is there already is replaced. A picture that cannot be
 * read, or is not the file that was evaluated, is left out.
 *
 * FOVEA_ERR_IO names the file; FOVEA_ERR_INVALID if a record names a class
 * that the description does not have.
 */
enum fovea_status eval_report_write(const char *folder, const struct eval_evidence *evidence,
                                    struct fovea_error *err);

/* The one file: path,label,pred,correct,logit,prob,top5. Stream errors are the caller's to check.
 */
void eval_predictions_write(FILE *out, const struct eval_record *records, size_t n_records);

/* A page for a browser that needs nothing outside it. Stream errors are the caller's to check. */
enum fovea_status eval_page_write(FILE *out, const struct eval_evidence *evidence,
                                  const struct eval_summary *summary, struct fovea_error *err);

#endif
