/*
 * A session: a model bound to input shapes, rewritten, planned and prepared.
 *
 *     clone -> bind inputs -> infer -> passes -> prepare -> plan -> allocate -> pack -> run
 *
 * prepare makes primitives, which say how much scratch they need; plan then
 * knows every byte, and memory limits are checked, before anything large is
 * allocated. For tools that show what is inside; clients use fovea.h.
 */
#ifndef FOVEA_RUNTIME_SESSION_H
#define FOVEA_RUNTIME_SESSION_H

#include "runtime/model.h"
#include "runtime/pass.h"
#include "runtime/plan.h"

/*
 * When a step of the latest run began and ended, by fovea_clock_seconds, if
 * options->profile. Each begins when the one before it ends: there are no gaps.
 */
struct fovea_step_time {
    const struct fovea_node *node;
    double begin, end;
};

/* Let the session destroy its model when it is destroyed. */
void fovea_session_take_model(struct fovea_session *session, struct fovea_model *model);

/* All borrowed from the session. */
const struct fovea_model *fovea_session_get_model(const struct fovea_session *session);
const char *fovea_session_get_options_text(const struct fovea_session *session); /* compiled.h */
int fovea_session_get_threads(const struct fovea_session *session);
const struct fovea_graph *fovea_session_get_graph(const struct fovea_session *session);
const struct fovea_plan *fovea_session_get_plan(const struct fovea_session *session);
const struct fovea_pass_log *fovea_session_get_pass_log(const struct fovea_session *session);

/*
 * Multiply-accumulates of convolutions, matrix products and attention in a run
 * of the graph as the file has it, constant parts folded away. Passes may find
 * ways to do with less.
 */
int64_t fovea_session_get_macs(const struct fovea_session *session);

/* Times of all steps in order; NULL and *count = 0 without options->profile. */
const struct fovea_step_time *fovea_session_get_step_times(const struct fovea_session *session,
                                                           size_t *count);

/*
 * Called after each step of a run, while the step's outputs hold what it
 * computed: the next step may write over them. value->t.data is in the order of
 * value->layout. A failure ends the run and is its result.
 */
typedef enum fovea_status (*fovea_step_fn)(void *context, const struct fovea_node *node,
                                           struct fovea_error *err);

/* Have runs call `step`; NULL: no longer. */
void fovea_session_watch(struct fovea_session *session, fovea_step_fn step, void *context);

/* Resident memory of this process, in bytes; 0 if not known. */
size_t fovea_resident_bytes(void);

/* The most that was resident since the program began, in bytes; 0 if not known. */
size_t fovea_peak_resident_bytes(void);

/* Whether it has memory and weights: not one of options->plan_only. */
bool fovea_session_can_run(const struct fovea_session *session);

/* What `asked` comes to on this CPU: F32 or BF16. */
enum fovea_precision fovea_precision_settle(enum fovea_precision asked);

/* Memory that may be taken at most by default: 80 % of what is available now, in bytes. */
size_t fovea_default_memory_limit(void);

#endif
