/*
 * What two runs have and do not have in common: verdict, text and JSON.
 */
#ifndef FOVEA_TOOLS_DIFF_REPORT_H
#define FOVEA_TOOLS_DIFF_REPORT_H

#include "tools/diff_lockstep.h"
#include "tools/json_out.h"

struct diff_name {
    const char *path, *precision, *passes;
};

/* NO_PAIR where there is none. */
#define NO_PAIR SIZE_MAX

struct diff {
    struct diff_name name_a, name_b;
    struct diff_trace a, b;
    struct diff_pair *pairs;
    struct diff_error *errors; /* of the pairs */
    size_t n_pairs;
    double bound; /* of rel_l2 */
    struct diff_error logits;
    int top_a, top_b; /* the best class of each, of the first image */
    /* Set by diff_judge. */
    size_t first;    /* the first pair beyond the bound after which nothing agrees */
    size_t before;   /* the last pair that `first` depends on and that agrees */
    size_t n_healed; /* pairs before it beyond the bound, of which something agrees after */
    size_t n_beyond; /* all pairs beyond the bound */
    size_t worst;
};

/*
 * Find the first pair that is beyond the bound and stays so: no pair that
 * depends on it is within. A pass may give a tensor another meaning (a factor
 * moved into the weights behind it), and what follows agrees again.
 */
enum fovea_status diff_judge(struct diff *diff, struct fovea_error *err);

/* Whether the runs agree: there is no such pair, and the logits are within the bound. */
bool diff_agrees(const struct diff *diff);

/* `all`: a line for every pair, not only for those that matter. */
void diff_print(const struct diff *diff, bool all);
json_t *diff_json(const struct diff *diff);

void diff_finish(struct diff *diff);

#endif
