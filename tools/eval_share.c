/* See eval_share.h. */
#include "tools/eval_share.h"

#include "tools/eval_pipeline.h"
#include "tools/options.h"
#include "tools/ranks.h"

#include <stdlib.h>

/* ---- environment -------------------------------------------------------------------- */

/* A number from 0 on; `fallback` where there is none. False if it is something else. */
static bool get_number(const char *name, size_t fallback, size_t *out) {
    const char *text = getenv(name);
    if (!text || !*text) {
        *out = fallback;
        return true;
    }
    return option_digits(&text, out) && !*text && *out < SIZE_MAX;
}

/* Share `id` of `count`, where ids begin at `low` and go up by `step`. */
static enum fovea_status settle(const char *source, bool good, size_t id, size_t low, size_t step,
                                size_t count, struct eval_shard *shard, struct fovea_error *err) {
    good = good && step > 0 && id >= low && (id - low) % step == 0;
    size_t index = good ? (id - low) / step : 0;
    if (!good || count < 1 || index >= count) {
        return fovea_fail(
            err, FOVEA_ERR_INVALID,
            "%s and what goes with it do not say which share this is: give --shard I/N "
            "(1/1: all)",
            source);
    }
    *shard = (struct eval_shard){index, count};
    return FOVEA_OK;
}

enum fovea_status eval_shard_from_environment(struct eval_shard *shard, const char **source,
                                              struct fovea_error *err) {
    size_t id, low = 0, step = 1, count;
    *source = NULL;
    if (getenv("SLURM_ARRAY_TASK_ID")) {
        *source = "SLURM_ARRAY_TASK_ID";
        bool good = get_number(*source, 0, &id) && get_number("SLURM_ARRAY_TASK_MIN", 0, &low) &&
                    get_number("SLURM_ARRAY_TASK_STEP", 1, &step) &&
                    get_number("SLURM_ARRAY_TASK_COUNT", 0, &count);
        return settle(*source, good, id, low, step, good ? count : 0, shard, err);
    }
    if (getenv("JOB_COMPLETION_INDEX")) {
        *source = "JOB_COMPLETION_INDEX";
        bool good = get_number(*source, 0, &id) && get_number("JOB_COMPLETIONS", 0, &count);
        return settle(*source, good, id, low, step, good ? count : 0, shard, err);
    }
    return FOVEA_OK;
}

/* ---- shares ------------------------------------------------------------------------- */

bool eval_shard_has(const struct eval_shard *shard, size_t index) {
    return shard->count <= 1 || index % shard->count == shard->index;
}

void eval_share_init(struct eval_share *share, const struct eval *eval) {
    *share = (struct eval_share){.eval = eval, .last = eval->ranks ? 0 : eval->list.count};
}

static bool is_left(const struct eval *eval, size_t index) {
    return eval->list.records[index].state == EVAL_NOT_DONE &&
           eval_shard_has(&eval->shard, index) && !(eval->elsewhere && eval->elsewhere[index]);
}

size_t eval_share_next(void *context) {
    struct eval_share *share = context;
    do {
        while (share->next < share->last) {
            size_t index = share->next++;
            if (is_left(share->eval, index)) {
                share->claimed++;
                return index;
            }
        }
    } while (share->eval->ranks &&
             ranks_next(share->eval->ranks, share->claimed, &share->next, &share->last));
    return EVAL_NO_IMAGE;
}
