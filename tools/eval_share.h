/*
 * Which images of a list a run does: all, a shard, or what rank 0 hands out.
 */
#ifndef FOVEA_TOOLS_EVAL_SHARE_H
#define FOVEA_TOOLS_EVAL_SHARE_H

#include "tools/eval_run.h"

/*
 * The shard that a scheduler's environment says, with what said it in *source:
 * SLURM_ARRAY_TASK_ID (counted from SLURM_ARRAY_TASK_MIN by SLURM_ARRAY_TASK_STEP)
 * of SLURM_ARRAY_TASK_COUNT, or JOB_COMPLETION_INDEX of JOB_COMPLETIONS, as
 * Kubernetes' indexed jobs have it. *source NULL: none.
 * FOVEA_ERR_INVALID if the numbers make no sense.
 */
enum fovea_status eval_shard_from_environment(struct eval_shard *shard, const char **source,
                                              struct fovea_error *err);

/* What is left to do, one after another. */
struct eval_share {
    const struct eval *eval;
    size_t next, last; /* of the range at hand */
    size_t claimed;    /* images so far */
};

void eval_share_init(struct eval_share *share, const struct eval *eval);

/* The next index, or EVAL_NO_IMAGE: for struct pipeline_source; `context` is the share. */
size_t eval_share_next(void *context);

#endif
