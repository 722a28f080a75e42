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
 * Once every image of the list is in the journals of the folder: the report,
 * made of them and nothing else.
 */
enum fovea_status eval_output_report(const struct eval_output *output, const struct eval *eval,
                                     struct fovea_error *err);

/*
 * The report of journals in `count` folders into `into`. Says on stdout what it
 * comes to. *counts (lent records: none) is for the exit code.
 */
enum fovea_status eval_output_merge(char *const *folders, size_t count, const char *into,
                                    struct eval_counts *counts, struct fovea_error *err);

#endif
