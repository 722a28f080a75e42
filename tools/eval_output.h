/*
 * The folder of an evaluation: its journal while it runs, the report when all
 * is done.
 */
#ifndef FOVEA_TOOLS_EVAL_OUTPUT_H
#define FOVEA_TOOLS_EVAL_OUTPUT_H

#include "evaluation/journal.h"
#include "tools/eval_run.h"

struct eval_output {
    const char *folder; /* lent; NULL: there is none, and nothing here does anything */
    bool resume;        /* go on with the journal that is there */
    bool retry;         /* and do again what failed or was missing */
    struct eval_journal *journal;
    char *path; /* of the journal */
    /* From eval_output_collect on, of all journals. */
    struct eval_description description;
    double seconds;
    size_t images;
};

/*
 * Make the folder, open the journal, and mark in eval->list what is done already.
 *
 * FOVEA_ERR_INVALID if there is a journal and resume is false, or it is of
 * another evaluation: the message names the difference.
 */
enum fovea_status eval_output_open(struct eval_output *output, struct eval *eval,
                                   struct fovea_error *err);

/* Have the journal on the disk. Safe if it was never opened. */
enum fovea_status eval_output_close(struct eval_output *output, struct fovea_error *err);

/*
 * After closing it: have the records of the list be what the journals of the
 * folder, and those of all ranks, have of them, and nothing else. Ranks but the
 * first send theirs. Nothing for a shard, which has no business with the others.
 */
enum fovea_status eval_output_collect(struct eval_output *output, struct eval *eval,
                                      struct fovea_error *err);

/* The report of what was collected, if that is everything. */
enum fovea_status eval_output_report(const struct eval_output *output, const struct eval *eval,
                                     struct fovea_error *err);

/* A zeroed one is fine. */
void eval_output_finish(struct eval_output *output);

/*
 * The report of journals in `count` folders into `into`. Says on stdout what it
 * comes to. *counts (lent records: none) is for the exit code.
 */
enum fovea_status eval_output_merge(char *const *folders, size_t count, const char *into,
                                    struct eval_counts *counts, struct fovea_error *err);

#endif
