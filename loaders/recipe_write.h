/* Recipes as JSON, the way recipe files have them (recipe_file.h). */
#ifndef FOVEA_LOADERS_RECIPE_WRITE_H
#define FOVEA_LOADERS_RECIPE_WRITE_H

#include "loaders/recipe.h"

struct json_t; /* jansson's; free with json_decref */

/*
 * The recipe with "sha256", its digest, and "sources": {field: source}; NULL
 * out of memory.
 */
struct json_t *fovea_recipe_to_json(const struct fovea_recipe *recipe);

/* The same without what is a guess or follows from the rest, so that it stays a guess. */
struct json_t *fovea_recipe_known_to_json(const struct fovea_recipe *recipe);

/* Either as text on one line, to be freed; NULL out of memory. */
char *fovea_recipe_to_text(const struct fovea_recipe *recipe);
char *fovea_recipe_known_to_text(const struct fovea_recipe *recipe);

#endif
