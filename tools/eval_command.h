/*
 * What an evaluation does from its options to its exit code.
 */
#ifndef FOVEA_TOOLS_EVAL_COMMAND_H
#define FOVEA_TOOLS_EVAL_COMMAND_H

#include "tools/eval_output.h"
#include "tools/eval_run.h"
#include "tools/json_out.h"

/* What the command line asks for. */
struct evaluation {
    struct json_target json;
    struct classifier_options options;
    int workers, streams; /* streams: 0 not given */
    bool measure;         /* --streams auto */
    bool inexact;         /* --exact off */
    const char *predictions, *logits;
    bool merge;        /* --merge */
    const char *sweep; /* --sweep, or NULL */
    struct eval_output output;
    struct eval_list_options list;
    struct eval eval;
    int argc; /* of the command, for the line that goes on with it */
    char **argv;
};

/* eval.workers: as many as asked for, or as there are CPUs. */
void eval_command_set_workers(struct evaluation *evaluation);

/* What the exit status says of an evaluation that came to its end, or was stopped by a signal. */
int eval_command_exit_code(const struct eval *eval, const struct eval_counts *counts);

/* Evaluate operands MODEL DATASET; returns the exit code. */
int eval_command_run(struct evaluation *evaluation, const struct operands *operands);

/* --merge: no model and no images, just what there is of them, in the folders of the operands. */
int eval_command_merge(struct evaluation *evaluation, const struct operands *operands);

#endif
