/*
 * config.json beside a checkpoint, as far as the architecture goes. Recipe and
 * labels in it are read elsewhere (recipe_file.h, labels.h).
 */
#ifndef FOVEA_LOADERS_ARCH_CONFIG_H
#define FOVEA_LOADERS_ARCH_CONFIG_H

#include "loaders/arch.h"

/*
 * Change the hints that the text, timm's or transformers', says something
 * about; a text about something else changes none.
 *
 * FOVEA_ERR_FORMAT if it is not JSON; FOVEA_ERR_UNSUPPORTED for an activation
 * that there is no builder for.
 */
enum fovea_status fovea_arch_config_parse(const char *text, size_t size,
                                          struct fovea_arch_hints *hints, struct fovea_error *err);

#endif
