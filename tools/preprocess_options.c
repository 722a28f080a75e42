/* Preprocessing options: see preprocess_options.h. */
#include "tools/preprocess_options.h"

#include "loaders/recipe_file.h"

void fovea_preprocess_options_init(struct fovea_preprocess_options *options) {
    *options = (struct fovea_preprocess_options){0};
    fovea_jpeg_options_default(&options->jpeg);
}

/* ---- the recipe used -------------------------------------------------------- */

enum fovea_status fovea_preprocess_options_resolve(const struct fovea_preprocess_options *options,
                                                   const struct fovea_recipe *known,
                                                   struct fovea_recipe *out,
                                                   struct fovea_error *err) {
    struct fovea_recipe recipe, chosen = {0};
    enum fovea_status status = FOVEA_OK;
    if (options->recipe_path) {
        status = fovea_recipe_load(options->recipe_path, FOVEA_FROM_FILE, &chosen, err);
    } else if (options->preset) {
        status = fovea_recipe_preset(options->preset, FOVEA_FROM_PRESET, &chosen, err);
    }
    if (!status) {
        status = fovea_recipe_preset("timm", FOVEA_FROM_DEFAULT, &recipe, err);
    }
    if (status) {
        return status;
    }
    recipe.height = recipe.width = 224;
    recipe.source[FOVEA_RECIPE_SIZE] = FOVEA_FROM_DEFAULT;
    if (known) {
        fovea_recipe_overlay(&recipe, known);
    }
    fovea_recipe_overlay(&recipe, &chosen);
    fovea_recipe_overlay(&recipe, &options->flags);
    status = fovea_recipe_check(&recipe, err);
    if (!status) {
        *out = recipe;
    }
    return status;
}

static const char *source_of(const struct fovea_recipe *recipe, enum fovea_recipe_field field) {
    return fovea_recipe_source_name(recipe->source[field]);
}

/* Whether the order of passes was left at the default matters to nobody. */
static bool is_guess(const struct fovea_recipe *recipe, enum fovea_recipe_field field) {
    return field != FOVEA_RECIPE_ORDER && recipe->source[field] == FOVEA_FROM_DEFAULT;
}

void fovea_preprocess_recipe_print(const struct fovea_recipe *recipe, FILE *to) {
    const double *mean = recipe->mean, *std = recipe->std;
    fprintf(to, "recipe: resize %s (%s), size %dx%d (%s), crop_pct %g (%s), filter %s (%s), ",
            fovea_resize_mode_name(recipe->resize), source_of(recipe, FOVEA_RECIPE_RESIZE),
            recipe->height, recipe->width, source_of(recipe, FOVEA_RECIPE_SIZE), recipe->crop_pct,
            source_of(recipe, FOVEA_RECIPE_CROP_PCT), fovea_filter_name(recipe->filter),
            source_of(recipe, FOVEA_RECIPE_FILTER));
    fprintf(to, "mean %g,%g,%g (%s), std %g,%g,%g (%s), %s pass first\n", mean[0], mean[1], mean[2],
            source_of(recipe, FOVEA_RECIPE_MEAN), std[0], std[1], std[2],
            source_of(recipe, FOVEA_RECIPE_STD), fovea_resize_order_name(recipe->order));

    const char *before = "warning: nothing says ";
    for (int i = 0; i < FOVEA_RECIPE_N_FIELDS; i++) {
        enum fovea_recipe_field field = (enum fovea_recipe_field)i;
        if (is_guess(recipe, field)) {
            fprintf(to, "%s%s", before, fovea_recipe_field_name(field));
            before = ", ";
        }
    }
    if (before[0] == ',') {
        fprintf(to, ": timm's default is assumed, and may be wrong for your model\n");
    }
}

static json_t *sources_json(const struct fovea_recipe *recipe) {
    json_t *sources = json_object();
    for (int i = 0; i < FOVEA_RECIPE_N_FIELDS; i++) {
        enum fovea_recipe_field field = (enum fovea_recipe_field)i;
        if (recipe->source[field]) {
            json_object_set_new(sources, fovea_recipe_field_name(field),
                                json_string(source_of(recipe, field)));
        }
    }
    return sources;
}

json_t *fovea_preprocess_recipe_json(const struct fovea_recipe *recipe) {
    uint8_t fill[3];
    fovea_recipe_get_fill(recipe, fill);
    return json_pack("{s:s, s:[ii], s:f, s:s, s:[fff], s:[fff], s:[iii], s:s, s:o}", "resize",
                     fovea_resize_mode_name(recipe->resize), "size", recipe->height, recipe->width,
                     "crop_pct", recipe->crop_pct, "filter", fovea_filter_name(recipe->filter),
                     "mean", recipe->mean[0], recipe->mean[1], recipe->mean[2], "std",
                     recipe->std[0], recipe->std[1], recipe->std[2], "fill", fill[0], fill[1],
                     fill[2], "resize_order", fovea_resize_order_name(recipe->order), "sources",
                     sources_json(recipe));
}
