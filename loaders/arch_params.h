/*
 * The parameters of a network by the names that builders use, wherever they
 * come from: a checkpoint of any flavour, or a generator of random weights.
 *
 * Builders use timm's names ("blocks.0.attn.qkv.weight",
 * "stages.1.0.conv2.gain") and the shapes that PyTorch gives them. A flavour
 * (arch_flavour.h) says which tensor of a file is which, and how it lies.
 */
#ifndef FOVEA_LOADERS_ARCH_PARAMS_H
#define FOVEA_LOADERS_ARCH_PARAMS_H

#include "runtime/arena.h"
#include "runtime/graph.h"

/* How a file's elements lie. What merely splits or joins dimensions needs no word. */
enum fovea_arch_form {
    FOVEA_ARCH_PLAIN,  /* as PyTorch has it: [out, in] or [out, in, kh, kw] */
    FOVEA_ARCH_IN_OUT, /* a matrix of flax or haiku: [in, out] */
    FOVEA_ARCH_HWIO,   /* a convolution of flax or haiku: [kh, kw, in, out] */
};

struct fovea_arch_param {
    const char *name;      /* the builders' */
    const char *source;    /* the file's */
    struct fovea_tensor t; /* with the file's order of dimensions; contents borrowed */
    enum fovea_arch_form form;
    int heads; /* the file has this many heads as a dimension of it; 0: it has none */
    bool used;
};

/* What did not fit, in the words of the file, a line each. */
enum fovea_arch_misfit {
    FOVEA_ARCH_MISSING,
    FOVEA_ARCH_MISSHAPEN,
    FOVEA_ARCH_UNEXPECTED,
    FOVEA_ARCH_N_MISFITS,
};

struct fovea_arch_params {
    struct fovea_arena arena;
    struct fovea_arch_param *entries; /* sorted by name once sealed */
    size_t count, cap;
    bool random;   /* nothing is in a file: every parameter is made up */
    uint64_t seed; /* of what is made up; advances with each */
    const char **misfits[FOVEA_ARCH_N_MISFITS];
    size_t n_misfits[FOVEA_ARCH_N_MISFITS], cap_misfits[FOVEA_ARCH_N_MISFITS];
    bool lost;          /* a misfit could not be noted for want of memory */
    int64_t n_elements; /* of the parameters used so far */
};

/* `params` zeroed by the caller. */
void fovea_arch_params_finish(struct fovea_arch_params *params);

/* Add one; names are copied. */
enum fovea_status fovea_arch_params_add(struct fovea_arch_params *params,
                                        const struct fovea_arch_param *param,
                                        struct fovea_error *err);

/* Sort; FOVEA_ERR_INVALID if two tensors of the file have one meaning. */
enum fovea_status fovea_arch_params_seal(struct fovea_arch_params *params, struct fovea_error *err);

/* The parameter of that name, formatted as by printf, or NULL. */
struct fovea_arch_param *fovea_arch_params_find(const struct fovea_arch_params *params,
                                                const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * Dimension `d` of a parameter as PyTorch counts them, whatever its form; 0 if there is none, or no
 * parameter, or one without elements, whose dimensions may be any numbers.
 */
int64_t fovea_arch_param_dim(const struct fovea_arch_param *param, int d);

/* Note a misfit, formatted as by printf. Without memory for it, params->lost is set. */
void fovea_arch_params_note(struct fovea_arch_params *params, enum fovea_arch_misfit kind,
                            const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Note every parameter that no builder has used. */
void fovea_arch_params_note_unused(struct fovea_arch_params *params);

#endif
