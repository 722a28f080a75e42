/* What bench measured, in words and as JSON. */
#ifndef FOVEA_TOOLS_BENCH_REPORT_H
#define FOVEA_TOOLS_BENCH_REPORT_H

#include "tools/bench_profile.h"
#include "tools/classifier.h"

/* Times in seconds. */
struct bench_figures {
    const struct classifier *model; /* lent */
    int streams, threads;           /* threads of all streams together */
    size_t runs;                    /* that counted, of all streams */
    double load_s, first_s;
    double ready_at, first_at; /* by the clock: sessions made, first logits */
    double min, median, p90;   /* of a run */
    double images_per_s;       /* of all streams together */
    double gflop;              /* of one image, a multiply-add counted as two */
    struct machine_limits limits;
    size_t peak_rss, plan_bytes;
};

/* `profile` may be NULL. */
void bench_print(const struct bench_figures *figures, const struct profile *profile);
json_t *bench_json(const struct bench_figures *figures, const struct profile *profile);

#endif
