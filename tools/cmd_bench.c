/* fovea bench: how fast a model runs here, beside what the machine could do. */
#include "tools/commands.h"

#include "runtime/clock.h"
#include "runtime/parallel.h"
#include "tools/bench_profile.h"
#include "tools/classifier.h"
#include "tools/exit_codes.h"
#include "tools/json_out.h"
#include "tools/preprocess_rows.h"
#include "tools/say.h"

#include <stdio.h>
#include <stdlib.h>

/* What the command line asks for. */
struct bench {
    struct json_target json, trace;
    struct classifier_options options;
    int runs, warmup;
    struct classifier model;
    struct profile profile; /* with options.model.profile */
};

/* What was measured; times in seconds. */
struct figures {
    double load_s, first_s;
    double ready_at, first_at; /* by the clock: session made, first logits */
    double min, median, p90;
    double gflop; /* of one image, a multiply-add counted as two */
    struct machine_limits limits;
    int threads;
    size_t peak_rss, plan_bytes;
};

/* Numbers in [-2, 2), as normalised pixels are; the same ones every time. */
static void fill_pixels(struct classifier *model) {
    size_t count = model->image_floats * (size_t)model->batch;
    for (size_t i = 0; i < count; i++) {
        model->pixels[i] = (float)(i * 7919 % 1000) / 250.0f - 2.0f;
    }
}

static int compare_doubles(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static enum fovea_status time_run(struct bench *b, bool counts, double *seconds,
                                  struct fovea_error *err) {
    double start = fovea_clock_seconds();
    enum fovea_status st = classifier_run(&b->model, err);
    double end = fovea_clock_seconds();
    if (!st && counts && b->options.model.profile) {
        profile_add(&b->profile, start, end);
    }
    *seconds = end - start;
    return st;
}

/* The runs that count, after the first and the warm-up; `times` has room for them. */
static enum fovea_status time_runs(struct bench *b, double *times, struct figures *f,
                                   struct fovea_error *err) {
    double ignored;
    enum fovea_status st = time_run(b, false, &f->first_s, err);
    f->first_at = fovea_clock_seconds();
    for (int i = 1; !st && i < b->warmup; i++) {
        st = time_run(b, false, &ignored, err);
    }
    for (int i = 0; !st && i < b->runs; i++) {
        st = time_run(b, true, &times[i], err);
    }
    if (st) {
        return st;
    }
    qsort(times, (size_t)b->runs, sizeof(*times), compare_doubles);
    f->min = times[0];
    f->median =
        b->runs % 2 ? times[b->runs / 2] : (times[b->runs / 2 - 1] + times[b->runs / 2]) / 2;
    f->p90 = times[(b->runs * 9 + 9) / 10 - 1];
    return FOVEA_OK;
}

/*
 * The most memory that was resident since the program began, in bytes; 0 if
 * nobody says. getrusage would count what our parent had when it started us.
 */
static size_t peak_rss(void) {
    char line[128];
    size_t kib = 0;
    FILE *file = fopen("/proc/self/status", "re");
    while (file && kib == 0 && fgets(line, sizeof(line), file)) {
        sscanf(line, "VmHWM: %zu kB", &kib);
    }
    if (file) {
        fclose(file);
    }
    return kib * 1024;
}

static enum fovea_status measure(struct bench *b, struct figures *f, struct fovea_error *err) {
    double start = fovea_clock_seconds();
    enum fovea_status st = classifier_init(&b->model, &b->options, err);
    if (st) {
        return st;
    }
    f->ready_at = fovea_clock_seconds();
    f->load_s = f->ready_at - start;
    if (b->options.model.profile) {
        st = profile_init(&b->profile, b->model.session, b->runs, err);
    }
    double *times = calloc((size_t)b->runs, sizeof(*times));
    if (!times) {
        return fovea_fail_memory(err, (size_t)b->runs * sizeof(*times), "times");
    }
    fill_pixels(&b->model);
    st = st ? st : time_runs(b, times, f, err);
    free(times);
    if (st) {
        return st;
    }
    /* Before the limits are measured, which takes memory of its own. */
    f->peak_rss = peak_rss();
    f->plan_bytes = fovea_plan_bytes(fovea_session_get_plan(b->model.session));
    f->gflop = 2e-9 * (double)fovea_session_get_macs(b->model.session) / (double)b->model.batch;
    f->threads = b->options.model.threads ? b->options.model.threads : fovea_cpu_budget();
    machine_limits_measure(f->threads, &f->limits);
    return FOVEA_OK;
}

/* ---- results ------------------------------------------------------------- */

static double achieved(const struct bench *b, const struct figures *f) {
    return f->gflop * (double)b->model.batch / f->median;
}

/* What a run is compared with: the limit of its precision; f32's on a CPU that has none for bf16.
 */
static bool is_bf16_limited(const struct bench *b, const struct figures *f) {
    return fovea_session_precision(b->model.session) == FOVEA_PRECISION_BF16 && f->limits.bf16_by;
}

static double limit_of(const struct bench *b, const struct figures *f) {
    return is_bf16_limited(b, f) ? f->limits.bf16 : f->limits.f32;
}

/* The limits that the run was not compared with. */
static void print_limits(const struct machine_limits *limits, bool bf16_limited) {
    const struct row {
        const char *name, *by;
        double rate;
    } f32 = {"f32", limits->f32_by, limits->f32}, bf16 = {"bf16", limits->bf16_by, limits->bf16},
      rows[] = {bf16_limited ? f32 : bf16, {"int8", limits->int8_by, limits->int8}};
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

static void print_figures(const struct bench *b, const struct figures *f) {
    printf("batch %lld at %dx%d, %d thread%s, %s\n", (long long)b->model.batch,
           b->model.recipe.height, b->model.recipe.width, f->threads, f->threads == 1 ? "" : "s",
           precision_name(fovea_session_precision(b->model.session)));
    printf("load %.3f s, first run %.3f s\n", f->load_s, f->first_s);
    printf("latency min %.2f ms, median %.2f ms, p90 %.2f ms over %d runs\n", f->min * 1e3,
           f->median * 1e3, f->p90 * 1e3, b->runs);
    printf("%.2f images/s\n", (double)b->model.batch / f->median);
    printf("%.3f GFLOP an image, %.1f GFLOP/s, %.1f %% of the limit of %.1f (%s, %s)\n", f->gflop,
           achieved(b, f), 100 * achieved(b, f) / limit_of(b, f), limit_of(b, f),
           is_bf16_limited(b, f) ? "bf16" : "f32",
           is_bf16_limited(b, f) ? f->limits.bf16_by : f->limits.f32_by);
    print_limits(&f->limits, is_bf16_limited(b, f));
    printf("peak RSS %.1f MB, plan %.1f MB\n", (double)f->peak_rss * 1e-6,
           (double)f->plan_bytes * 1e-6);
}

static json_t *limits_json(const struct machine_limits *limits) {
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "f32", json_double(limits->f32), "bf16",
                     limits->bf16_by ? json_double(limits->bf16) : json_null(), "int8",
                     limits->int8_by ? json_double(limits->int8) : json_null(), "read_gbs",
                     json_double(limits->read_gbs), "copy_gbs", json_double(limits->copy_gbs));
}

static json_t *figures_json(const struct bench *b, const struct figures *f) {
    json_t *root = json_pack(
        "{s:o, s:[i,i], s:I, s:i, s:s, s:o, s:o, s:o, s:o, s:{s:o, s:o, s:o}, s:o, s:o, s:o, s:o, "
        "s:o, s:o, "
        "s:I, s:I}",
        "model", json_text(b->options.path), "size", b->model.recipe.height, b->model.recipe.width,
        "batch", (json_int_t)b->model.batch, "threads", f->threads, "precision",
        precision_name(fovea_session_precision(b->model.session)), "load_s", json_double(f->load_s),
        "first_s", json_double(f->first_s), "ready_at", json_double(f->ready_at), "first_at",
        json_double(f->first_at), "latency_s", "min", json_double(f->min), "median",
        json_double(f->median), "p90", json_double(f->p90), "images_per_s",
        json_double((double)b->model.batch / f->median), "gflop_per_image", json_double(f->gflop),
        "gflops", json_double(achieved(b, f)), "limit_gflops", json_double(limit_of(b, f)),
        "share_of_limit", json_double(achieved(b, f) / limit_of(b, f)), "limits",
        limits_json(&f->limits), "peak_rss_bytes", (json_int_t)f->peak_rss, "plan_bytes",
        (json_int_t)f->plan_bytes);
    if (root && b->options.model.profile) {
        json_object_set_new(root, "steps", profile_json(&b->profile, limit_of(b, f)));
        json_object_set_new(root, "steps_s", json_double(profile_steps_seconds(&b->profile)));
        json_object_set_new(root, "wall_s", json_double(profile_wall_seconds(&b->profile)));
    }
    return root;
}

static int run_bench(struct bench *b) {
    struct fovea_error err;
    struct figures figures = {0};
    if (measure(b, &figures, &err)) {
        return say_failure("bench", &err);
    }
    if (json_target_wants_text(&b->json)) {
        print_figures(b, &figures);
        if (b->options.model.profile) {
            profile_print(&b->profile, &figures.limits, limit_of(b, &figures));
        }
    }
    json_t *trace = b->trace.path ? profile_trace(&b->profile, b->options.path) : NULL;
    if (b->trace.path && json_target_write(&b->trace, trace, &err)) {
        return say_failure("bench", &err);
    }
    json_t *root = b->json.on ? figures_json(b, &figures) : NULL;
    return json_target_write(&b->json, root, &err) ? say_failure("bench", &err) : EXIT_DONE;
}

static enum fovea_status parse_profile(const char *text, void *target, struct fovea_error *err) {
    struct bench *b = target;
    (void)err;
    b->options.model.profile = true;
    b->trace = (struct json_target){.on = text != NULL, .path = text};
    return FOVEA_OK;
}

int cmd_bench(int argc, char **argv) {
    struct bench b = {.runs = 10, .warmup = 2, .options = {.default_batch = 1}};
    struct option_spec model_rows[N_MODEL_OPTIONS];
    struct preprocess_rows preprocess;
    model_option_specs(&b.options.model, model_rows);
    preprocess_rows_init(&preprocess, &b.options.preprocess);
    const struct option_spec own[] = {
        {"runs", "N", "runs that count (default 10)", option_count, &b.runs, 'n'},
        {"warmup", "N", "runs before them, the first one included (default 2)", option_count,
         &b.warmup, 0},
        {"profile", "[FILE]",
         "time every step; into FILE as a trace for chrome://tracing\n"
         "or Perfetto (also --profile FILE where FILE ends in .json)",
         parse_profile, &b, 0},
        json_option_spec(&b.json),
        {0},
    };
    const struct option_group groups[] = {
        {"options", own},
        {"model", model_rows},
        preprocess_rows_group(&preprocess),
        {0},
    };
    const struct usage usage = {
        "bench",
        "MODEL",
        "Time a model on made-up pixels: load, first run, latency, images/s, and the share of\n"
        "what the machine's multiply-add units can do, measured in the same run.",
        "  fovea bench model.onnx\n"
        "  fovea bench model.onnx --threads 1 --runs 20 --json\n"
        "  fovea bench model.onnx --batch 8 --profile\n"
        "  fovea bench model.onnx --profile trace.json\n",
        groups,
    };
    struct operands operands;
    int end = options_parse(&usage, argc, argv, &operands);
    if (end != OPTIONS_GO_ON) {
        return end;
    }
    if (operands.count != 1) {
        return say_usage("bench", "takes one model, but got %zu operands", operands.count);
    }
    b.options.path = operands.words[0];
    int code = run_bench(&b);
    profile_finish(&b.profile);
    classifier_finish(&b.model);
    return code;
}
