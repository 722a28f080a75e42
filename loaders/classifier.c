/* Making classifiers: see classifier.h and fovea.h. */
#include "loaders/classifier.h"

#include "loaders/model_recipe.h"
#include "loaders/recipe_file.h"
#include "loaders/recipe_write.h"
#include "runtime/model.h"
#include "runtime/options.h"
#include "runtime/tensor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- recipe ------------------------------------------------------------------- */

static void add_note(struct fovea_classifier *c, const char *text) {
    size_t used = strlen(c->note);
    if (text && text[0]) {
        snprintf(c->note + used, sizeof(c->note) - used, "%s%s", used ? "\n" : "", text);
    }
}

/* "nothing says mean, std: timm's default is assumed, and may be wrong for the model" */
static void note_guesses(struct fovea_classifier *c) {
    char text[256] = "";
    for (int i = 0; i < FOVEA_RECIPE_N_FIELDS; i++) {
        enum fovea_recipe_field field = (enum fovea_recipe_field)i;
        size_t used = strlen(text);
        if (fovea_recipe_is_guess(&c->recipe, field)) {
            snprintf(text + used, sizeof(text) - used, "%s%s", used ? ", " : "nothing says ",
                     fovea_recipe_field_name(field));
        }
    }
    size_t used = strlen(text);
    if (used > 0) {
        snprintf(text + used, sizeof(text) - used,
                 ": timm's default is assumed, and may be wrong for the model");
    }
    add_note(c, text);
}

/* JSON, or the name of a preset. */
static enum fovea_status choose_recipe(const char *text, struct fovea_recipe *out,
                                       struct fovea_error *err) {
    *out = (struct fovea_recipe){0};
    if (!text) {
        return FOVEA_OK;
    }
    enum fovea_status st = text[strspn(text, " \t\r\n")] == '{'
                               ? fovea_recipe_parse(text, strlen(text), FOVEA_FROM_FILE, out, err)
                               : fovea_recipe_preset(text, FOVEA_FROM_PRESET, out, err);
    if (st) {
        fovea_error_prefix(err, "the recipe of the options");
    }
    return st;
}

static enum fovea_status settle_recipe(struct fovea_classifier *c,
                                       const struct fovea_classifier_options *options,
                                       struct fovea_error *err) {
    struct fovea_recipe known, chosen, flags = {0};
    char note[640] = "";
    enum fovea_status st = fovea_model_recipe(c->model, &known, note, sizeof(note), err);
    if (!st) {
        st = choose_recipe(options->recipe, &chosen, err);
    }
    if (!st && options->size != 0) {
        st = fovea_recipe_check_size(options->size, err);
        flags.height = flags.width = options->size;
        flags.source[FOVEA_RECIPE_SIZE] = FOVEA_FROM_FLAG;
    }
    if (!st) {
        st = fovea_recipe_complete(&known, &chosen, &flags, &c->recipe, err);
    }
    add_note(c, note);
    note[0] = 0;
    if (!st) {
        st = fovea_image_batch_fit(c->model, &c->recipe, note, sizeof(note), err);
    }
    if (st) {
        return st;
    }
    add_note(c, note);
    note_guesses(c);
    c->recipe_text = fovea_recipe_to_text(&c->recipe);
    return c->recipe_text ? FOVEA_OK : fovea_fail_memory(err, sizeof(c->recipe), "a recipe");
}

static void settle_jpeg(struct fovea_classifier *c,
                        const struct fovea_classifier_options *options) {
    struct fovea_jpeg_options jpeg;
    fovea_jpeg_options_default(&jpeg);
    jpeg.max_pixels = options->max_pixels ? options->max_pixels : jpeg.max_pixels;
    jpeg.max_memory = options->max_jpeg_memory ? options->max_jpeg_memory : jpeg.max_memory;
    jpeg.max_scans = options->max_scans ? options->max_scans : jpeg.max_scans;
    jpeg.allow_truncated = options->allow_truncated;
    jpeg.strict = options->strict;
    jpeg.exif_orientation = options->exif_orientation;
    c->jpeg = jpeg;
}

static enum fovea_status settle_labels(struct fovea_classifier *c, const char *text,
                                       struct fovea_error *err) {
    if (!text) {
        fovea_labels_of_model(c->model, &c->labels);
        return FOVEA_OK;
    }
    return fovea_labels_parse(text, strlen(text), "the labels of the options", &c->labels, err);
}

/* ---- sessions ------------------------------------------------------------------- */

static enum fovea_status add_lane(struct fovea_classifier *c, int64_t batch,
                                  const struct fovea_session_options *options,
                                  struct fovea_error *err) {
    struct fovea_classifier_lane *lane = &c->lanes[c->n_lanes++];
    enum fovea_status st = fovea_image_batch_init(&lane->rows, c->model, &c->recipe, batch, err);
    if (!st) {
        st = fovea_session_create(c->model, &lane->rows.input, options, &lane->session, err);
    }
    if (!st) {
        st = fovea_image_batch_attach(&lane->rows, lane->session, err);
    }
    if (!st && lane->rows.classes != c->lanes[0].rows.classes) {
        st = fovea_fail(err, FOVEA_ERR_INVALID, "%lld classes at a batch of %lld, %lld at %lld",
                        (long long)lane->rows.classes, (long long)batch,
                        (long long)c->lanes[0].rows.classes, (long long)c->lanes[0].rows.batch);
    }
    return st;
}

/* The one size that the model, or the compiled file, is made for; 0: any. */
static int64_t only_batch(const struct fovea_model *model,
                          const struct fovea_classifier_options *options) {
    int64_t fixed = fovea_model_get_input(model, 0)->dims[0];
    return fixed >= 0 ? fixed : options->batch == 0 ? fovea_model_planned_dim(model, 0, 0) : 0;
}

static enum fovea_status add_lanes(struct fovea_classifier *c,
                                   const struct fovea_classifier_options *options,
                                   struct fovea_error *err) {
    int64_t only = only_batch(c->model, options), asked = options->batch ? options->batch : 1;
    if (only < 0 || only > FOVEA_CLASSIFIER_BATCH || asked < 1 || asked > FOVEA_CLASSIFIER_BATCH) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "a batch of %lld; it is 1..%d",
                          (long long)(only ? only : asked), FOVEA_CLASSIFIER_BATCH);
    }
    if (only > 0) {
        c->fixed = true;
        return add_lane(c, only, options->session, err);
    }
    enum fovea_status st = add_lane(c, asked, options->session, err);
    for (int64_t batch = FOVEA_CLASSIFIER_BATCH; !st && batch > 0; batch /= 2) {
        if (batch < asked) {
            st = add_lane(c, batch, options->session, err);
        }
    }
    return st;
}

static enum fovea_status make_buffers(struct fovea_classifier *c, struct fovea_error *err) {
    const struct fovea_image_batch *rows = &c->lanes[0].rows;
    size_t images = c->fixed ? (size_t)rows->batch : 1;
    size_t pixel_bytes = images * rows->image_floats * sizeof(float);
    size_t logit_bytes = images * (size_t)rows->classes * sizeof(float);
    c->pixels = fovea_aligned_alloc(pixel_bytes);
    c->logits = fovea_aligned_alloc(logit_bytes);
    if (!c->pixels || !c->logits) {
        return fovea_fail_memory(err, pixel_bytes + logit_bytes, "a classifier");
    }
    memset(c->pixels, 0, pixel_bytes);
    return FOVEA_OK;
}

static enum fovea_status build(struct fovea_classifier *c,
                               const struct fovea_classifier_options *options,
                               struct fovea_error *err) {
    enum fovea_status st = fovea_image_batch_check(c->model, err);
    if (!st) {
        st = settle_recipe(c, options, err);
    }
    if (!st) {
        st = settle_labels(c, options->labels, err);
    }
    if (!st) {
        st = add_lanes(c, options, err);
    }
    if (st) {
        return st;
    }
    settle_jpeg(c, options);
    add_note(c, fovea_model_get_note(c->model));
    add_note(c, fovea_session_get_note(c->lanes[0].session));
    return make_buffers(c, err);
}

enum fovea_status fovea_classifier_create(const struct fovea_model *model,
                                          const struct fovea_classifier_options *options,
                                          struct fovea_classifier **out, struct fovea_error *err) {
    struct fovea_classifier_options whole;
    enum fovea_status st =
        fovea_options_read(options, &whole, sizeof(whole), "classifier options", err);
    if (st) {
        return st;
    }
    struct fovea_classifier *c = calloc(1, sizeof(*c));
    if (!c) {
        return fovea_fail_memory(err, sizeof(*c), "a classifier");
    }
    c->model = model;
    st = build(c, &whole, err);
    if (st) {
        fovea_classifier_destroy(c);
        return st;
    }
    *out = c;
    return FOVEA_OK;
}

void fovea_classifier_destroy(struct fovea_classifier *c) {
    if (!c) {
        return;
    }
    for (size_t i = 0; i < c->n_lanes; i++) {
        fovea_session_destroy(c->lanes[i].session);
        fovea_image_batch_finish(&c->lanes[i].rows);
    }
    fovea_labels_finish(&c->labels);
    free(c->pixels);
    free(c->logits);
    free(c->recipe_text);
    free(c);
}

/* ---- what it is ------------------------------------------------------------------- */

size_t fovea_classifier_n_classes(const struct fovea_classifier *classifier) {
    return (size_t)classifier->lanes[0].rows.classes;
}

size_t fovea_classifier_batch(const struct fovea_classifier *classifier) {
    return (size_t)classifier->lanes[0].rows.batch;
}

void fovea_classifier_input_size(const struct fovea_classifier *classifier, int *width,
                                 int *height) {
    *width = classifier->recipe.width;
    *height = classifier->recipe.height;
}

enum fovea_precision fovea_classifier_precision(const struct fovea_classifier *classifier) {
    return fovea_session_precision(classifier->lanes[0].session);
}

const char *fovea_classifier_get_label(const struct fovea_classifier *classifier, size_t index) {
    return index <= INT64_MAX ? fovea_labels_get(&classifier->labels, (int64_t)index) : NULL;
}

const char *fovea_classifier_get_recipe(const struct fovea_classifier *classifier) {
    return classifier->recipe_text;
}

const char *fovea_classifier_get_note(const struct fovea_classifier *classifier) {
    return classifier->note[0] ? classifier->note : NULL;
}
