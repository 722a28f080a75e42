/* fovea bench: how fast a model runs here, beside what the machine could do. */
#include "tools/commands.h"

#include "runtime/clock.h"
#include "runtime/parallel.h"
#include "runtime/session.h"
#include "tools/bench_profile.h"
#include "tools/bench_report.h"
#include "tools/classifier.h"
#include "tools/exit_codes.h"
#include "tools/json_out.h"
#include "tools/preprocess_rows.h"
#include "tools/say.h"
#include "tools/streams.h"

#include <stdio.h>
#include <stdlib.h>

/* The runs of one stream. */
struct stream_times {
    double first;    /* seconds */
    double first_at; /* when it ended, by the clock */
    double *seconds; /* [runs], of those that count */
    enum fovea_status status;
    struct fovea_error err;
};

/* What the command line asks for. */
struct bench {
    struct json_target json, trace;
    struct classifier_options options;
    int runs, warmup, n_streams;
    struct classifier model;
    struct streams streams;
    struct stream_times *times; /* [n_streams] */
    struct profile profile;     /* with options.model.profile */
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

static enum fovea_status time_run(struct bench *b, struct classifier *c, double *seconds,
                                  struct fovea_error *err) {
    double start = fovea_clock_seconds();
    enum fovea_status st = classifier_run(c, err);
    *seconds = fovea_clock_seconds() - start;
    if (!st && b->profile.session) {
        profile_add(&b->profile, start, start + *seconds);
    }
    return st;
}

/* What each stream does first: pixels, its first run, the rest of the warm-up. */
static void warm_up(void *context, struct classifier *c, int index) {
    struct bench *b = context;
    struct stream_times *t = &b->times[index];
    double ignored;
    fill_pixels(c);
    t->status = time_run(b, c, &t->first, &t->err);
    t->first_at = fovea_clock_seconds();
    for (int i = 1; !t->status && i < b->warmup; i++) {
        t->status = time_run(b, c, &ignored, &t->err);
    }
}

static void run_timed(void *context, struct classifier *c, int index) {
    struct bench *b = context;
    struct stream_times *t = &b->times[index];
    for (int i = 0; !t->status && i < b->runs; i++) {
        t->status = time_run(b, c, &t->seconds[i], &t->err);
    }
}

/* All streams do `fn`; what the first of them to fail says. */
static enum fovea_status run_all(struct bench *b, stream_fn fn, struct fovea_error *err) {
    enum fovea_status st = streams_run(&b->streams, fn, b, err);
    for (int i = 0; !st && i < b->n_streams; i++) {
        if (b->times[i].status) {
            *err = b->times[i].err;
            st = b->times[i].status;
        }
    }
    return st;
}

/* Room for the times of all runs, those of a stream together. */
static enum fovea_status make_times(struct bench *b, double **all, struct fovea_error *err) {
    size_t count = (size_t)b->n_streams * (size_t)b->runs;
    b->times = calloc((size_t)b->n_streams, sizeof(*b->times));
    *all = calloc(count, sizeof(**all));
    if (!b->times || !*all) {
        return fovea_fail_memory(err, count * sizeof(**all), "times");
    }
    for (int i = 0; i < b->n_streams; i++) {
        b->times[i].seconds = *all + (size_t)i * (size_t)b->runs;
    }
    return FOVEA_OK;
}

/* The runs that count, after the first and the warm-up. */
static enum fovea_status time_runs(struct bench *b, double *all, struct bench_figures *f,
                                   struct fovea_error *err) {
    enum fovea_status st = run_all(b, warm_up, err);
    f->first_at = b->times[0].first_at;
    f->first_s = b->times[0].first;
    if (!st && b->options.model.profile) {
        st = profile_init(&b->profile, b->model.session, b->runs, err);
    }
    double start = fovea_clock_seconds();
    if (!st) {
        st = run_all(b, run_timed, err);
    }
    if (st) {
        return st;
    }
    double wall = fovea_clock_seconds() - start;
    size_t n = (size_t)b->n_streams * (size_t)b->runs;
    qsort(all, n, sizeof(*all), compare_doubles);
    f->runs = n;
    f->min = all[0];
    f->median = n % 2 ? all[n / 2] : (all[n / 2 - 1] + all[n / 2]) / 2;
    f->p90 = all[(n * 9 + 9) / 10 - 1];
    /* What one stream does is what a run takes; several may be kept waiting by each other. */
    f->images_per_s =
        (double)b->model.batch * (b->n_streams == 1 ? 1 / f->median : (double)n / wall);
    return FOVEA_OK;
}

/* Load the model, and make the sessions it takes. */
static enum fovea_status load(struct bench *b, struct bench_figures *f, struct fovea_error *err) {
    double start = fovea_clock_seconds();
    f->threads = b->options.model.threads ? b->options.model.threads : fovea_cpu_budget();
    const struct streams_setting setting = {.streams = b->n_streams, .threads = f->threads};
    struct classifier_options first = b->options;
    first.model.threads = streams_share(&setting, 0);
    enum fovea_status st = classifier_init(&b->model, &first, err);
    if (!st) {
        st = streams_init(&b->streams, &b->model, &b->options, &setting, err);
    }
    f->ready_at = fovea_clock_seconds();
    f->load_s = f->ready_at - start;
    return st;
}

static enum fovea_status measure(struct bench *b, struct bench_figures *f,
                                 struct fovea_error *err) {
    double *all = NULL;
    enum fovea_status st = load(b, f, err);
    if (!st) {
        st = make_times(b, &all, err);
    }
    if (!st) {
        st = time_runs(b, all, f, err);
    }
    free(all);
    if (st) {
        return st;
    }
    /* Before the limits are measured, which takes memory of its own. */
    f->peak_rss = fovea_peak_resident_bytes();
    f->plan_bytes =
        fovea_plan_bytes(fovea_session_get_plan(b->model.session)) * (size_t)b->n_streams;
    f->gflop = 2e-9 * (double)fovea_session_get_macs(b->model.session) / (double)b->model.batch;
    machine_limits_measure(f->threads, &f->limits);
    return FOVEA_OK;
}

static int measure_and_report(struct bench *b) {
    struct fovea_error err;
    struct bench_figures figures = {.model = &b->model, .streams = b->n_streams};
    const struct profile *profile = b->options.model.profile ? &b->profile : NULL;
    if (measure(b, &figures, &err)) {
        return say_failure("bench", &err);
    }
    if (json_target_wants_text(&b->json)) {
        bench_print(&figures, profile);
    }
    json_t *trace = b->trace.path ? profile_trace(&b->profile, b->options.path) : NULL;
    if (b->trace.path && json_target_write(&b->trace, trace, &err)) {
        return say_failure("bench", &err);
    }
    json_t *root = b->json.on ? bench_json(&figures, profile) : NULL;
    return json_target_write(&b->json, root, &err) ? say_failure("bench", &err) : EXIT_DONE;
}

static int run_bench(struct bench *b) {
    int code = measure_and_report(b);
    profile_finish(&b->profile);
    streams_finish(&b->streams);
    classifier_finish(&b->model);
    free(b->times);
    return code;
}

static enum fovea_status parse_profile(const char *text, void *target, struct fovea_error *err) {
    struct bench *b = target;
    (void)err;
    b->options.model.profile = true;
    b->trace = (struct json_target){.on = text != NULL, .path = text};
    return FOVEA_OK;
}

int cmd_bench(int argc, char **argv) {
    struct bench b = {.runs = 10, .warmup = 2, .n_streams = 1, .options = {.default_batch = 1}};
    struct option_spec model_rows[N_MODEL_OPTIONS];
    struct preprocess_rows preprocess;
    model_option_specs(&b.options.model, model_rows);
    preprocess_rows_init(&preprocess, &b.options.preprocess);
    const struct option_spec own[] = {
        {"runs", "N", "runs that count (default 10)", option_count, &b.runs, 'n'},
        {"warmup", "N", "runs before them, the first one included (default 2)", option_count,
         &b.warmup, 0},
        {"streams", "N",
         "sessions at work at once, sharing threads, within --max-memory (default 1):\n"
         "images/s of all together, latency of each",
         option_count, &b.n_streams, 0},
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
    const char *model;
    int end = options_parse_model(&usage, argc, argv, &model);
    if (end != OPTIONS_GO_ON) {
        return end;
    }
    if (b.n_streams > MAX_STREAMS || (b.n_streams > 1 && b.options.model.profile)) {
        return say_usage("bench",
                         b.n_streams > MAX_STREAMS ? "--streams: at most %d"
                                                   : "--profile is of one stream",
                         MAX_STREAMS);
    }
    b.options.path = model;
    return run_bench(&b);
}
