/* The keys of a recipe file, one by one: see recipe_json.h. */
#include "loaders/recipe_json.h"

/* ---- values ---------------------------------------------------------------- */

enum fovea_status fovea_recipe_fail_type(const char *key, const json_t *value, const char *wanted,
                                         struct fovea_error *err) {
    static const char *const types[] = {
        [JSON_OBJECT] = "an object",   [JSON_ARRAY] = "an array", [JSON_STRING] = "a string",
        [JSON_INTEGER] = "an integer", [JSON_REAL] = "a number",  [JSON_TRUE] = "true",
        [JSON_FALSE] = "false",        [JSON_NULL] = "null",
    };
    return fovea_fail(err, FOVEA_ERR_INVALID, "\"%s\" is %s; it must be %s", key,
                      value ? types[json_typeof(value)] : "missing", wanted);
}

enum fovea_status fovea_recipe_fail_word(const char *key, const char *word, const char *words,
                                         struct fovea_error *err) {
    return fovea_fail(err, FOVEA_ERR_INVALID, "\"%s\" is '%s'; it must be %s", key,
                      fovea_quote(word).text, words);
}

/* One number for all three channels, or an array of three. */
static enum fovea_status get_three(const char *key, const json_t *value, double out[3],
                                   struct fovea_error *err) {
    if (json_is_number(value)) {
        out[0] = out[1] = out[2] = json_number_value(value);
        return FOVEA_OK;
    }
    if (!json_is_array(value) || json_array_size(value) != 3) {
        return fovea_recipe_fail_type(key, value, "a number or an array of three", err);
    }
    for (size_t c = 0; c < 3; c++) {
        const json_t *item = json_array_get(value, c);
        if (!json_is_number(item)) {
            return fovea_recipe_fail_type(key, item, "a number or an array of three numbers", err);
        }
        out[c] = json_number_value(item);
    }
    return FOVEA_OK;
}

enum fovea_status fovea_recipe_get_side(const json_t *value, int *out, struct fovea_error *err) {
    if (!json_is_integer(value)) {
        return fovea_recipe_fail_type("size", value, "an integer or [height, width]", err);
    }
    enum fovea_status status = fovea_recipe_check_size(json_integer_value(value), err);
    if (!status) {
        *out = (int)json_integer_value(value);
    }
    return status;
}

/* ---- the keys ---------------------------------------------------------------- */

static enum fovea_status set_word(struct fovea_recipe *r, enum fovea_recipe_field field,
                                  const json_t *value, struct fovea_error *err) {
    const char *key = fovea_recipe_field_name(field), *word = json_string_value(value);
    if (!word) {
        return fovea_recipe_fail_type(key, value, "a string", err);
    }
    return fovea_recipe_find_word(r, field, word)
               ? FOVEA_OK
               : fovea_recipe_fail_word(key, word, fovea_recipe_words(field), err);
}

static enum fovea_status set_size(struct fovea_recipe *r, const json_t *value,
                                  struct fovea_error *err) {
    if (!json_is_array(value)) {
        enum fovea_status status = fovea_recipe_get_side(value, &r->height, err);
        r->width = r->height;
        return status;
    }
    if (json_array_size(value) != 2) {
        return fovea_recipe_fail_type("size", value, "an integer or [height, width]", err);
    }
    enum fovea_status status = fovea_recipe_get_side(json_array_get(value, 0), &r->height, err);
    return status ? status : fovea_recipe_get_side(json_array_get(value, 1), &r->width, err);
}

static enum fovea_status set_crop_pct(struct fovea_recipe *r, const json_t *value,
                                      struct fovea_error *err) {
    if (!json_is_number(value)) {
        return fovea_recipe_fail_type("crop_pct", value, "a number", err);
    }
    r->crop_pct = json_number_value(value);
    r->margin = 0;
    return fovea_recipe_check_crop_pct(r->crop_pct, err);
}

static enum fovea_status set_mean(struct fovea_recipe *r, const json_t *value,
                                  struct fovea_error *err) {
    enum fovea_status status = get_three("mean", value, r->mean, err);
    for (int c = 0; c < 3 && !status; c++) {
        status = fovea_recipe_check_mean(r->mean[c], err);
    }
    return status;
}

static enum fovea_status set_std(struct fovea_recipe *r, const json_t *value,
                                 struct fovea_error *err) {
    enum fovea_status status = get_three("std", value, r->std, err);
    for (int c = 0; c < 3 && !status; c++) {
        status = fovea_recipe_check_std(r->std[c], err);
    }
    return status;
}

static enum fovea_status set_fill(struct fovea_recipe *r, const json_t *value,
                                  struct fovea_error *err) {
    double fill[3];
    enum fovea_status status = get_three("fill", value, fill, err);
    for (int c = 0; c < 3 && !status; c++) {
        bool is_byte = fill[c] >= 0 && fill[c] <= 255;
        if (!is_byte || fill[c] != (uint8_t)fill[c]) {
            return fovea_fail(err, FOVEA_ERR_INVALID, "fill %g is no whole number in 0..255",
                              fill[c]);
        }
        r->fill[c] = (uint8_t)fill[c];
    }
    return status;
}

typedef enum fovea_status (*set_fn)(struct fovea_recipe *r, const json_t *value,
                                    struct fovea_error *err);

/* Of the fields that are no words. */
static const set_fn setters[FOVEA_RECIPE_N_FIELDS] = {
    [FOVEA_RECIPE_SIZE] = set_size, [FOVEA_RECIPE_CROP_PCT] = set_crop_pct,
    [FOVEA_RECIPE_MEAN] = set_mean, [FOVEA_RECIPE_STD] = set_std,
    [FOVEA_RECIPE_FILL] = set_fill,
};

enum fovea_status fovea_recipe_set(struct fovea_recipe *recipe, enum fovea_recipe_field field,
                                   const json_t *value, enum fovea_recipe_source source,
                                   struct fovea_error *err) {
    if (!value || json_is_null(value)) {
        return FOVEA_OK;
    }
    recipe->source[field] = source;
    return fovea_recipe_words(field) ? set_word(recipe, field, value, err)
                                     : setters[field](recipe, value, err);
}

enum fovea_status fovea_recipe_set_margin(struct fovea_recipe *recipe, const json_t *value,
                                          enum fovea_recipe_source source,
                                          struct fovea_error *err) {
    if (!value || json_is_null(value)) {
        return FOVEA_OK;
    }
    if (!json_is_integer(value)) {
        return fovea_recipe_fail_type("margin", value, "an integer", err);
    }
    enum fovea_status status = fovea_recipe_check_margin(json_integer_value(value), err);
    if (!status) {
        recipe->margin = (int)json_integer_value(value);
        recipe->crop_pct = 0;
        recipe->source[FOVEA_RECIPE_CROP_PCT] = source;
    }
    return status;
}
