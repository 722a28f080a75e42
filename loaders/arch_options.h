/*
 * The load options that decide what a checkpoint is taken for, as a text: a
 * compiled file holds it, so that its original can be loaded as it was.
 *
 *     size=480;heads=0;head-type=map;positions=;gelu=tanh;ws-eps=
 */
#ifndef FOVEA_LOADERS_ARCH_OPTIONS_H
#define FOVEA_LOADERS_ARCH_OPTIONS_H

#include "runtime/model.h"

enum { FOVEA_ARCH_OPTION = 32, FOVEA_ARCH_OPTIONS_TEXT = 6 * FOVEA_ARCH_OPTION };

/* FOVEA_ERR_INVALID if an option is longer than any that means something. */
enum fovea_status fovea_arch_options_text(const struct fovea_load_options *options,
                                          char text[FOVEA_ARCH_OPTIONS_TEXT],
                                          struct fovea_error *err);

/* What a text says; the words lie in `words`. */
struct fovea_arch_options {
    int size, heads;
    char words[4][FOVEA_ARCH_OPTION]; /* head-type, positions, gelu, ws-eps; "": not given */
};

/* FOVEA_ERR_FORMAT if it is no such text. */
enum fovea_status fovea_arch_options_parse(const char *text, struct fovea_arch_options *out,
                                           struct fovea_error *err);

/*
 * The first option that is asked for and is another than `known`, "gelu=tanh
 * is asked for", in `why`; "" if there is none.
 */
void fovea_arch_options_compare(const struct fovea_arch_options *known,
                                const struct fovea_load_options *asked, char *why, size_t size);

/* Options that are not asked for become those of `known`, whose words are borrowed. */
void fovea_arch_options_complete(const struct fovea_arch_options *known,
                                 struct fovea_load_options *asked);

#endif
