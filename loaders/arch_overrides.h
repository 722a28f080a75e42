/*
 * What a caller's load options say of a network: the last word about what its
 * tensors do not tell.
 */
#ifndef FOVEA_LOADERS_ARCH_OVERRIDES_H
#define FOVEA_LOADERS_ARCH_OVERRIDES_H

#include "loaders/arch_zoo.h"

/*
 * Change the hints that the options say something about. FOVEA_ERR_INVALID for
 * a value that is none, or an option that networks of that family do not have.
 */
enum fovea_status fovea_arch_override_hints(const struct fovea_load_options *options,
                                            enum fovea_arch_family family,
                                            struct fovea_arch_hints *hints,
                                            struct fovea_error *err);

/* The same of a network by name; its size and head before there is a configuration. */
enum fovea_status fovea_arch_override_name(const struct fovea_load_options *options,
                                           struct fovea_arch_name *name, struct fovea_error *err);

/* What an option says of a configuration by name, which fovea_arch_override_name has checked. */
enum fovea_status fovea_arch_override_nfnet(const struct fovea_load_options *options,
                                            struct fovea_nfnet_config *config,
                                            struct fovea_error *err);
enum fovea_status fovea_arch_override_vit(const struct fovea_load_options *options,
                                          struct fovea_vit_config *config, struct fovea_error *err);

#endif
