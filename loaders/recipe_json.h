/*
 * Single fields of recipes from JSON values; between loaders/recipe_*.c.
 */
#ifndef FOVEA_LOADERS_RECIPE_JSON_H
#define FOVEA_LOADERS_RECIPE_JSON_H

#include "loaders/recipe.h"

#include <jansson.h>

/* "\"KEY\" is an array; it must be WANTED" */
enum fovea_status fovea_recipe_fail_type(const char *key, const json_t *value, const char *wanted,
                                         struct fovea_error *err);

/* "\"KEY\" is 'WORD'; it must be WORDS" */
enum fovea_status fovea_recipe_fail_word(const char *key, const char *word, const char *words,
                                         struct fovea_error *err);

/* An integer in the range of a size. */
enum fovea_status fovea_recipe_get_side(const json_t *value, int *out, struct fovea_error *err);

/*
 * Set `field` and its source from `value`, as recipe files have it; NULL and
 * JSON's null leave it unset. FOVEA_ERR_INVALID for a wrong type or range.
 */
enum fovea_status fovea_recipe_set(struct fovea_recipe *recipe, enum fovea_recipe_field field,
                                   const json_t *value, enum fovea_recipe_source source,
                                   struct fovea_error *err);

/* The same for the key "margin", which sets FOVEA_RECIPE_CROP_PCT in its other form. */
enum fovea_status fovea_recipe_set_margin(struct fovea_recipe *recipe, const json_t *value,
                                          enum fovea_recipe_source source, struct fovea_error *err);

/* Fields from the object of timm's or Hugging Face's configuration file. */
enum fovea_status fovea_recipe_read_config(const json_t *object, enum fovea_recipe_source source,
                                           struct fovea_recipe *recipe, struct fovea_error *err);

#endif
