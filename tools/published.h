/* Figures that others published about a system (arch_zoo.h), for people and for scripts. */
#ifndef FOVEA_TOOLS_PUBLISHED_H
#define FOVEA_TOOLS_PUBLISHED_H

#include "loaders/arch_zoo.h"
#include "tools/json_out.h"

/* A line each on stdout, after `indent` blanks; what was not published is left out. */
void published_print(const struct fovea_published *published, int indent);

/* An object, null for what was not published; NULL if out of memory. */
json_t *published_json(const struct fovea_published *published);

#endif
