/* Reading recipes from JSON: see recipe_file.h. */
#include "loaders/recipe_file.h"
#include "loaders/file.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- values ---------------------------------------------------------------- */

static enum fovea_status fail_type(const char *key, const json_t *value, const char *wanted,
                                   struct fovea_error *err) {
    static const char *const types[] = {
        [JSON_OBJECT] = "an object",   [JSON_ARRAY] = "an array", [JSON_STRING] = "a string",
        [JSON_INTEGER] = "an integer", [JSON_REAL] = "a number",  [JSON_TRUE] = "true",
        [JSON_FALSE] = "false",        [JSON_NULL] = "null",
    };
    return fovea_fail(err, FOVEA_ERR_INVALID, "\"%s\" is %s; it must be %s", key,
                      types[json_typeof(value)], wanted);
}

/* One number for all three channels, or an array of three. */
static enum fovea_status get_three(const char *key, const json_t *value, double out[3],
                                   struct fovea_error *err) {
    if (json_is_number(value)) {
        out[0] = out[1] = out[2] = json_number_value(value);
        return FOVEA_OK;
    }
    if (!json_is_array(value) || json_array_size(value) != 3) {
        return fail_type(key, value, "a number or an array of three", err);
    }
    for (size_t c = 0; c < 3; c++) {
        const json_t *item = json_array_get(value, c);
        if (!json_is_number(item)) {
            return fail_type(key, item, "a number or an array of three numbers", err);
        }
        out[c] = json_number_value(item);
    }
    return FOVEA_OK;
}

static enum fovea_status get_side(const json_t *value, int *out, struct fovea_error *err) {
    if (!json_is_integer(value)) {
        return fail_type("size", value, "an integer or [height, width]", err);
    }
    enum fovea_status status = fovea_recipe_check_size(json_integer_value(value), err);
    if (!status) {
        *out = (int)json_integer_value(value);
    }
    return status;
}

/* The string, or NULL with the error set. */
static const char *get_text(const char *key, const json_t *value, struct fovea_error *err) {
    if (!json_is_string(value)) {
        fail_type(key, value, "a string", err);
    }
    return json_string_value(value);
}

static enum fovea_status fail_word(const char *key, const char *word, const char *words,
                                   struct fovea_error *err) {
    return fovea_fail(err, FOVEA_ERR_INVALID, "\"%s\" is '%s'; it must be %s", key,
                      fovea_quote(word).text, words);
}

/* ---- the keys of a recipe ---------------------------------------------------- */

static enum fovea_status set_resize(struct fovea_recipe *r, const json_t *value,
                                    struct fovea_error *err) {
    const char *word = get_text("resize", value, err);
    if (!word) {
        return FOVEA_ERR_INVALID;
    }
    if (!fovea_resize_mode_find(word, &r->resize)) {
        return fail_word("resize", word, "squash, short or long", err);
    }
    return FOVEA_OK;
}

static enum fovea_status set_size(struct fovea_recipe *r, const json_t *value,
                                  struct fovea_error *err) {
    if (!json_is_array(value)) {
        enum fovea_status status = get_side(value, &r->height, err);
        r->width = r->height;
        return status;
    }
    if (json_array_size(value) != 2) {
        return fail_type("size", value, "an integer or [height, width]", err);
    }
    enum fovea_status status = get_side(json_array_get(value, 0), &r->height, err);
    return status ? status : get_side(json_array_get(value, 1), &r->width, err);
}

static enum fovea_status set_crop_pct(struct fovea_recipe *r, const json_t *value,
                                      struct fovea_error *err) {
    if (!json_is_number(value)) {
        return fail_type("crop_pct", value, "a number", err);
    }
    r->crop_pct = json_number_value(value);
    return fovea_recipe_check_crop_pct(r->crop_pct, err);
}

static enum fovea_status set_filter(struct fovea_recipe *r, const json_t *value,
                                    struct fovea_error *err) {
    const char *word = get_text("filter", value, err);
    if (!word) {
        return FOVEA_ERR_INVALID;
    }
    if (!fovea_filter_find(word, &r->filter)) {
        return fail_word("filter", word, "nearest, box, bilinear, bicubic or lanczos", err);
    }
    return FOVEA_OK;
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

static enum fovea_status set_order(struct fovea_recipe *r, const json_t *value,
                                   struct fovea_error *err) {
    const char *word = get_text("resize_order", value, err);
    if (!word) {
        return FOVEA_ERR_INVALID;
    }
    if (!fovea_resize_order_find(word, &r->order)) {
        return fail_word("resize_order", word, "horizontal or vertical", err);
    }
    return FOVEA_OK;
}

typedef enum fovea_status (*set_fn)(struct fovea_recipe *r, const json_t *value,
                                    struct fovea_error *err);

static const set_fn setters[FOVEA_RECIPE_N_FIELDS] = {
    [FOVEA_RECIPE_RESIZE] = set_resize,     [FOVEA_RECIPE_SIZE] = set_size,
    [FOVEA_RECIPE_CROP_PCT] = set_crop_pct, [FOVEA_RECIPE_FILTER] = set_filter,
    [FOVEA_RECIPE_MEAN] = set_mean,         [FOVEA_RECIPE_STD] = set_std,
    [FOVEA_RECIPE_FILL] = set_fill,         [FOVEA_RECIPE_ORDER] = set_order,
};

/* Set `field` from `value`; NULL and JSON's null leave it unset. */
static enum fovea_status set(struct fovea_recipe *r, enum fovea_recipe_field field,
                             const json_t *value, enum fovea_recipe_source source,
                             struct fovea_error *err) {
    if (!value || json_is_null(value)) {
        return FOVEA_OK;
    }
    r->source[field] = source;
    return setters[field](r, value, err);
}

/* Every key is "preset", a field, or "sources", which is Fovea's note in its own results. */
static enum fovea_status check_keys(json_t *object, struct fovea_error *err) {
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value) {
        bool known = strcmp(key, "preset") == 0 || strcmp(key, "sources") == 0;
        for (int i = 0; i < FOVEA_RECIPE_N_FIELDS; i++) {
            known |= strcmp(key, fovea_recipe_field_name((enum fovea_recipe_field)i)) == 0;
        }
        if (!known) {
            return fovea_fail(err, FOVEA_ERR_INVALID,
                              "unknown key '%s'; a recipe has preset, resize, size, crop_pct, "
                              "filter, mean, std, fill, resize_order",
                              fovea_quote(key).text);
        }
    }
    return FOVEA_OK;
}

static enum fovea_status read_recipe(json_t *object, enum fovea_recipe_source source,
                                     struct fovea_recipe *r, struct fovea_error *err) {
    json_t *inner = json_object_get(object, "recipe");
    if (json_is_object(inner)) {
        object = inner;
    }
    enum fovea_status status = check_keys(object, err);
    const json_t *preset = json_object_get(object, "preset");
    if (!status && preset) {
        const char *name = get_text("preset", preset, err);
        status = name ? fovea_recipe_preset(name, source, r, err) : FOVEA_ERR_INVALID;
    }
    for (int i = 0; i < FOVEA_RECIPE_N_FIELDS && !status; i++) {
        enum fovea_recipe_field field = (enum fovea_recipe_field)i;
        const json_t *value = json_object_get(object, fovea_recipe_field_name(field));
        status = set(r, field, value, source, err);
    }
    return status;
}

/* ---- timm and Hugging Face --------------------------------------------------- */

static enum fovea_status read_timm(const json_t *cfg, enum fovea_recipe_source source,
                                   struct fovea_recipe *r, struct fovea_error *err) {
    /* timm evaluates at the test values where a model has them. */
    const json_t *shape = json_object_get(cfg, "test_input_size");
    shape = json_is_array(shape) ? shape : json_object_get(cfg, "input_size");
    const json_t *crop_pct = json_object_get(cfg, "test_crop_pct");
    crop_pct = json_is_number(crop_pct) ? crop_pct : json_object_get(cfg, "crop_pct");

    const struct {
        enum fovea_recipe_field field;
        const json_t *value;
    } fields[] = {
        {FOVEA_RECIPE_CROP_PCT, crop_pct},
        {FOVEA_RECIPE_FILTER, json_object_get(cfg, "interpolation")},
        {FOVEA_RECIPE_MEAN, json_object_get(cfg, "mean")},
        {FOVEA_RECIPE_STD, json_object_get(cfg, "std")},
    };
    enum fovea_status status = FOVEA_OK;
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]) && !status; i++) {
        status = set(r, fields[i].field, fields[i].value, source, err);
    }
    if (!status && json_is_array(shape) && json_array_size(shape) == 3) {
        status = get_side(json_array_get(shape, 1), &r->height, err);
        status = status ? status : get_side(json_array_get(shape, 2), &r->width, err);
        r->source[FOVEA_RECIPE_SIZE] = source;
    }
    const char *mode = json_string_value(json_object_get(cfg, "crop_mode"));
    if (status || !mode) {
        return status;
    }
    r->source[FOVEA_RECIPE_RESIZE] = source;
    r->resize = FOVEA_RESIZE_SHORT;
    if (strcmp(mode, "squash") == 0) {
        r->resize = FOVEA_RESIZE_SQUASH;
    } else if (strcmp(mode, "border") == 0) {
        r->resize = FOVEA_RESIZE_LONG;
    } else if (strcmp(mode, "center") != 0) {
        return fail_word("crop_mode", mode, "center, squash or border", err);
    }
    return FOVEA_OK;
}

/* Pillow's numbers of its filters, which is how Hugging Face writes them. */
static enum fovea_status read_resample(const json_t *value, enum fovea_recipe_source source,
                                       struct fovea_recipe *r, struct fovea_error *err) {
    static const enum fovea_filter filters[] = {
        [0] = FOVEA_FILTER_NEAREST, [1] = FOVEA_FILTER_LANCZOS, [2] = FOVEA_FILTER_BILINEAR,
        [3] = FOVEA_FILTER_BICUBIC, [4] = FOVEA_FILTER_BOX,
    };
    if (!json_is_integer(value)) {
        return FOVEA_OK;
    }
    json_int_t number = json_integer_value(value);
    if (number < 0 || number > 4) {
        return fovea_fail(err, FOVEA_ERR_UNSUPPORTED, "\"resample\" is %lld; known are 0..4",
                          (long long)number);
    }
    r->filter = filters[number];
    r->source[FOVEA_RECIPE_FILTER] = source;
    return FOVEA_OK;
}

/* The share that makes timm's floor(size / share) give exactly `resized`. */
static double crop_pct_of(int size, int resized) {
    double share = (double)size / resized;
    return floor(size / share) < resized ? nextafter(share, 0) : share;
}

/* {"height", "width"}: both sides; {"shortest_edge"}: that, with or without a crop. */
static enum fovea_status read_hf_size(const json_t *cfg, enum fovea_recipe_source source,
                                      struct fovea_recipe *r, struct fovea_error *err) {
    const json_t *size = json_object_get(cfg, "size");
    const json_t *shortest = json_object_get(size, "shortest_edge");
    const json_t *target = size;
    r->resize = FOVEA_RESIZE_SQUASH;
    r->crop_pct = 1.0;
    if (json_is_true(json_object_get(cfg, "do_center_crop"))) {
        target = json_object_get(cfg, "crop_size");
    }
    const json_t *height = json_is_integer(target) ? target : json_object_get(target, "height");
    const json_t *width = json_is_integer(target) ? target : json_object_get(target, "width");
    if (!height || !width) {
        return fovea_fail(err, FOVEA_ERR_UNSUPPORTED,
                          "a preprocessor whose output size is not fixed by height and width");
    }
    enum fovea_status status = get_side(height, &r->height, err);
    status = status ? status : get_side(width, &r->width, err);
    const json_t *edge = shortest ? shortest : json_object_get(size, "height");
    int resized = r->height;
    if (!status && target != size) {
        status = get_side(edge ? edge : size, &resized, err);
        r->crop_pct = crop_pct_of(r->height, resized);
    }
    r->resize = shortest ? FOVEA_RESIZE_SHORT : FOVEA_RESIZE_SQUASH;
    r->source[FOVEA_RECIPE_RESIZE] = source;
    r->source[FOVEA_RECIPE_CROP_PCT] = source;
    r->source[FOVEA_RECIPE_SIZE] = source;
    return status;
}

static enum fovea_status read_hf(const json_t *cfg, enum fovea_recipe_source source,
                                 struct fovea_recipe *r, struct fovea_error *err) {
    enum fovea_status status =
        set(r, FOVEA_RECIPE_MEAN, json_object_get(cfg, "image_mean"), source, err);
    status =
        status ? status : set(r, FOVEA_RECIPE_STD, json_object_get(cfg, "image_std"), source, err);
    status = status ? status : read_resample(json_object_get(cfg, "resample"), source, r, err);
    bool has_size = json_object_get(cfg, "size") != NULL;
    return status || !has_size ? status : read_hf_size(cfg, source, r, err);
}

static enum fovea_status read_config(json_t *object, enum fovea_recipe_source source,
                                     struct fovea_recipe *r, struct fovea_error *err) {
    const json_t *timm = json_object_get(object, "pretrained_cfg");
    if (json_is_object(timm)) {
        return read_timm(timm, source, r, err);
    }
    if (json_object_get(object, "image_mean")) {
        return read_hf(object, source, r, err);
    }
    return FOVEA_OK;
}

/* ---- the public side ----------------------------------------------------------- */

typedef enum fovea_status (*read_fn)(json_t *object, enum fovea_recipe_source source,
                                     struct fovea_recipe *r, struct fovea_error *err);

static enum fovea_status parse(const char *text, size_t size, read_fn read,
                               enum fovea_recipe_source source, struct fovea_recipe *out,
                               struct fovea_error *err) {
    json_error_t e;
    json_t *root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &e);
    if (!root) {
        return fovea_fail(err, FOVEA_ERR_FORMAT, "line %d, column %d: not JSON: %s", e.line,
                          e.column, fovea_quote(e.text).text);
    }
    struct fovea_recipe recipe = {0};
    enum fovea_status status = FOVEA_OK;
    if (!json_is_object(root)) {
        status = fovea_fail(err, FOVEA_ERR_INVALID, "not an object of recipe keys");
    }
    status = status ? status : read(root, source, &recipe, err);
    json_decref(root);
    if (!status) {
        *out = recipe;
    }
    return status;
}

enum fovea_status fovea_recipe_parse(const char *text, size_t size, enum fovea_recipe_source source,
                                     struct fovea_recipe *out, struct fovea_error *err) {
    return parse(text, size, read_recipe, source, out, err);
}

enum fovea_status fovea_recipe_parse_config(const char *text, size_t size,
                                            enum fovea_recipe_source source,
                                            struct fovea_recipe *out, struct fovea_error *err) {
    return parse(text, size, read_config, source, out, err);
}

enum fovea_status fovea_recipe_load(const char *path, enum fovea_recipe_source source,
                                    struct fovea_recipe *out, struct fovea_error *err) {
    enum { FILE_MAX = 1 << 20 };
    uint8_t *bytes;
    size_t size;
    enum fovea_status status = fovea_file_read(path, FILE_MAX, &bytes, &size, NULL, err);
    if (!status) {
        status = fovea_recipe_parse((const char *)bytes, size, source, out, err);
        free(bytes);
    }
    if (status) {
        fovea_error_prefix(err, "recipe %s", path);
    }
    return status;
}
