/*
 * The plan of a run: where in one arena every value lies, so that values
 * which are never alive together share memory.
 *
 * Inputs and outputs of the graph live in the arena as well; a run copies them
 * in and out. Views (FOVEA_OP_VIEW) share the memory of what they view, and
 * elementwise operators write over an operand that dies with them. Parts that
 * lie in one piece in a whole (a Split of the outermost dimension, the tokens
 * that a Concat puts after the class token) are made or read where the whole is.
 */
#ifndef FOVEA_RUNTIME_PLAN_H
#define FOVEA_RUNTIME_PLAN_H

#include "runtime/graph.h"

struct fovea_plan {
    size_t n_steps;        /* nodes, in order */
    size_t arena_bytes;    /* values */
    size_t scratch_bytes;  /* the most any one step needs */
    size_t constant_bytes; /* contents of constants that steps read */
    size_t packed_bytes;   /* weights in the form primitives prefer */
    /* For fovea_plan_peak; filled in by the session. */
    size_t base_bytes;      /* the process when it was planned: code, model, primitives */
    size_t new_bytes;       /* weights to be made: packed and plain, without what others made */
    size_t mapped_bytes;    /* constants that steps read where they lie in a file */
    size_t transient_bytes; /* that making them takes for the while */
};

/*
 * Give every value that is not constant an offset in the arena, or in another
 * value (value->alias_of). The graph's nodes are prepared: scratch and packed sizes
 * are known. Nothing is allocated for the values themselves.
 *
 * Offsets are found by going through the steps once with a list of free
 * ranges and taking the smallest that fits; time is linear in the steps for
 * the few ranges that networks leave free.
 */
enum fovea_status fovea_plan_graph(struct fovea_graph *graph, struct fovea_plan *out,
                                   struct fovea_error *err);

/* What a run works in: values and scratch, without weights. The "plan_bytes" of JSON. */
size_t fovea_plan_bytes(const struct fovea_plan *plan);

/*
 * The most resident memory the process is expected to have until after the
 * first run. Weights are made before a run touches the arena.
 */
size_t fovea_plan_peak(const struct fovea_plan *plan);

/* The value whose memory `value` shares: itself, or what it is an alias of. */
struct fovea_value *fovea_value_root(struct fovea_value *value);

/* Where a value that was planned begins in the arena, in bytes. */
size_t fovea_value_offset(const struct fovea_value *value);

#endif
