/*
 * Graph passes: functions that rewrite a graph into one that computes the same
 * with fewer and larger steps.
 *
 * A pass sees an inferred graph and leaves an inferred one. It counts what it
 * did and notes what it nearly did; results with and without any pass agree
 * to rounding. Each can be switched off by name.
 */
#ifndef FOVEA_RUNTIME_PASS_H
#define FOVEA_RUNTIME_PASS_H

#include "runtime/engine.h"
#include "runtime/graph.h"

#define FOVEA_MAX_PASSES 24

/* A log is to be read by people; a graph of any size must not make one of any size. */
#define FOVEA_MAX_PASS_NOTES 8192

/* How often a pass did something, and nearly did. */
struct fovea_pass_result {
    const char *name;
    size_t count;
    size_t misses;
};

/* One thing that a pass did (`fired`), or nearly did, and to which node. */
struct fovea_pass_note {
    const char *pass;
    bool fired;
    char text[224]; /* "'name' (Type): what became of it, or why not" */
};

/* Zeroed by the owner, who calls fovea_pass_log_finish. Notes are in the order of their making. */
struct fovea_pass_log {
    struct fovea_pass_result results[FOVEA_MAX_PASSES];
    size_t n_results;
    struct fovea_pass_note *notes;
    size_t n_notes, cap_notes;
    size_t n_dropped; /* notes beyond the most that are kept */
};

/* What a pass gets besides the graph. */
struct fovea_pass_context {
    struct fovea_engine *engine;
    struct fovea_pass_result *result; /* count and misses of this pass */
    struct fovea_pass_log *log;
};

typedef enum fovea_status (*fovea_pass_fn)(struct fovea_graph *graph,
                                           struct fovea_pass_context *context,
                                           struct fovea_error *err);

struct fovea_pass {
    const char *name;
    const char *help; /* one line: what it makes of what */
    fovea_pass_fn run;
};

/* All passes in the order they run. */
const struct fovea_pass *fovea_pass_table(size_t *count);

/*
 * Run the passes that `selection` names: "on" (or NULL) all, "off" none, else
 * names separated by commas. "precision" runs in
 * sessions of bf16 precision whatever that says, and in no other. An unknown name is
 * FOVEA_ERR_INVALID.
 */
enum fovea_status fovea_passes_run(struct fovea_graph *graph, struct fovea_engine *engine,
                                   const char *selection, struct fovea_pass_log *log,
                                   struct fovea_error *err);

void fovea_pass_log_finish(struct fovea_pass_log *log);

/* A copy, but for the passes' names, which must outlive it. `out` is zeroed by the owner. */
enum fovea_status fovea_pass_log_copy(const struct fovea_pass_log *log, struct fovea_pass_log *out,
                                      struct fovea_error *err);

/* Count and record that a pass rewrote `node`, and what became of it. */
void fovea_pass_hit(struct fovea_pass_context *context, const struct fovea_node *node,
                    const char *what);

/* Count and record that a pass nearly rewrote `node`, and why it did not. */
void fovea_pass_miss(struct fovea_pass_context *context, const struct fovea_node *node,
                     const char *why);

#endif
