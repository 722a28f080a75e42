/*
 * The part of an evaluation where models run: one or several streams take
 * images in the dataset's order, and note what came of each.
 */
#ifndef FOVEA_TOOLS_EVAL_STREAMS_H
#define FOVEA_TOOLS_EVAL_STREAMS_H

#include "tools/eval_pipeline.h"
#include "tools/eval_run.h"

#include <signal.h>

/*
 * Run all images of `pipeline`, or as many as there were before *stop was set.
 *
 * With eval->choose, settings of streams, threads and batch are measured on the
 * first images, whose results count like all others, and the fastest does the
 * rest; eval->setting then says which. Where the first setting would be done
 * with everything in a moment, it is kept (but for always_measure).
 */
enum fovea_status eval_streams_run(struct eval *eval, struct pipeline *pipeline,
                                   const volatile sig_atomic_t *stop, struct fovea_error *err);

#endif
