/* Recipes as JSON: see recipe_write.h. */
#include "loaders/recipe_write.h"

#include <jansson.h>

static json_t *sources_json(const struct fovea_recipe *recipe) {
    json_t *sources = json_object();
    for (int i = 0; i < FOVEA_RECIPE_N_FIELDS; i++) {
        enum fovea_recipe_field field = (enum fovea_recipe_field)i;
        if (recipe->source[field]) {
            json_object_set_new(sources, fovea_recipe_field_name(field),
                                json_string(fovea_recipe_source_name(recipe->source[field])));
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

json_t *fovea_recipe_to_json(const struct fovea_recipe *recipe) {
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

json_t *fovea_recipe_known_to_json(const struct fovea_recipe *recipe) {
    json_t *object = fovea_recipe_to_json(recipe);
    bool whole = true;
    for (int i = 0; object && i < FOVEA_RECIPE_N_FIELDS; i++) {
        enum fovea_recipe_field field = (enum fovea_recipe_field)i;
        if (fovea_recipe_is_guess(recipe, field)) {
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

char *fovea_recipe_to_text(const struct fovea_recipe *recipe) {
    json_t *json = fovea_recipe_to_json(recipe);
    char *text = json ? json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(15)) : NULL;
    json_decref(json);
    return text;
}
