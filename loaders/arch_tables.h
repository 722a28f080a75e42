/* The flavours known: see arch_flavour.h. */
#ifndef FOVEA_LOADERS_ARCH_TABLES_H
#define FOVEA_LOADERS_ARCH_TABLES_H

#include "loaders/arch_flavour.h"

/* Up to one without a name. */
extern const struct fovea_arch_flavour fovea_arch_flavours[];

/* What wrappers put before every name, up to a NULL. */
extern const char *const fovea_arch_prefixes[];

#endif
