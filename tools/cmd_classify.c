/* fovea classify: the most likely classes of each image. */
#include "tools/commands.h"

#include "loaders/logits.h"
#include "tools/classifier.h"
#include "tools/exit_codes.h"
#include "tools/image_load.h"
#include "tools/json_out.h"
#include "tools/preprocess_rows.h"
#include "tools/say.h"

#include <stdlib.h>
#include <string.h>

enum { DEFAULT_BATCH = 4, DEFAULT_TOP = 5 };

/* What the command line asks for, and what comes of it. */
struct classify {
    struct json_target json;
    struct classifier_options options;
    int top;
    struct classifier model;
    struct fovea_result *best; /* top of them */
    json_t *list;
    size_t n_failed;
};

/* An image's place in the batch: its path, and why it is not there. */
struct place {
    const char *path;
    bool loaded;
    char why[512];
};

static json_t *prediction_json(const struct classify *c, const struct fovea_result *p) {
    const char *label = fovea_labels_get(&c->model.labels, p->class_index);
    return json_pack("{s:i, s:o, s:o, s:o}", "class", p->class_index, "label",
                     label ? json_text(label) : json_null(), "score", json_double(p->probability),
                     "logit", json_float(p->logit));
}

static void add_json(struct classify *c, const struct place *place, size_t n_best) {
    json_t *predictions = json_array();
    for (size_t i = 0; i < n_best; i++) {
        json_append(&predictions, prediction_json(c, &c->best[i]));
    }
    json_append(&c->list, json_pack("{s:o, s:o, s:o}", "path", json_text(place->path),
                                    "predictions", predictions, "error",
                                    place->loaded ? json_null() : json_text(place->why)));
}

static void print_text(const struct classify *c, const struct place *place, size_t n_best) {
    printf("%s\n", place->path);
    for (size_t i = 0; i < n_best; i++) {
        const struct fovea_result *p = &c->best[i];
        const char *label = fovea_labels_get(&c->model.labels, p->class_index);
        printf("  %6.2f %%  %s%sclass %d, logit %.4f%s\n", 100 * p->probability, label ? label : "",
               label ? "  (" : "", p->class_index, (double)p->logit, label ? ")" : "");
    }
    fflush(stdout);
}

static void report(struct classify *c, struct place *place, const float *logits) {
    size_t n_best = 0;
    if (place->loaded && fovea_logits_are_broken(logits, c->model.classes)) {
        place->loaded = false;
        snprintf(place->why, sizeof(place->why), "the model's output has NaN or infinite logits");
    }
    if (place->loaded) {
        n_best = fovea_logits_top(logits, NULL, c->model.classes, (size_t)c->top, c->best);
    } else {
        c->n_failed++;
        say("fovea classify: %s: %s", place->path, place->why);
    }
    if (c->json.on) {
        add_json(c, place, n_best);
    }
    if (place->loaded && json_target_wants_text(&c->json)) {
        print_text(c, place, n_best);
    }
}

static void load_place(struct classify *c, struct place *place, size_t slot) {
    struct fovea_error err;
    struct fovea_jpeg_report jpeg = {0};
    float *pixels = c->model.pixels + slot * c->model.image_floats;
    place->loaded = !image_load(place->path, &c->model.recipe, &c->options.preprocess.jpeg, pixels,
                                NULL, &jpeg, &err);
    if (!place->loaded) {
        snprintf(place->why, sizeof(place->why), "%s", err.message);
        memset(pixels, 0, c->model.image_floats * sizeof(*pixels));
    } else if (jpeg.n_warnings > 0 || jpeg.truncated) {
        say("fovea classify: %s: warning: %s", place->path,
            jpeg.first_warning[0] ? jpeg.first_warning : "the file ends early");
    }
}

static enum fovea_status classify_images(struct classify *c, const struct operands *images,
                                         struct fovea_error *err) {
    size_t batch = (size_t)c->model.batch;
    enum fovea_status status = FOVEA_OK;
    struct place *places = calloc(batch, sizeof(*places));
    if (!places) {
        return fovea_fail_memory(err, batch * sizeof(*places), "a batch");
    }
    for (size_t first = 0; !status && first < images->count; first += batch) {
        size_t n = images->count - first < batch ? images->count - first : batch;
        bool any = false;
        for (size_t i = 0; i < n; i++) {
            places[i].path = images->words[first + i];
            load_place(c, &places[i], i);
            any = any || places[i].loaded;
        }
        status = any ? classifier_run(&c->model, err) : FOVEA_OK;
        for (size_t i = 0; !status && i < n; i++) {
            report(c, &places[i], c->model.logits + i * (size_t)c->model.classes);
        }
    }
    free(places);
    return status;
}

static enum fovea_status prepare(struct classify *c, size_t n_images, struct fovea_error *err) {
    c->options.default_batch = n_images < DEFAULT_BATCH ? (int)n_images : DEFAULT_BATCH;
    enum fovea_status status = classifier_init(&c->model, &c->options, err);
    if (status) {
        return status;
    }
    classifier_print_recipe(&c->model);
    c->top = c->top < c->model.classes ? c->top : (int)c->model.classes;
    c->best = calloc((size_t)c->top, sizeof(*c->best));
    c->list = c->json.on ? json_array() : NULL;
    return c->best ? FOVEA_OK : fovea_fail_memory(err, sizeof(*c->best), "predictions");
}

static int classify_all(struct classify *c, const char *model, const struct operands *images) {
    struct fovea_error err;
    c->options.path = model;
    enum fovea_status status = prepare(c, images->count, &err);
    if (!status) {
        status = classify_images(c, images, &err);
    }
    if (!status) {
        status = json_target_write(&c->json, c->list, &err);
        c->list = NULL;
    }
    json_decref(c->list);
    classifier_finish(&c->model);
    free(c->best);
    if (status) {
        return say_failure("classify", &err);
    }
    return c->n_failed > 0 ? EXIT_SOME_FAILED : EXIT_DONE;
}

int cmd_classify(int argc, char **argv) {
    struct classify c = {.top = DEFAULT_TOP};
    struct option_spec model_rows[N_MODEL_OPTIONS];
    struct preprocess_rows preprocess;
    model_option_specs(&c.options.model, model_rows);
    preprocess_rows_init(&preprocess, &c.options.preprocess);
    const struct option_spec own[] = {
        {"top", "K", "how many classes to print (default 5)", option_count, &c.top, 'k'},
        {"labels", "FILE",
         "names of the classes: one a line, or JSON\n"
         "(default: the model's metadata, or config.json beside it)",
         option_text, &c.options.labels, 0},
        json_option_spec(&c.json),
        {0},
    };
    const struct option_group groups[] = {
        {"options", own},
        {"model", model_rows},
        preprocess_rows_group(&preprocess),
        {0},
    };
    const struct usage usage = {
        "classify",
        "MODEL IMAGE...",
        "Print the most likely classes of each image, with softmax probability and logit.\n"
        "Images that cannot be read are named on stderr, and the exit status is 3.",
        "  fovea classify model.onnx cat.jpg dog.jpg\n"
        "  fovea classify model.onnx cat.jpg --top 1 --labels classes.txt\n"
        "  fovea classify model.onnx cat.jpg --resize squash --crop-pct 1 --json\n",
        groups,
    };
    struct operands operands;
    int end = options_parse(&usage, argc, argv, &operands);
    if (end != OPTIONS_GO_ON) {
        return end;
    }
    if (operands.count < 2) {
        return say_usage("classify", operands.count ? "which images?" : "which model?");
    }
    struct operands images = {operands.words + 1, operands.count - 1};
    return classify_all(&c, operands.words[0], &images);
}
