/* fovea bench: how fast a model runs here, beside what the machine could do. */
#include "tools/commands.h"

#include "runtime/clock.h"
#include "runtime/parallel.h"
#include "runtime/session.h"
#include "tools/classifier.h"
#include "tools/exit_codes.h"
#include "tools/fma_limit.h"
#include "tools/json_out.h"
#include "tools/model_macs.h"
#include "tools/preprocess_rows.h"
#include "tools/say.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

/* What the command line asks for. */
struct bench {
    struct json_target json;
    struct classifier_options options;
    int runs, warmup;
    struct classifier model;
};

/* What was measured; times in seconds. */
struct figures {
    double load_s, first_s;
    double min, median, p90;
    double gflop; /* of one image, a multiply-add counted as two */
    double limit; /* GFLOP/s */
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

static enum fovea_status time_run(struct bench *b, double *seconds, struct fovea_error *err) {
    double start = fovea_clock_seconds();
    enum fovea_status st = classifier_run(&b->model, err);
    *seconds = fovea_clock_seconds() - start;
    return st;
}

/* The runs that count, after the first and the warm-up; `times` has room for them. */
static enum fovea_status time_runs(struct bench *b, double *times, struct figures *f,
                                   struct fovea_error *err) {
    double ignored;
    enum fovea_status st = time_run(b, &f->first_s, err);
    for (int i = 1; !st && i < b->warmup; i++) {
        st = time_run(b, &ignored, err);
    }
    for (int i = 0; !st && i < b->runs; i++) {
        st = time_run(b, &times[i], err);
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

static enum fovea_status measure(struct bench *b, struct figures *f, struct fovea_error *err) {
    double start = fovea_clock_seconds();
    enum fovea_status st = classifier_init(&b->model, &b->options, err);
    if (st) {
        return st;
    }
    f->load_s = fovea_clock_seconds() - start;
    double *times = calloc((size_t)b->runs, sizeof(*times));
    if (!times) {
        return fovea_fail_memory(err, (size_t)b->runs * sizeof(*times), "times");
    }
    fill_pixels(&b->model);
    st = time_runs(b, times, f, err);
    free(times);

    /* Before the work is counted, which folds the model a second time. */
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    f->peak_rss = (size_t)usage.ru_maxrss * 1024;
    int64_t macs = 0;
    if (!st) {
        st = model_macs(b->model.model, b->model.inputs, b->options.model.max_memory, &macs, err);
    }
    f->plan_bytes = fovea_plan_bytes(fovea_session_get_plan(b->model.session));
    f->gflop = 2e-9 * (double)macs / (double)b->model.batch;
    f->threads = b->options.model.threads ? b->options.model.threads : fovea_cpu_budget();
    f->limit = fma_limit_gflops(f->threads);
    return st;
}

/* ---- results ------------------------------------------------------------- */

static double achieved(const struct bench *b, const struct figures *f) {
    return f->gflop * (double)b->model.batch / f->median;
}

static void print_figures(const struct bench *b, const struct figures *f) {
    printf("batch %lld at %dx%d, %d thread%s, %s\n", (long long)b->model.batch,
           b->model.recipe.height, b->model.recipe.width, f->threads, f->threads == 1 ? "" : "s",
           precision_name(fovea_session_precision(b->model.session)));
    printf("load %.3f s, first run %.3f s\n", f->load_s, f->first_s);
    printf("latency min %.2f ms, median %.2f ms, p90 %.2f ms over %d runs\n", f->min * 1e3,
           f->median * 1e3, f->p90 * 1e3, b->runs);
    printf("%.2f images/s\n", (double)b->model.batch / f->median);
    printf("%.3f GFLOP an image, %.1f GFLOP/s, %.1f %% of the limit of %.1f (direct f32)\n",
           f->gflop, achieved(b, f), 100 * achieved(b, f) / f->limit, f->limit);
    printf("peak RSS %.1f MB, plan %.1f MB\n", (double)f->peak_rss * 1e-6,
           (double)f->plan_bytes * 1e-6);
}

static void print_steps(const struct bench *b) {
    size_t count;
    const struct fovea_step_time *steps = fovea_session_get_step_times(b->model.session, &count);
    int runs = b->runs + b->warmup;
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        sum += steps[i].seconds;
    }
    for (size_t i = 0; i < count; i++) {
        const struct fovea_node *node = steps[i].node;
        printf("%10.3f ms  %5.1f %%  %-18s %-24s %s\n", steps[i].seconds * 1e3 / runs,
               sum > 0 ? 100 * steps[i].seconds / sum : 0, fovea_quote(node->type).text,
               fovea_shape_text(&node->out[0]->t).text, fovea_quote(node->name).text);
    }
    if (count > 0) {
        printf("%10.3f ms  in %zu steps\n", sum * 1e3 / runs, count);
    }
}

static json_t *steps_json(const struct bench *b) {
    size_t count;
    const struct fovea_step_time *steps = fovea_session_get_step_times(b->model.session, &count);
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(list,
                              json_pack("{s:o, s:s, s:o}", "name", json_text(steps[i].node->name),
                                        "type", steps[i].node->type, "seconds",
                                        json_double(steps[i].seconds / (b->runs + b->warmup))));
    }
    return list;
}

static json_t *figures_json(const struct bench *b, const struct figures *f) {
    json_t *root = json_pack(
        "{s:o, s:[i,i], s:I, s:i, s:s, s:o, s:o, s:{s:o, s:o, s:o}, s:o, s:o, s:o, s:o, s:o, s:I, "
        "s:I}",
        "model", json_text(b->options.path), "size", b->model.recipe.height, b->model.recipe.width,
        "batch", (json_int_t)b->model.batch, "threads", f->threads, "precision",
        precision_name(fovea_session_precision(b->model.session)), "load_s", json_double(f->load_s),
        "first_s", json_double(f->first_s), "latency_s", "min", json_double(f->min), "median",
        json_double(f->median), "p90", json_double(f->p90), "images_per_s",
        json_double((double)b->model.batch / f->median), "gflop_per_image", json_double(f->gflop),
        "gflops", json_double(achieved(b, f)), "limit_gflops", json_double(f->limit),
        "share_of_limit", json_double(achieved(b, f) / f->limit), "peak_rss_bytes",
        (json_int_t)f->peak_rss, "plan_bytes", (json_int_t)f->plan_bytes);
    if (root && b->options.model.profile) {
        json_object_set_new(root, "steps", steps_json(b));
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
        print_steps(b);
    }
    json_t *root = b->json.on ? figures_json(b, &figures) : NULL;
    return json_target_write(&b->json, root, &err) ? say_failure("bench", &err) : EXIT_DONE;
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
        {"profile", NULL, "time every step", option_flag, &b.options.model.profile, 0},
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
        "  fovea bench model.onnx --batch 8 --profile\n",
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
    classifier_finish(&b.model);
    return code;
}
