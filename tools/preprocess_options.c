/* Preprocessing options: see preprocess_options.h. */
#include "tools/preprocess_options.h"

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

/* Fields from fill on have defaults that nobody need be warned of. */
static bool is_guess(const struct fovea_recipe *recipe, enum fovea_recipe_field field) {
    return field < FOVEA_RECIPE_FILL && recipe->source[field] == FOVEA_FROM_DEFAULT;
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

static json_t *field_json(const struct fovea_recipe *recipe, enum fovea_recipe_field field) {
    const double *mean = recipe->mean, *std = recipe->std;
    uint8_t fill[3];
    switch (field) {
    case FOVEA_RECIPE_SIZE:
        return json_pack("[ii]", recipe->height, recipe->width);
    case FOVEA_RECIPE_CROP_PCT:
        return recipe->crop_pct == 0 ? json_integer(recipe->margin) : json_real(recipe->crop_pct);
    case FOVEA_RECIPE_MEAN:
        return json_pack("[fff]", mean[0], mean[1], mean[2]);
    case FOVEA_RECIPE_STD:
        return json_pack("[fff]", std[0], std[1], std[2]);
    case FOVEA_RECIPE_FILL:
        fovea_recipe_get_fill(recipe, fill);
        return json_pack("[iii]", fill[0], fill[1], fill[2]);
    default:
        return json_string(fovea_recipe_get_word(recipe, field));
    }
}

json_t *fovea_preprocess_recipe_json(const struct fovea_recipe *recipe) {
    json_t *object = json_object();
    for (int i = 0; i < FOVEA_RECIPE_N_FIELDS; i++) {
        enum fovea_recipe_field field = (enum fovea_recipe_field)i;
        bool margin = field == FOVEA_RECIPE_CROP_PCT && recipe->crop_pct == 0;
        json_object_set_new(object, margin ? "margin" : fovea_recipe_field_name(field),
                            field_json(recipe, field));
    }
    json_object_set_new(object, "sha256", json_string(fovea_recipe_digest(recipe).text));
    json_object_set_new(object, "sources", sources_json(recipe));
    return object;
}

json_t *fovea_preprocess_recipe_known_json(const struct fovea_recipe *recipe) {
    json_t *object = fovea_preprocess_recipe_json(recipe);
    bool whole = true;
    for (int i = 0; object && i < FOVEA_RECIPE_N_FIELDS; i++) {
        enum fovea_recipe_field field = (enum fovea_recipe_field)i;
        if (is_guess(recipe, field)) {
            json_object_del(object, fovea_recipe_field_name(field));
            whole = false;
        }
    }
    if (object && !recipe->source[FOVEA_RECIPE_FILL]) {
        json_object_del(object, "fill");
    }
    if (object && !whole) {
        json_object_del(object, "sha256");
    }
    return object;
}
