/* Reading recipes from JSON: see recipe_file.h. */
#include "loaders/recipe_file.h"
#include "loaders/file.h"
#include "loaders/json.h"
#include "loaders/recipe_json.h"
#include "runtime/limits.h"

#include <stdlib.h>
#include <string.h>

/* Keys that are no field: "sources" and "sha256" are Fovea's notes in its own results. */
static bool is_other_key(const char *key) {
    static const char *const keys[] = {"preset", "margin", "sources", "sha256"};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (strcmp(key, keys[i]) == 0) {
            return true;
        }
    }
    return false;
}

static enum fovea_status check_keys(json_t *object, struct fovea_error *err) {
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value) {
        bool known = is_other_key(key);
        for (int i = 0; i < FOVEA_RECIPE_N_FIELDS; i++) {
            known |= strcmp(key, fovea_recipe_field_name((enum fovea_recipe_field)i)) == 0;
        }
        if (!known) {
            return fovea_fail(err, FOVEA_ERR_INVALID,
                              "unknown key '%s'; a recipe has preset, resize, size, crop_pct, "
                              "margin, filter, mean, std, fill, resize_order, resampler, pixels, "
                              "crop_rounding, dct",
                              fovea_quote(key).text);
        }
    }
    if (json_is_number(json_object_get(object, "margin")) &&
        json_is_number(json_object_get(object, "crop_pct"))) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "crop_pct and margin exclude each other");
    }
    return FOVEA_OK;
}

static enum fovea_status read_preset(const json_t *preset, enum fovea_recipe_source source,
                                     struct fovea_recipe *r, struct fovea_error *err) {
    const char *name = json_string_value(preset);
    if (!preset) {
        return FOVEA_OK;
    }
    return name ? fovea_recipe_preset(name, source, r, err)
                : fovea_recipe_fail_type("preset", preset, "a string", err);
}

static enum fovea_status read_recipe(json_t *object, enum fovea_recipe_source source,
                                     struct fovea_recipe *r, struct fovea_error *err) {
    json_t *inner = json_object_get(object, "recipe");
    if (json_is_object(inner)) {
        object = inner;
    }
    enum fovea_status status = check_keys(object, err);
    if (!status) {
        status = read_preset(json_object_get(object, "preset"), source, r, err);
    }
    for (int i = 0; i < FOVEA_RECIPE_N_FIELDS && !status; i++) {
        enum fovea_recipe_field field = (enum fovea_recipe_field)i;
        const json_t *value = json_object_get(object, fovea_recipe_field_name(field));
        status = fovea_recipe_set(r, field, value, source, err);
    }
    return status ? status
                  : fovea_recipe_set_margin(r, json_object_get(object, "margin"), source, err);
}

static enum fovea_status read_config(json_t *object, enum fovea_recipe_source source,
                                     struct fovea_recipe *r, struct fovea_error *err) {
    return fovea_recipe_read_config(object, source, r, err);
}

/* ---- the public side ----------------------------------------------------------- */

typedef enum fovea_status (*read_fn)(json_t *object, enum fovea_recipe_source source,
                                     struct fovea_recipe *r, struct fovea_error *err);

static enum fovea_status parse(const char *text, size_t size, read_fn read,
                               enum fovea_recipe_source source, struct fovea_recipe *out,
                               struct fovea_error *err) {
    json_t *root;
    struct fovea_recipe recipe = {0};
    enum fovea_status status = fovea_json_parse(text, size, 0, &root, err);
    if (status) {
        return status;
    }
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
    uint8_t *bytes;
    size_t size;
    enum fovea_status status =
        fovea_file_read(path, FOVEA_LIMIT_RECIPE_BYTES, &bytes, &size, NULL, err);
    if (!status) {
        status = fovea_recipe_parse((const char *)bytes, size, source, out, err);
        free(bytes);
    }
    if (status) {
        fovea_error_prefix(err, "recipe %s", path);
    }
    return status;
}
