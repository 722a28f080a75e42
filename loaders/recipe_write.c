/* Recipes as JSON: see recipe_write.h. */
#include "loaders/recipe_write.h"

#include <jansson.h>

#include <stdlib.h>
#include <string.h>

/* Release `object` and give NULL unless all of it is there: jansson has no memory otherwise. */
static json_t *all_or_nothing(json_t *object, bool whole) {
    if (!whole) {
        json_decref(object);
        return NULL;
    }
    return object;
}

static json_t *sources_json(const struct fovea_recipe *recipe) {
    json_t *sources = json_object();
    bool whole = sources != NULL;
    for (int i = 0; i < FOVEA_RECIPE_N_FIELDS; i++) {
        enum fovea_recipe_field field = (enum fovea_recipe_field)i;
        if (recipe->source[field]) {
            json_t *source = json_string(fovea_recipe_source_name(recipe->source[field]));
            int failed = json_object_set_new(sources, fovea_recipe_field_name(field), source);
            whole = whole && !failed;
        }
    }
    return all_or_nothing(sources, whole);
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

/* Whether a field has a value at all. */
static bool is_said(const struct fovea_recipe *recipe, enum fovea_recipe_field field) {
    switch (field) {
    case FOVEA_RECIPE_SIZE:
    case FOVEA_RECIPE_CROP_PCT:
    case FOVEA_RECIPE_MEAN:
    case FOVEA_RECIPE_STD:
    case FOVEA_RECIPE_FILL:
        return true;
    default:
        return fovea_recipe_get_word(recipe, field) != NULL;
    }
}

json_t *fovea_recipe_to_json(const struct fovea_recipe *recipe) {
    json_t *object = json_object();
    bool whole = object != NULL;
    for (int i = 0; i < FOVEA_RECIPE_N_FIELDS; i++) {
        enum fovea_recipe_field field = (enum fovea_recipe_field)i;
        bool margin = field == FOVEA_RECIPE_CROP_PCT && recipe->crop_pct == 0;
        const char *key = margin ? "margin" : fovea_recipe_field_name(field);
        if (is_said(recipe, field)) {
            int failed = json_object_set_new(object, key, field_json(recipe, field));
            whole = whole && !failed;
        }
    }
    json_t *digest = json_string(fovea_recipe_digest(recipe).text);
    int no_digest = json_object_set_new(object, "sha256", digest);
    int no_sources = json_object_set_new(object, "sources", sources_json(recipe));
    return all_or_nothing(object, whole && !no_digest && !no_sources);
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

/*
 * `json`, which is released, as text. Without memory for a part, jansson may give text that lacks
 * it: so there are two, that agree. 15 digits are what a number that was read has.
 */
static char *text_of(json_t *json) {
    const size_t flags = JSON_COMPACT | JSON_REAL_PRECISION(15);
    char *text = json ? json_dumps(json, flags) : NULL;
    char *again = text ? json_dumps(json, flags) : NULL;
    json_decref(json);
    if (!again || strcmp(text, again) != 0) {
        free(text);
        text = NULL;
    }
    free(again);
    return text;
}

char *fovea_recipe_to_text(const struct fovea_recipe *recipe) {
    return text_of(fovea_recipe_to_json(recipe));
}

char *fovea_recipe_known_to_text(const struct fovea_recipe *recipe) {
    return text_of(fovea_recipe_known_to_json(recipe));
}
