/* fovea diff: where two models, or two ways to run one, go apart. */
#include "tools/commands.h"

#include "tools/classifier.h"
#include "tools/diff_report.h"
#include "tools/exit_codes.h"
#include "tools/image_load.h"
#include "tools/preprocess_rows.h"
#include "tools/say.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One option for both sides, or "LEFT,RIGHT" with one for each. */
struct both {
    const char *name;
    option_parse_fn parse;
    void *left, *right;
    char texts[2][32]; /* some parsers keep the text */
};

struct diff_command {
    struct json_target json;
    struct classifier_options left, right;
    struct both both[N_MODEL_OPTIONS];
    double bound; /* negative: by precision */
    bool all;
    const char *image; /* or NULL */
    struct classifier a, b;
};

/* ---- options ---------------------------------------------------------------------------- */

/* Where "LEFT,RIGHT" parts: names of passes have commas too, on and off have not. */
static const char *parting(const struct both *both, const char *text) {
    const char *comma = strchr(text, ',');
    bool list = strcmp(both->name, "passes") == 0 && strncmp(text, "on,", 3) != 0 &&
                strncmp(text, "off,", 4) != 0;
    return list ? NULL : comma;
}

static enum fovea_status parse_both(const char *text, void *target, struct fovea_error *err) {
    struct both *both = target;
    const char *comma = parting(both, text);
    if (comma && strlen(text) < sizeof(both->texts[0])) {
        snprintf(both->texts[0], sizeof(both->texts[0]), "%.*s", (int)(comma - text), text);
        snprintf(both->texts[1], sizeof(both->texts[1]), "%s", comma + 1);
        enum fovea_status status = both->parse(both->texts[0], both->left, err);
        return status ? status : both->parse(both->texts[1], both->right, err);
    }
    enum fovea_status status = both->parse(text, both->left, err);
    return status ? status : both->parse(text, both->right, err);
}

/* The rows of one model's options, each setting both sides. */
static void both_rows(struct diff_command *d, struct option_spec rows[N_MODEL_OPTIONS]) {
    struct option_spec right[N_MODEL_OPTIONS];
    run_option_specs(&d->left.model, rows);
    run_option_specs(&d->right.model, right);
    for (int i = 0; rows[i].name; i++) {
        d->both[i] =
            (struct both){rows[i].name, rows[i].parse, rows[i].target, right[i].target, {"", ""}};
        rows[i].parse = parse_both;
        rows[i].target = &d->both[i];
    }
}

static const char *passes_of(const struct classifier_options *options) {
    return options->model.passes ? options->model.passes : "on";
}

static bool options_differ(const struct diff_command *d) {
    const struct model_options *l = &d->left.model, *r = &d->right.model;
    return l->precision != r->precision || l->no_winograd != r->no_winograd ||
           strcmp(passes_of(&d->left), passes_of(&d->right)) != 0;
}

/* Whether a file is a JPEG, by its first bytes: no model begins so. */
static bool is_jpeg(const char *path) {
    unsigned char start[3] = {0};
    FILE *file = fopen(path, "rbe");
    size_t got = file ? fread(start, 1, sizeof(start), file) : 0;
    if (file) {
        fclose(file);
    }
    return got == sizeof(start) && start[0] == 0xff && start[1] == 0xd8 && start[2] == 0xff;
}

/* ---- running ---------------------------------------------------------------------------- */

/* Numbers in [-2, 2), as normalised pixels are; the same ones every time. */
static void fill_pixels(const struct classifier *c) {
    uint32_t state = 1;
    for (size_t i = 0; i < c->image_floats * (size_t)c->batch; i++) {
        state = state * 1664525 + 1013904223; /* Numerical Recipes' generator */
        c->pixels[i] = (float)(state >> 8) / (float)(1 << 22) - 2;
    }
}

/* A model that leaves its batch open takes as many images as the other. */
static enum fovea_status fit_batch(struct classifier *c, struct classifier_options *options,
                                   int64_t batch, struct fovea_error *err) {
    if (c->batch == batch || fovea_model_get_input(c->model, 0)->dims[0] >= 0) {
        return FOVEA_OK;
    }
    options->model.batch = (int)batch;
    return classifier_replan(c, options, err);
}

static enum fovea_status open_sides(struct diff_command *d, struct fovea_error *err) {
    bool one = strcmp(d->left.path, d->right.path) == 0;
    enum fovea_status status = classifier_init(&d->a, &d->left, err);
    if (!status) {
        status = one ? classifier_share(&d->b, &d->a, &d->right, err)
                     : classifier_init(&d->b, &d->right, err);
    }
    if (!status) {
        status = fit_batch(&d->a, &d->left, d->b.batch, err);
    }
    if (!status) {
        status = fit_batch(&d->b, &d->right, d->a.batch, err);
    }
    if (!status && (d->a.recipe.height != d->b.recipe.height ||
                    d->a.recipe.width != d->b.recipe.width || d->a.batch != d->b.batch)) {
        status =
            fovea_fail(err, FOVEA_ERR_INVALID, "A takes %lld images of %dx%d, but B %lld of %dx%d",
                       (long long)d->a.batch, d->a.recipe.height, d->a.recipe.width,
                       (long long)d->b.batch, d->b.recipe.height, d->b.recipe.width);
    }
    return status;
}

/* The same pixels for both: how an image becomes pixels is not what is compared. */
static enum fovea_status fill_sides(struct diff_command *d, struct fovea_error *err) {
    enum fovea_status status = FOVEA_OK;
    fill_pixels(&d->a);
    if (d->image) {
        struct fovea_jpeg_report report = {0};
        classifier_print_recipe(&d->a);
        status = image_load(d->image, &d->a.recipe, &d->left.preprocess.jpeg, d->a.pixels, NULL,
                            &report, err);
        if (status) {
            fovea_error_prefix(err, "%s", fovea_quote(d->image).text);
        }
    }
    memcpy(d->b.pixels, d->a.pixels, d->a.image_floats * (size_t)d->a.batch * sizeof(float));
    return status;
}

static int best_class(const struct classifier *c) {
    int best = 0;
    for (int i = 1; i < c->classes; i++) {
        best = c->logits[i] > c->logits[best] ? i : best;
    }
    return best;
}

static enum fovea_status compare_logits(struct diff_command *c, struct diff *d,
                                        struct fovea_error *err) {
    enum fovea_status status = classifier_run(&c->a, err);
    if (!status) {
        status = classifier_run(&c->b, err);
    }
    if (!status && c->a.classes != c->b.classes) {
        status = fovea_fail(err, FOVEA_ERR_INVALID, "A has %lld classes, but B %lld",
                            (long long)c->a.classes, (long long)c->b.classes);
    }
    if (!status) {
        diff_measure(c->a.logits, c->b.logits, c->a.classes * c->a.batch, &d->logits);
        d->top_a = best_class(&c->a);
        d->top_b = best_class(&c->b);
    }
    return status;
}

static enum fovea_status compare(struct diff_command *c, struct diff *d, struct fovea_error *err) {
    const struct diff_side a = {c->a.session, &c->a.rows.input, c->a.rows.outputs};
    const struct diff_side b = {c->b.session, &c->b.rows.input, c->b.rows.outputs};
    /* This also brings the pixels into the type that the inputs have. */
    enum fovea_status status = compare_logits(c, d, err);
    if (!status) {
        status = diff_trace_run(&a, &d->a, err);
    }
    if (!status) {
        status = diff_trace_run(&b, &d->b, err);
    }
    if (!status) {
        status = diff_match(&d->a, &d->b, &d->pairs, &d->n_pairs, err);
    }
    if (status) {
        return status;
    }
    d->errors = calloc(d->n_pairs + 1, sizeof(*d->errors));
    if (!d->errors) {
        return fovea_fail_memory(err, d->n_pairs * sizeof(*d->errors), "errors");
    }
    status = diff_lockstep(&a, &b, d->pairs, d->n_pairs, d->errors, err);
    return status ? status : diff_judge(d, err);
}

static double bound_of(const struct diff_command *c) {
    bool half = fovea_session_precision(c->a.session) != fovea_session_precision(c->b.session);
    return c->bound >= 0 ? c->bound : half ? 0.05 : 1e-3;
}

static struct diff_name name_of(const struct classifier *c,
                                const struct classifier_options *options) {
    return (struct diff_name){options->path, precision_name(fovea_session_precision(c->session)),
                              passes_of(options)};
}

static int diff_all(struct diff_command *c) {
    struct fovea_error err;
    struct diff d = {0};
    enum fovea_status status = open_sides(c, &err);
    if (!status) {
        status = fill_sides(c, &err);
    }
    if (!status) {
        d.bound = bound_of(c);
        d.name_a = name_of(&c->a, &c->left);
        d.name_b = name_of(&c->b, &c->right);
        status = compare(c, &d, &err);
    }
    if (!status && json_target_wants_text(&c->json)) {
        diff_print(&d, c->all);
    }
    if (!status && c->json.on) {
        status = json_target_write(&c->json, diff_json(&d), &err);
    }
    int code = status ? say_failure("diff", &err) : diff_agrees(&d) ? EXIT_DONE : EXIT_FAILED;
    diff_finish(&d);
    classifier_finish(&c->b);
    classifier_finish(&c->a);
    return code;
}

/* Which operands are models and which the image. Not 0: the exit status, after saying why. */
static int take_operands(struct diff_command *c, const struct operands *operands) {
    size_t n = operands->count;
    if (n > 1 && is_jpeg(operands->words[n - 1])) {
        c->image = operands->words[--n];
    }
    if (n < 1 || n > 2) {
        return say_usage(
            "diff", n ? "takes two models and an image, but got %zu operands" : "which models?",
            operands->count);
    }
    c->left.path = operands->words[0];
    c->right.path = operands->words[n - 1];
    if (strcmp(c->left.path, c->right.path) == 0 && !options_differ(c)) {
        return say_usage("diff", "one model, run in one way, twice: give another, or "
                                 "--precision f32,bf16, --passes on,off or --winograd auto,off");
    }
    return 0;
}

int cmd_diff(int argc, char **argv) {
    struct diff_command c = {.bound = -1};
    struct option_spec model_rows[N_MODEL_OPTIONS];
    struct preprocess_rows preprocess;
    both_rows(&c, model_rows);
    preprocess_rows_init(&preprocess, &c.left.preprocess);
    const struct option_spec own[] = {
        {"bound", "X",
         "the most |A - B| / |A| (rel_l2) of a tensor that agrees\n"
         "(default: 1e-3, or 0.05 between f32 and bf16)",
         option_real, &c.bound, 0},
        {"all", NULL, "a line for every tensor, not only for those that matter", option_flag,
         &c.all, 0},
        json_option_spec(&c.json),
        {0},
    };
    const struct option_group groups[] = {
        {"options", own},
        {"models: one for both, or LEFT,RIGHT for --precision, --passes on,off and --winograd",
         model_rows},
        preprocess_rows_group(&preprocess),
        {0},
    };
    const struct usage usage = {
        "diff",
        "MODEL_A [MODEL_B] [IMAGE.jpg]",
        "Run two models, or one in two ways, on the same pixels (of IMAGE by A's recipe, or\n"
        "random), compare what every step computes, and name the first node from which on\n"
        "they differ. Tensors correspond by name if the models share most names; else by\n"
        "content, and behind the last that are alike by shape and order. rel_l2 is\n"
        "|A - B| / |A|. Done (0) if they agree, 1 if not.",
        "  fovea diff exported.onnx optimised.onnx cat.jpg\n"
        "  fovea diff model.onnx --precision f32,bf16 --all\n"
        "  fovea diff model.onnx cat.jpg --passes on,off --bound 1e-5 --json diff.json\n",
        groups,
    };
    struct operands operands;
    int end = options_parse(&usage, argc, argv, &operands);
    if (end != OPTIONS_GO_ON) {
        return end;
    }
    c.right.preprocess = c.left.preprocess;
    c.left.default_batch = c.right.default_batch = 1;
    int code = take_operands(&c, &operands);
    return code ? code : diff_all(&c);
}
