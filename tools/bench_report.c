/* See bench_report.h. */
#include "tools/bench_report.h"

#include <stdio.h>

static double achieved(const struct bench_figures *f) {
    return f->gflop * f->images_per_s;
}

/* The limits that the run was not compared with. */
static void print_limits(const struct machine_limits *limits) {
    const struct {
        const char *name, *by;
        double rate;
    } rows[] = {{"bf16", limits->bf16_by, limits->bf16}, {"int8", limits->int8_by, limits->int8}};
    printf("other limits:");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].by) {
            printf(" %s %.1f (%s),", rows[i].name, rows[i].rate, rows[i].by);
        } else {
            printf(" %s none,", rows[i].name);
        }
    }
    printf(" memory %.1f GB/s read, %.1f GB/s copied\n", limits->read_gbs, limits->copy_gbs);
}

void bench_print(const struct bench_figures *f, const struct profile *profile) {
    const struct classifier *m = f->model;
    printf("batch %lld at %dx%d, ", (long long)m->batch, m->recipe.height, m->recipe.width);
    if (f->streams > 1) {
        printf("%d streams, ", f->streams);
    }
    printf("%d thread%s, f32\n", f->threads, f->threads == 1 ? "" : "s");
    printf("load %.3f s, first run %.3f s\n", f->load_s, f->first_s);
    printf("latency min %.2f ms, median %.2f ms, p90 %.2f ms over %zu runs\n", f->min * 1e3,
           f->median * 1e3, f->p90 * 1e3, f->runs);
    printf("%.2f images/s\n", f->images_per_s);
    printf("%.3f GFLOP an image, %.1f GFLOP/s, %.1f %% of the limit of %.1f (f32, %s)\n", f->gflop,
           achieved(f), 100 * achieved(f) / f->limits.f32, f->limits.f32, f->limits.f32_by);
    print_limits(&f->limits);
    printf("peak RSS %.1f MB, plan %.1f MB\n", (double)f->peak_rss * 1e-6,
           (double)f->plan_bytes * 1e-6);
    if (profile) {
        profile_print(profile, &f->limits, f->limits.f32);
    }
}

static json_t *limits_json(const struct machine_limits *limits) {
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "f32", json_double(limits->f32), "bf16",
                     limits->bf16_by ? json_double(limits->bf16) : json_null(), "int8",
                     limits->int8_by ? json_double(limits->int8) : json_null(), "read_gbs",
                     json_double(limits->read_gbs), "copy_gbs", json_double(limits->copy_gbs));
}

/* What was run. */
static json_t *setting_json(const struct bench_figures *f) {
    const struct classifier *m = f->model;
    return json_pack("{s:o, s:[i,i], s:I, s:i, s:i, s:s}", "model", json_text(m->path), "size",
                     m->recipe.height, m->recipe.width, "batch", (json_int_t)m->batch, "streams",
                     f->streams, "threads", f->threads, "precision", "f32");
}

static json_t *results_json(const struct bench_figures *f) {
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:{s:o, s:o, s:o}, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:I}", "load_s",
        json_double(f->load_s), "first_s", json_double(f->first_s), "ready_at",
        json_double(f->ready_at), "first_at", json_double(f->first_at), "latency_s", "min",
        json_double(f->min), "median", json_double(f->median), "p90", json_double(f->p90),
        "images_per_s", json_double(f->images_per_s), "gflop_per_image", json_double(f->gflop),
        "gflops", json_double(achieved(f)), "limit_gflops", json_double(f->limits.f32),
        "share_of_limit", json_double(achieved(f) / f->limits.f32), "limits",
        limits_json(&f->limits), "peak_rss_bytes", (json_int_t)f->peak_rss, "plan_bytes",
        (json_int_t)f->plan_bytes);
}

static json_t *steps_json(const struct bench_figures *f, const struct profile *profile) {
    return json_pack("{s:o, s:o, s:o}", "steps", profile_json(profile, f->limits.f32), "steps_s",
                     json_double(profile_steps_seconds(profile)), "wall_s",
                     json_double(profile_wall_seconds(profile)));
}

json_t *bench_json(const struct bench_figures *f, const struct profile *profile) {
    json_t *root = setting_json(f);
    json_t *const parts[] = {results_json(f), profile ? steps_json(f, profile) : json_object()};
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (!parts[i] || (root && json_object_update(root, parts[i]))) {
            json_decref(root);
            root = NULL;
        }
        json_decref(parts[i]);
    }
    return root;
}
