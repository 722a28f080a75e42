/*
 * The threads behind the one that speaks HTTP: some prepare requests (parse,
 * decode), one gathers what they made into batches and runs the model.
 */
#ifndef SERVICE_PIPELINE_H
#define SERVICE_PIPELINE_H

#include "job.h"
#include "options.h"

struct pipeline;

/* Called for each job when it has its answer or its logits; from any thread of the pipeline. */
typedef void pipeline_done_fn(void *context, struct job *job);

/* NULL if there is no memory, or no thread. `options` outlive it. */
struct pipeline *pipeline_create(const struct service_options *options, pipeline_done_fn *done,
                                 void *context);

/* When no job is on its way. */
void pipeline_destroy(struct pipeline *pipeline);

/* Does not wait. The job is the pipeline's until done is called. */
void pipeline_submit(struct pipeline *pipeline, struct job *job);

/* Nobody waits for this job, which was submitted and is not done. It will be done soon. */
void pipeline_cancel(struct pipeline *pipeline, struct job *job);

/* Jobs that wait. */
size_t pipeline_length(struct pipeline *pipeline);

#endif
