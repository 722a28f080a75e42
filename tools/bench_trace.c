/*
 * A profile as a trace for chrome://tracing and Perfetto: "X" events of the
 * Trace Event Format, times in microseconds since the first run began.
 */
#include "tools/bench_profile.h"

static json_t *step_args(const struct profile *profile, const struct profile_row *row) {
    if (!row->node) {
        return json_object();
    }
    return json_pack(
        "{s:o, s:s, s:o, s:o, s:s}", "nodes", json_text(profile_nodes(profile, row->node).text),
        "implementation", row->implementation, "flops", json_double(row->gflop * 1e9), "bytes",
        json_double(row->bytes), "result", fovea_shape_text(&row->node->out[0]->t).text);
}

/* One complete event; takes `args`. */
static json_t *event(const char *name, const char *category, double begin, double end,
                     json_t *args) {
    return json_pack("{s:o, s:s, s:s, s:i, s:i, s:o, s:o, s:o}", "name", json_text(name), "cat",
                     category, "ph", "X", "pid", 1, "tid", 1, "ts", json_double(begin * 1e6), "dur",
                     json_double((end - begin) * 1e6), "args", args);
}

static void add_run(const struct profile *profile, int run, json_t **events) {
    const double *stamps = profile->stamps + (size_t)run * (profile->n_rows + 1);
    double zero = profile->stamps[0];
    json_append(events, event("run", "run", stamps[0] - zero, stamps[profile->n_rows] - zero,
                              json_pack("{s:i}", "number", run + 1)));
    for (size_t i = 0; i < profile->n_rows; i++) {
        struct profile_row row = profile_row(profile, i);
        json_append(events, event(row.name, "step", stamps[i] - zero, stamps[i + 1] - zero,
                                  step_args(profile, &row)));
    }
}

json_t *profile_trace(const struct profile *profile, const char *model) {
    json_t *events = json_array();
    json_append(&events, json_pack("{s:s, s:s, s:i, s:{s:o}}", "name", "process_name", "ph", "M",
                                   "pid", 1, "args", "name", json_text(model)));
    for (int run = 0; run < profile->runs; run++) {
        add_run(profile, run, &events);
    }
    return json_pack("{s:s, s:o}", "displayTimeUnit", "ms", "traceEvents", events);
}
