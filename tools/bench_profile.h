/*
 * Where the time of a model goes, step by step: every run's times, the table
 * and the JSON made of them, and the trace for chrome://tracing or Perfetto.
 *
 * A run is cut into rows without gaps: pixels handed in, every step of the
 * graph, outputs handed back. So the rows of a run add up to its wall time.
 */
#ifndef FOVEA_TOOLS_BENCH_PROFILE_H
#define FOVEA_TOOLS_BENCH_PROFILE_H

#include "runtime/session.h"
#include "tools/json_out.h"
#include "tools/machine_limits.h"

struct profile {
    const struct fovea_session *session;
    size_t n_rows;  /* steps and two */
    double *stamps; /* [max_runs, n_rows + 1]: when each row began, and the last one ended */
    int runs, max_runs;
};

/* What a row is, and what it came to over all runs. */
struct profile_row {
    const struct fovea_node *node; /* NULL: input or output */
    const char *name;              /* of the operator, or "(input)", "(output)" */
    double seconds;                /* of a run, on average */
    double gflop;                  /* of a run, a multiply-add counted as two; 0: not counted */
    double bytes;                  /* that a run moves at least; 0 for views */
    const char *implementation;    /* "" where it has no name */
};

/* Room for `runs` runs of a session made with options->profile, which outlives the profile. */
enum fovea_status profile_init(struct profile *profile, const struct fovea_session *session,
                               int runs, struct fovea_error *err);

/* Note the run just made, which began and ended then. */
void profile_add(struct profile *profile, double begin, double end);

/* Of a run on average: by the clock, and the sum of the rows. */
double profile_wall_seconds(const struct profile *profile);
double profile_steps_seconds(const struct profile *profile);

struct profile_row profile_row(const struct profile *profile, size_t row);

/* "a", "a, b" or "a .. z (9)": the nodes of the file that a row does the work of. */
struct profile_nodes {
    char text[96];
};
struct profile_nodes profile_nodes(const struct profile *profile, const struct fovea_node *node);

/* All the rows on stdout, against the limits, and their sum against the wall time. */
void profile_print(const struct profile *profile, const struct machine_limits *limits,
                   double flop_limit);

/* A list with an object a row. */
json_t *profile_json(const struct profile *profile, double flop_limit);

/* An event for every row of every run, in the Trace Event Format. */
json_t *profile_trace(const struct profile *profile, const char *model);

/* A zeroed one is fine. */
void profile_finish(struct profile *profile);

#endif
