/* See bench_profile.h; the trace is in bench_trace.c. */
#include "tools/bench_profile.h"

#include "runtime/op.h"
#include "runtime/provenance.h"

#include <stdio.h>
#include <stdlib.h>

enum fovea_status profile_init(struct profile *profile, const struct fovea_session *session,
                               int runs, struct fovea_error *err) {
    struct profile p = {.session = session, .max_runs = runs};
    p.n_rows = fovea_session_get_plan(session)->n_steps + 2;
    p.stamps = calloc((size_t)runs, (p.n_rows + 1) * sizeof(*p.stamps));
    if (!p.stamps) {
        return fovea_fail_memory(err, (size_t)runs * (p.n_rows + 1) * sizeof(*p.stamps),
                                 "a profile");
    }
    *profile = p;
    return FOVEA_OK;
}

void profile_finish(struct profile *profile) {
    free(profile->stamps);
    *profile = (struct profile){0};
}

void profile_add(struct profile *profile, double begin, double end) {
    size_t count;
    const struct fovea_step_time *steps = fovea_session_get_step_times(profile->session, &count);
    if (profile->runs == profile->max_runs) {
        return;
    }
    double *stamps = profile->stamps + (size_t)profile->runs++ * (profile->n_rows + 1);
    *stamps++ = begin;
    *stamps++ = count > 0 ? steps[0].begin : end;
    for (size_t i = 0; i < count; i++) {
        *stamps++ = steps[i].end;
    }
    *stamps = end;
}

static double seconds_of(const struct profile *profile, size_t row) {
    double sum = 0;
    for (int run = 0; run < profile->runs; run++) {
        const double *stamps = profile->stamps + (size_t)run * (profile->n_rows + 1);
        sum += stamps[row + 1] - stamps[row];
    }
    return profile->runs > 0 ? sum / profile->runs : 0;
}

double profile_wall_seconds(const struct profile *profile) {
    double sum = 0;
    for (int run = 0; run < profile->runs; run++) {
        const double *stamps = profile->stamps + (size_t)run * (profile->n_rows + 1);
        sum += stamps[profile->n_rows] - stamps[0];
    }
    return profile->runs > 0 ? sum / profile->runs : 0;
}

double profile_steps_seconds(const struct profile *profile) {
    double sum = 0;
    for (size_t i = 0; i < profile->n_rows; i++) {
        sum += seconds_of(profile, i);
    }
    return sum;
}

struct profile_row profile_row(const struct profile *profile, size_t row) {
    size_t count;
    const struct fovea_step_time *steps = fovea_session_get_step_times(profile->session, &count);
    struct profile_row r = {.seconds = seconds_of(profile, row), .implementation = ""};
    if (row == 0 || row == profile->n_rows - 1) {
        r.name = row == 0 ? "(input)" : "(output)";
        return r;
    }
    const struct fovea_node *node = steps[row - 1].node;
    const char *implementation = fovea_node_implementation(node);
    r.node = node;
    r.name = node->type;
    r.gflop = 2e-9 * (double)fovea_node_macs(node);
    r.bytes = (double)fovea_node_bytes(node);
    r.implementation = implementation ? implementation : "";
    return r;
}

struct profile_nodes profile_nodes(const struct profile *profile, const struct fovea_node *node) {
    struct profile_nodes out;
    const struct fovea_graph *graph = fovea_session_get_graph(profile->session);
    const struct fovea_node *list[64];
    size_t room = sizeof(list) / sizeof(list[0]);
    size_t count = node ? fovea_provenance_of(graph, node, list, room) : 0;
    const char *first = count > 0 ? list[0]->name : node ? node->name : "";
    const char *last = count > 0 ? list[(count < room ? count : room) - 1]->name : "";
    if (count < 2) {
        snprintf(out.text, sizeof(out.text), "%s", fovea_quote(first).text);
    } else {
        snprintf(out.text, sizeof(out.text), "%.40s%s%.40s", fovea_quote(first).text,
                 count == 2 ? ", " : " .. ", fovea_quote(last).text);
    }
    return out;
}

/* ---- the table ------------------------------------------------------------- */

static void print_row(const struct profile *profile, const struct profile_row *row, double wall,
                      double limit) {
    char gflops[32] = "", share[32] = "", megabytes[32] = "", gbs[32] = "";
    if (row->gflop > 0 && row->seconds > 0) {
        snprintf(gflops, sizeof(gflops), "%.1f", row->gflop / row->seconds);
        snprintf(share, sizeof(share), "%.0f %%", 100 * row->gflop / row->seconds / limit);
    }
    if (row->bytes > 0 && row->seconds > 0) {
        snprintf(megabytes, sizeof(megabytes), "%.2f", row->bytes * 1e-6);
        snprintf(gbs, sizeof(gbs), "%.1f", row->bytes * 1e-9 / row->seconds);
    }
    printf("%9.3f %5.1f %8s %6s %8s %6s  %-18s %-20s %-24s %s\n", row->seconds * 1e3,
           wall > 0 ? 100 * row->seconds / wall : 0, gflops, share, megabytes, gbs, row->name,
           row->implementation, row->node ? fovea_shape_text(&row->node->out[0]->t).text : "",
           row->node ? profile_nodes(profile, row->node).text : "");
}

void profile_print(const struct profile *profile, const struct machine_limits *limits,
                   double flop_limit) {
    double wall = profile_wall_seconds(profile), sum = profile_steps_seconds(profile);
    printf("%9s %5s %8s %6s %8s %6s  %-18s %-20s %-24s %s\n", "ms", "%", "GFLOP/s", "limit", "MB",
           "GB/s", "step", "implementation", "result", "nodes of the file");
    for (size_t i = 0; i < profile->n_rows; i++) {
        struct profile_row row = profile_row(profile, i);
        print_row(profile, &row, wall, flop_limit);
    }
    printf("%9.3f ms in %zu steps, input and output; %.3f ms by the clock (%+.2f %%)\n", sum * 1e3,
           profile->n_rows - 2, wall * 1e3, wall > 0 ? 100 * (sum - wall) / wall : 0);
    printf("limits: %.1f GFLOP/s; memory %.1f GB/s read, %.1f GB/s copied; steps may run from "
           "caches\n",
           flop_limit, limits->read_gbs, limits->copy_gbs);
}

/* ---- JSON ------------------------------------------------------------------ */

static json_t *nodes_json(const struct profile *profile, const struct fovea_node *node) {
    const struct fovea_graph *graph = fovea_session_get_graph(profile->session);
    const struct fovea_node *list[256];
    size_t room = sizeof(list) / sizeof(list[0]);
    size_t count = fovea_provenance_of(graph, node, list, room);
    json_t *names = json_array();
    for (size_t i = 0; i < count && i < room; i++) {
        json_append(&names, json_text(list[i]->name));
    }
    return names;
}

json_t *profile_json(const struct profile *profile, double flop_limit) {
    json_t *list = json_array();
    for (size_t i = 0; i < profile->n_rows; i++) {
        struct profile_row row = profile_row(profile, i);
        double rate = row.seconds > 0 ? row.gflop / row.seconds : 0;
        json_append(&list,
                    json_pack("{s:o, s:s, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "name",
                              json_text(row.node ? row.node->name : row.name), "type", row.name,
                              "nodes", row.node ? nodes_json(profile, row.node) : json_array(),
                              "implementation", row.implementation, "seconds",
                              json_double(row.seconds), "gflop", json_double(row.gflop), "gflops",
                              json_double(rate), "share_of_limit", json_double(rate / flop_limit),
                              "bytes", json_double(row.bytes), "gbs",
                              json_double(row.seconds > 0 ? row.bytes * 1e-9 / row.seconds : 0)));
    }
    return list;
}
