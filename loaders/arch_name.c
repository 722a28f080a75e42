/* Names of systems, and the networks they stand for: see arch_zoo.h. */
#include "loaders/arch_zoo.h"

#include "loaders/arch_config.h"
#include "runtime/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char prefix[] = "arch:";

bool fovea_arch_is_name(const char *path) {
    return strncmp(path, prefix, sizeof(prefix) - 1) == 0;
}

static enum fovea_status fail_name(const char *text, struct fovea_error *err) {
    char names[400] = "";
    size_t at = 0;
    for (const struct fovea_arch_entry *e = fovea_arch_zoo; e->name && at < sizeof(names); e++) {
        at += (size_t)snprintf(names + at, sizeof(names) - at, "%s%s", at ? ", " : "", e->name);
    }
    return fovea_fail(err, FOVEA_ERR_INVALID, "'%s' is no architecture; known: %s",
                      fovea_quote(text).text, names);
}

static const struct fovea_arch_entry *find_entry(const char *name, size_t length) {
    for (const struct fovea_arch_entry *e = fovea_arch_zoo; e->name; e++) {
        if (strlen(e->name) == length && strncmp(e->name, name, length) == 0) {
            return e;
        }
    }
    return NULL;
}

static enum fovea_status parse_variant(const char *word, size_t length, struct fovea_arch_name *out,
                                       struct fovea_error *err) {
    static const struct {
        const char *word;
        enum fovea_head head;
    } heads[] = {{"map", FOVEA_HEAD_MAP}, {"gap", FOVEA_HEAD_GAP}, {"token", FOVEA_HEAD_TOKEN}};
    bool vit = out->entry->family == FOVEA_FAMILY_VIT;
    for (size_t i = 0; vit && i < sizeof(heads) / sizeof(heads[0]); i++) {
        if (strlen(heads[i].word) == length && strncmp(heads[i].word, word, length) == 0) {
            out->head = heads[i].head;
            return FOVEA_OK;
        }
    }
    if (out->entry->plus && length == 1 && *word == 'b') {
        out->wide = true;
        return FOVEA_OK;
    }
    return fovea_fail(err, FOVEA_ERR_INVALID, "'%.*s' is no variant of %s; %s", (int)length,
                      fovea_quote(word).text, out->entry->name,
                      vit                ? "map, gap and token are"
                      : out->entry->plus ? "b is"
                                         : "there is none");
}

static enum fovea_status parse_size(const char *text, int *out, struct fovea_error *err) {
    char *end;
    long size = strtol(text, &end, 10);
    if (end == text || *end || size < 1 || size > FOVEA_LIMIT_INPUT_SIDE) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "'%s' is no size; 1 to %d are",
                          fovea_quote(text).text, FOVEA_LIMIT_INPUT_SIDE);
    }
    *out = (int)size;
    return FOVEA_OK;
}

enum fovea_status fovea_arch_name_parse(const char *text, struct fovea_arch_name *out,
                                        struct fovea_error *err) {
    const char *name = text + (fovea_arch_is_name(text) ? sizeof(prefix) - 1 : 0);
    size_t length = strcspn(name, ":@");
    struct fovea_arch_name found = {.entry = find_entry(name, length), .head = FOVEA_HEAD_MAP};
    if (!found.entry) {
        return fail_name(name, err);
    }
    enum fovea_status status = FOVEA_OK;
    found.size = found.entry->size;
    name += length;
    if (*name == ':') {
        length = strcspn(++name, "@");
        status = parse_variant(name, length, &found, err);
        name += length;
    }
    if (!status && *name == '@') {
        status = parse_size(name + 1, &found.size, err);
    }
    if (!status) {
        *out = found;
    }
    return status;
}

/* ---- configurations ------------------------------------------------------------------ */

/*
 * Widths, and the bottlenecks of groups of 128 channels. The released code
 * rounds the wider networks' 192 channels of stage 0 down to one group of 128;
 * what their paper counts has 192 in one group.
 */
enum fovea_status fovea_arch_name_nfnet(const struct fovea_arch_name *name,
                                        struct fovea_nfnet_config *out, struct fovea_error *err) {
    static const int64_t widths[2][FOVEA_NFNET_STAGES] = {{256, 512, 1536, 1536},
                                                          {384, 768, 2048, 2048}};
    static const int depths[FOVEA_NFNET_STAGES] = {1, 2, 6, 3};
    const int64_t *width = widths[name->entry->plus];
    struct fovea_nfnet_config c = {
        .stem = {16, 32, 64, width[0] / 2},
        .final = 2 * width[3],
        .classes = 1000,
        .ws = FOVEA_WS_DEEPMIND,
        .gelu_tanh = true,
        .skip_gain = true,
        .same_padding = true,
        .height = name->size,
        .width = name->size,
    };
    if (name->size < 32) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "%d pixels are less than the network's stride, 32", name->size);
    }
    for (int s = 0; s < FOVEA_NFNET_STAGES; s++) {
        int64_t half = width[s] / 2, groups = half / 128;
        c.stages[s] = (struct fovea_nfnet_stage){
            .depth = depths[s] * (name->entry->f + 1),
            .out = width[s],
            .mid = name->wide ? half : 128 * groups,
            .groups = groups,
            .squeezed = half,
        };
    }
    *out = c;
    return FOVEA_OK;
}

enum fovea_status fovea_arch_name_vit(const struct fovea_arch_name *name,
                                      struct fovea_vit_config *out, struct fovea_error *err) {
    const struct fovea_arch_entry *e = name->entry;
    bool token = name->head == FOVEA_HEAD_TOKEN || name->head == FOVEA_HEAD_TOKEN_GAP;
    int64_t side = name->size / e->patch;
    if (side < 1) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "%d pixels are less than a patch, %d", name->size,
                          e->patch);
    }
    *out = (struct fovea_vit_config){
        .patch = e->patch,
        .width = e->width,
        .depth = e->depth,
        .mlp = e->mlp,
        .heads = e->heads,
        .classes = 1000,
        .grid_h = side,
        .grid_w = side,
        .prefix = token,
        .positions = side * side + token,
        .pool_mlp = e->mlp,
        .class_token = token,
        .patch_bias = true,
        .qkv_bias = true,
        .final_norm = true,
        .gelu_tanh = true,
        .head = name->head,
        .norm_eps = 1e-6,
        .height = name->size,
        .width_px = name->size,
    };
    return FOVEA_OK;
}
