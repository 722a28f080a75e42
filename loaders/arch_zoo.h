/*
 * The systems known by name: NFNets of Brock et al. 2021 and Smith et al.
 * 2023, vision transformers of Zhai et al. 2022 and Alabdulmohsin et al. 2023.
 *
 *     arch:NAME[:VARIANT][@SIZE]
 *
 * VARIANT is a ViT's head, map (the default), gap or token; or b, of the wider
 * NFNets, for the reading of their first stage that agrees with the paper's
 * counts rather than with the released code. SIZE is the input's side.
 */
#ifndef FOVEA_LOADERS_ARCH_ZOO_H
#define FOVEA_LOADERS_ARCH_ZOO_H

#include "loaders/arch.h"

/* Figures that others published, with what they count and where. NULL: none. */
struct fovea_published {
    const char *parameters; /* "71.5 M" with convention */
    const char *cost;       /* multiply-adds or FLOPs, with size and convention */
    const char *accuracy;   /* ImageNet top-1, with training data and size */
    const char *compute;    /* of training */
    const char *source;
};

struct fovea_arch_entry {
    const char *name; /* "nfnet-f0", "vit-g/14" */
    enum fovea_arch_family family;
    int size; /* default */
    int f;    /* NFNet: blocks are (1, 2, 6, 3) times 1 + f */
    bool plus;
    int patch, width, depth, mlp, heads; /* ViT */
    struct fovea_published published;
};

/* Up to one without a name. */
extern const struct fovea_arch_entry fovea_arch_zoo[];

/* A name as above, taken apart. */
struct fovea_arch_name {
    const struct fovea_arch_entry *entry;
    enum fovea_head head; /* of a ViT */
    bool wide;            /* reading b of a wider NFNet */
    int size;
};

/* Parse "arch:NAME[:VARIANT][@SIZE]". FOVEA_ERR_INVALID says what is possible. */
enum fovea_status fovea_arch_name_parse(const char *text, struct fovea_arch_name *out,
                                        struct fovea_error *err);

/* Its configuration; 1000 classes. FOVEA_ERR_INVALID for a size below one patch, or not over 0. */
enum fovea_status fovea_arch_name_nfnet(const struct fovea_arch_name *name,
                                        struct fovea_nfnet_config *out, struct fovea_error *err);
enum fovea_status fovea_arch_name_vit(const struct fovea_arch_name *name,
                                      struct fovea_vit_config *out, struct fovea_error *err);

/* The entry most like a configuration, by depth, width and patch; never NULL. */
const struct fovea_arch_entry *fovea_arch_nearest_nfnet(const struct fovea_nfnet_config *config);
const struct fovea_arch_entry *fovea_arch_nearest_vit(const struct fovea_vit_config *config);

#endif
