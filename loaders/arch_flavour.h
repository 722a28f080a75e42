/*
 * Flavours: how the code bases that publish checkpoints name their tensors,
 * as tables of patterns. Adding one is adding a table.
 *
 * In a pattern, # stands for a number (the same one in both patterns, in
 * order), $ for haiku's numbering of repeated modules (nothing for the first,
 * _1, _2 ... after it), * at the end for anything.
 */
#ifndef FOVEA_LOADERS_ARCH_FLAVOUR_H
#define FOVEA_LOADERS_ARCH_FLAVOUR_H

#include "loaders/arch.h"
#include "loaders/tensor_dict.h"

/* What a tensor's dimensions mean, where they differ from PyTorch's. */
enum fovea_arch_shape {
    FOVEA_SHAPE_SAME,
    FOVEA_SHAPE_IN_OUT,    /* [in, out] */
    FOVEA_SHAPE_HWIO,      /* [kh, kw, in, out] */
    FOVEA_SHAPE_HEADS_IN,  /* [in, heads, head_dim] */
    FOVEA_SHAPE_HEADS_OUT, /* [heads, head_dim, out] */
    FOVEA_SHAPE_HEADS,     /* [heads, head_dim] */
    FOVEA_SHAPE_IGNORED,   /* known, and no part of the classifier */
};

struct fovea_arch_row {
    const char *from, *to; /* the file's name; the builders' */
    enum fovea_arch_shape shape;
};

struct fovea_arch_flavour {
    const char *name;   /* "timm ViT" */
    const char *marker; /* a file is of this flavour if it has a tensor of this name */
    enum fovea_arch_family family;
    const struct fovea_arch_row *rows; /* up to one without `from` */
    const char *const *names; /* patterns of the names that rows keep, up to NULL; NULL: none */
    const char *preset; /* of the recipe, where no configuration comes with it; NULL: not known */
    struct fovea_arch_hints hints; /* what this code base does where shapes do not tell */
};

#define FOVEA_ARCH_BASE_BYTES 64

/*
 * The flavour of a dictionary, and in `base` what precedes the network's own
 * names there: prefixes that wrappers leave ("module.", "params/img/").
 * FOVEA_ERR_UNSUPPORTED with the flavour that most of the names are like if
 * there is none.
 */
enum fovea_status fovea_arch_flavour_find(const struct fovea_tensor_dict *dict,
                                          char base[FOVEA_ARCH_BASE_BYTES],
                                          const struct fovea_arch_flavour **out,
                                          struct fovea_error *err);

/*
 * Add the dictionary's tensors below `base` to `params` under the builders'
 * names, and seal it. Tensors that no row knows keep their names, so that they
 * are found to be unused; those of other towers, not below `base`, are left.
 */
enum fovea_status fovea_arch_flavour_apply(const struct fovea_arch_flavour *flavour,
                                           const struct fovea_tensor_dict *dict, const char *base,
                                           struct fovea_arch_params *params,
                                           struct fovea_error *err);

#endif
