/* See arch_overrides.h. */
#include "loaders/arch_overrides.h"

#include "runtime/limits.h"

#include <stdio.h>
#include <string.h>

struct word {
    const char *word;
    int meaning;
};

/* Set *out to what `text` (NULL: not given) means. */
static enum fovea_status parse_word(const char *what, const char *text, const struct word *words,
                                    int *out, struct fovea_error *err) {
    char known[64] = "";
    size_t at = 0;
    for (; text && words->word; words++) {
        if (strcmp(words->word, text) == 0) {
            *out = words->meaning;
            return FOVEA_OK;
        }
        at += (size_t)snprintf(known + at, sizeof(known) - at, "%s%s", at ? ", " : "", words->word);
    }
    return text ? fovea_fail(err, FOVEA_ERR_INVALID, "%s '%s' is none of %s", what,
                             fovea_quote(text).text, known)
                : FOVEA_OK;
}

/* An option that a network of this family has no use for would be dropped in silence. */
static enum fovea_status check_family(const struct fovea_load_options *options,
                                      enum fovea_arch_family family, struct fovea_error *err) {
    if (family == FOVEA_FAMILY_VIT) {
        return options->ws_eps ? fovea_fail(err, FOVEA_ERR_INVALID,
                                            "ws-eps is for NFNets, and this network is a ViT")
                               : FOVEA_OK;
    }
    const char *what = options->heads > 0   ? "heads"
                       : options->head_type ? "head-type"
                       : options->positions ? "positions"
                                            : NULL;
    return what ? fovea_fail(err, FOVEA_ERR_INVALID, "%s is for ViTs, and this network is an NFNet",
                             what)
                : FOVEA_OK;
}

static enum fovea_status parse_words(const struct fovea_load_options *options,
                                     struct fovea_arch_hints *hints, struct fovea_error *err) {
    static const struct word eps[] = {{"dm", FOVEA_WS_DEEPMIND}, {"timm", FOVEA_WS_TIMM}, {0}};
    static const struct word gelu[] = {{"tanh", FOVEA_YES}, {"erf", FOVEA_NO}, {0}};
    static const struct word heads[] = {{"token", FOVEA_HEAD_TOKEN},
                                        {"gap", FOVEA_HEAD_GAP},
                                        {"map", FOVEA_HEAD_MAP},
                                        {"token+gap", FOVEA_HEAD_TOKEN_GAP},
                                        {0}};
    int ws = (int)hints->ws, tanh = (int)hints->gelu_tanh, head = (int)hints->head;
    enum fovea_status status = parse_word("ws-eps", options->ws_eps, eps, &ws, err);
    status = status ? status : parse_word("gelu", options->gelu, gelu, &tanh, err);
    status = status ? status : parse_word("head-type", options->head_type, heads, &head, err);
    hints->ws = (enum fovea_ws_rule)ws;
    hints->gelu_tanh = (enum fovea_choice)tanh;
    hints->head = (enum fovea_head)head;
    return status;
}

enum fovea_status fovea_arch_override_hints(const struct fovea_load_options *options,
                                            enum fovea_arch_family family,
                                            struct fovea_arch_hints *hints,
                                            struct fovea_error *err) {
    enum fovea_status status = parse_words(options, hints, err);
    status = status ? status : check_family(options, family, err);
    if (!status &&
        (options->heads < 0 || options->size < 0 || options->size > FOVEA_LIMIT_INPUT_SIDE)) {
        status = fovea_fail(err, FOVEA_ERR_INVALID, "%d heads at size %d are out of range",
                            options->heads, options->size);
    }
    hints->heads = options->heads > 0 ? options->heads : hints->heads;
    if (options->size > 0) {
        hints->height = hints->width = options->size;
        hints->resize = true;
    }
    if (!status && options->positions) {
        status = fovea_positions_find(options->positions, &hints->positions, err);
    }
    return status;
}

/* ---- networks by name ------------------------------------------------------------ */

enum fovea_status fovea_arch_override_name(const struct fovea_load_options *options,
                                           struct fovea_arch_name *name, struct fovea_error *err) {
    struct fovea_arch_hints hints = {.height = name->size, .head = name->head};
    enum fovea_status status = fovea_arch_override_hints(options, name->entry->family, &hints, err);
    if (!status && options->positions) {
        status = fovea_fail(err, FOVEA_ERR_INVALID,
                            "positions is for checkpoints: a network by name is made for its size");
    }
    if (!status) {
        name->size = hints.height;
        name->head = hints.head;
    }
    return status;
}

enum fovea_status fovea_arch_override_nfnet(const struct fovea_load_options *options,
                                            struct fovea_nfnet_config *config,
                                            struct fovea_error *err) {
    struct fovea_arch_hints hints = {.ws = config->ws,
                                     .gelu_tanh = config->gelu_tanh ? FOVEA_YES : FOVEA_NO};
    enum fovea_status status = parse_words(options, &hints, err);
    config->ws = hints.ws;
    config->gelu_tanh = hints.gelu_tanh == FOVEA_YES;
    return status;
}

enum fovea_status fovea_arch_override_vit(const struct fovea_load_options *options,
                                          struct fovea_vit_config *config,
                                          struct fovea_error *err) {
    struct fovea_arch_hints hints = {.gelu_tanh = config->gelu_tanh ? FOVEA_YES : FOVEA_NO};
    enum fovea_status status = parse_words(options, &hints, err);
    config->gelu_tanh = hints.gelu_tanh == FOVEA_YES;
    config->heads = options->heads > 0 ? options->heads : config->heads;
    return status ? status : fovea_vit_check_heads(config, err);
}
