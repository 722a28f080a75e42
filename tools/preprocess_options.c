/* Preprocessing options: see preprocess_options.h. */
#include "tools/preprocess_options.h"

#include "loaders/model_recipe.h"
#include "loaders/recipe_file.h"

void fovea_preprocess_options_init(struct fovea_preprocess_options *options) {
    *options = (struct fovea_preprocess_options){0};
    fovea_jpeg_options_default(&options->jpeg);
}

/* ---- the recipe used -------------------------------------------------------- */

int fovea_preprocess_options_side(const struct fovea_preprocess_options *options) {
    const struct fovea_recipe *flags = &options->flags;
    return flags->source[FOVEA_RECIPE_SIZE] && flags->height == flags->width ? flags->height : 0;
}

enum fovea_status fovea_preprocess_options_resolve(const struct fovea_preprocess_options *options,
                                                   const struct fovea_recipe *known,
                                                   struct fovea_recipe *out,
                                                   struct fovea_error *err) {
    struct fovea_recipe chosen = {0};
    enum fovea_status status = FOVEA_OK;
    if (options->recipe_path) {
        status = fovea_recipe_load(options->recipe_path, FOVEA_FROM_FILE, &chosen, err);
    } else if (options->preset) {
        status = fovea_recipe_preset(options->preset, FOVEA_FROM_PRESET, &chosen, err);
    }
    if (!status) {
        status = fovea_recipe_complete(known, &chosen, &options->flags, out, err);
    }
    if (!status && options->flags.source[FOVEA_RECIPE_ORDER] &&
        out->resampler == FOVEA_RESAMPLER_TENSORFLOW) {
        status = fovea_fail(err, FOVEA_ERR_INVALID,
                            "--resize-order is for resampler pillow; TensorFlow's kernels have one "
                            "order each");
    }
    return status;
}

enum fovea_status fovea_preprocess_options_settle(const struct fovea_preprocess_options *options,
                                                  const struct fovea_model *model,
                                                  struct fovea_recipe *out, char *note,
                                                  size_t note_bytes, struct fovea_error *err) {
    struct fovea_recipe known;
    enum fovea_status status = fovea_model_recipe(model, &known, note, note_bytes, err);
    return status ? status : fovea_preprocess_options_resolve(options, &known, out, err);
}

static const char *source_of(const struct fovea_recipe *recipe, enum fovea_recipe_field field) {
    return fovea_recipe_source_name(recipe->source[field]);
}

static void print_geometry(const struct fovea_recipe *recipe, FILE *to) {
    char crop[40];
    snprintf(crop, sizeof(crop), recipe->crop_pct == 0 ? "margin %.0f" : "crop_pct %g",
             recipe->crop_pct == 0 ? recipe->margin : recipe->crop_pct);
    fprintf(to, "recipe: resize %s (%s), size %dx%d (%s), %s (%s), filter %s (%s), ",
            fovea_resize_mode_name(recipe->resize), source_of(recipe, FOVEA_RECIPE_RESIZE),
            recipe->height, recipe->width, source_of(recipe, FOVEA_RECIPE_SIZE), crop,
            source_of(recipe, FOVEA_RECIPE_CROP_PCT), fovea_filter_name(recipe->filter),
            source_of(recipe, FOVEA_RECIPE_FILTER));
}

/* What most recipes leave as Pillow and timm have it is said where it is not so. */
static void print_unusual(const struct fovea_recipe *recipe, FILE *to) {
    static const enum fovea_recipe_field fields[] = {FOVEA_RECIPE_RESAMPLER, FOVEA_RECIPE_PIXELS,
                                                     FOVEA_RECIPE_CROP_ROUNDING, FOVEA_RECIPE_DCT};
    const struct fovea_recipe usual = {0};
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        const char *word = fovea_recipe_get_word(recipe, fields[i]);
        if (word != fovea_recipe_get_word(&usual, fields[i])) {
            fprintf(to, ", %s %s (%s)", fovea_recipe_field_name(fields[i]), word,
                    source_of(recipe, fields[i]));
        }
    }
}

void fovea_preprocess_recipe_print(const struct fovea_recipe *recipe, FILE *to) {
    const double *mean = recipe->mean, *std = recipe->std;
    print_geometry(recipe, to);
    fprintf(to, "mean %g,%g,%g (%s), std %g,%g,%g (%s)", mean[0], mean[1], mean[2],
            source_of(recipe, FOVEA_RECIPE_MEAN), std[0], std[1], std[2],
            source_of(recipe, FOVEA_RECIPE_STD));
    if (recipe->resampler == FOVEA_RESAMPLER_PILLOW) {
        fprintf(to, ", %s pass first", fovea_recipe_get_word(recipe, FOVEA_RECIPE_ORDER));
    }
    print_unusual(recipe, to);
    fprintf(to, "; sha256 %.16s\n", fovea_recipe_digest(recipe).text);

    const char *before = "warning: nothing says ";
    for (int i = 0; i < FOVEA_RECIPE_N_FIELDS; i++) {
        enum fovea_recipe_field field = (enum fovea_recipe_field)i;
        if (fovea_recipe_is_guess(recipe, field)) {
            fprintf(to, "%s%s", before, fovea_recipe_field_name(field));
            before = ", ";
        }
    }
    if (before[0] == ',') {
        fprintf(to, ": timm's default is assumed, and may be wrong for your model\n");
    }
}
