/* The table of systems, and their names: see arch_zoo.h. */
#include "loaders/arch_zoo.h"

#include "loaders/arch_config.h"
#include "runtime/limits.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BROCK "Brock et al. 2021, arXiv 2102.06171"
#define SMITH "Smith et al. 2023, arXiv 2310.16764"
#define ZHAI "Zhai et al. 2022, arXiv 2106.04560"
#define SOVIT "Alabdulmohsin et al. 2023, arXiv 2305.13035"
#define MACS " multiply-adds"
#define FLOPS ", 2 a multiply-add"
#define NO_HEADS ", without MAP head and classifier"

const struct fovea_arch_entry fovea_arch_zoo[] = {
    {.name = "nfnet-f0",
     .family = FOVEA_FAMILY_NFNET,
     .size = 256,
     .f = 0,
     .published = {"71.5 M", "12.38 G" MACS " at 256", "83.6 %", NULL, BROCK}},
    {.name = "nfnet-f1",
     .family = FOVEA_FAMILY_NFNET,
     .size = 320,
     .f = 1,
     .published = {"132.6 M", "35.54 G" MACS " at 320", "84.7 %", NULL, BROCK}},
    {.name = "nfnet-f2",
     .family = FOVEA_FAMILY_NFNET,
     .size = 352,
     .f = 2,
     .published = {"193.8 M", "62.59 G" MACS " at 352", "85.1 %", NULL, BROCK}},
    {.name = "nfnet-f3",
     .family = FOVEA_FAMILY_NFNET,
     .size = 416,
     .f = 3,
     .published = {"254.9 M", "114.76 G" MACS " at 416", "85.7 %", NULL, BROCK}},
    {.name = "nfnet-f4",
     .family = FOVEA_FAMILY_NFNET,
     .size = 512,
     .f = 4,
     .published = {"316.1 M", "215.24 G" MACS " at 512", "85.9 %; 89.2 % after JFT-300M", NULL,
                   BROCK}},
    {.name = "nfnet-f5",
     .family = FOVEA_FAMILY_NFNET,
     .size = 544,
     .f = 5,
     .published = {"377.2 M", "289.76 G" MACS " at 544",
                   "86.0 %; 86.8 % with SAM and repeated augmentation (Fort et al. 2021)", NULL,
                   BROCK}},
    {.name = "nfnet-f6",
     .family = FOVEA_FAMILY_NFNET,
     .size = 576,
     .f = 6,
     .published = {"438.4 M", "377.28 G" MACS " at 576", "86.5 % with SAM", NULL, BROCK}},
    {.name = "nfnet-f7",
     .family = FOVEA_FAMILY_NFNET,
     .size = 608,
     .f = 7,
     .published = {NULL, NULL, NULL, NULL, SMITH " (widths of F3, twice its depth)"}},
    {.name = "nfnet-f0+",
     .family = FOVEA_FAMILY_NFNET,
     .size = 256,
     .f = 0,
     .plus = true,
     .published = {NULL, NULL, NULL, NULL, NULL}},
    {.name = "nfnet-f1+",
     .family = FOVEA_FAMILY_NFNET,
     .size = 320,
     .f = 1,
     .plus = true,
     .published = {NULL, NULL, NULL, NULL, NULL}},
    {.name = "nfnet-f2+",
     .family = FOVEA_FAMILY_NFNET,
     .size = 352,
     .f = 2,
     .plus = true,
     .published = {NULL, NULL, NULL, NULL, NULL}},
    {.name = "nfnet-f3+",
     .family = FOVEA_FAMILY_NFNET,
     .size = 480,
     .f = 3,
     .plus = true,
     .published = {NULL, NULL, NULL, NULL, SMITH}},
    {.name = "nfnet-f4+",
     .family = FOVEA_FAMILY_NFNET,
     .size = 512,
     .f = 4,
     .plus = true,
     .published = {"527 M", "367 G" MACS " at 512", "89.2 % after JFT-300M", NULL,
                   BROCK " (reading b)"}},
    {.name = "nfnet-f5+",
     .family = FOVEA_FAMILY_NFNET,
     .size = 544,
     .f = 5,
     .plus = true,
     .published = {NULL, NULL, NULL, NULL, NULL}},
    {.name = "nfnet-f6+",
     .family = FOVEA_FAMILY_NFNET,
     .size = 576,
     .f = 6,
     .plus = true,
     .published = {NULL, NULL, NULL, NULL, NULL}},
    {.name = "nfnet-f7+",
     .family = FOVEA_FAMILY_NFNET,
     .size = 480,
     .f = 7,
     .plus = true,
     .published = {NULL, NULL, "90.3 % at 480 after JFT-4B; 90.4 % with repeated augmentation",
                   "110k TPU-v4 core-hours, 1.6k more for fine-tuning", SMITH}},
    {.name = "vit-ti/16",
     .family = FOVEA_FAMILY_VIT,
     .size = 224,
     .patch = 16,
     .width = 192,
     .depth = 12,
     .mlp = 768,
     .heads = 3,
     .published = {"5.5 M" NO_HEADS, "2.5 / 9.5 GFLOP at 224 / 384" FLOPS, NULL, NULL, ZHAI}},
    {.name = "vit-s/32",
     .family = FOVEA_FAMILY_VIT,
     .size = 224,
     .patch = 32,
     .width = 384,
     .depth = 12,
     .mlp = 1536,
     .heads = 6,
     .published = {"22 M" NO_HEADS, "2.3 / 6.9 GFLOP at 224 / 384" FLOPS, NULL, NULL, ZHAI}},
    {.name = "vit-s/16",
     .family = FOVEA_FAMILY_VIT,
     .size = 224,
     .patch = 16,
     .width = 384,
     .depth = 12,
     .mlp = 1536,
     .heads = 6,
     .published = {"22 M" NO_HEADS, "9.2 / 31.2 GFLOP at 224 / 384" FLOPS, NULL, NULL, ZHAI}},
    {.name = "vit-s256/28",
     .family = FOVEA_FAMILY_VIT,
     .size = 224,
     .patch = 28,
     .width = 256,
     .depth = 6,
     .mlp = 1024,
     .heads = 8,
     .published = {"5.4 M" NO_HEADS, "0.7 / 2.0 GFLOP at 224 / 384" FLOPS, NULL, NULL,
                   ZHAI " (there s/28)"}},
    {.name = "vit-s256/16",
     .family = FOVEA_FAMILY_VIT,
     .size = 224,
     .patch = 16,
     .width = 256,
     .depth = 6,
     .mlp = 1024,
     .heads = 8,
     .published = {"5.0 M" NO_HEADS, "2.2 / 7.8 GFLOP at 224 / 384" FLOPS, NULL, NULL,
                   ZHAI " (there s/16)"}},
    {.name = "vit-b/32",
     .family = FOVEA_FAMILY_VIT,
     .size = 224,
     .patch = 32,
     .width = 768,
     .depth = 12,
     .mlp = 3072,
     .heads = 12,
     .published = {"87 M" NO_HEADS, "8.7 / 26.0 GFLOP at 224 / 384" FLOPS, NULL, NULL, ZHAI}},
    {.name = "vit-b/28",
     .family = FOVEA_FAMILY_VIT,
     .size = 224,
     .patch = 28,
     .width = 768,
     .depth = 12,
     .mlp = 3072,
     .heads = 12,
     .published = {"87 M" NO_HEADS, "11.3 / 30.5 GFLOP at 224 / 384" FLOPS, NULL, NULL, ZHAI}},
    {.name = "vit-b/16",
     .family = FOVEA_FAMILY_VIT,
     .size = 224,
     .patch = 16,
     .width = 768,
     .depth = 12,
     .mlp = 3072,
     .heads = 12,
     .published = {"86 M" NO_HEADS, "35.1 / 111.3 GFLOP at 224 / 384" FLOPS, NULL, NULL, ZHAI}},
    {.name = "vit-l/16",
     .family = FOVEA_FAMILY_VIT,
     .size = 224,
     .patch = 16,
     .width = 1024,
     .depth = 24,
     .mlp = 4096,
     .heads = 16,
     .published = {"303 M" NO_HEADS, "122.9 / 382.8 GFLOP at 224 / 384" FLOPS,
                   "88.5 % at 384 after JFT-3B", NULL, ZHAI "; " SOVIT}},
    {.name = "vit-h/14",
     .family = FOVEA_FAMILY_VIT,
     .size = 224,
     .patch = 14,
     .width = 1280,
     .depth = 32,
     .mlp = 5120,
     .heads = 16,
     .published = {"632 M, with class token, without MAP head", "1021 GMAC at 518", NULL, NULL,
                   "Tu et al. 2022, arXiv 2204.01697 (MaxViT)"}},
    {.name = "vit-g/14",
     .family = FOVEA_FAMILY_VIT,
     .size = 224,
     .patch = 14,
     .width = 1408,
     .depth = 40,
     .mlp = 6144,
     .heads = 16,
     .published = {"1011 M" NO_HEADS, "533.1 / 1596.4 / 3208 GFLOP at 224 / 384 / 518" FLOPS,
                   "90.2 % at 518 after JFT-3B", "210k TPU-v3 core-hours (about 120k of TPU-v4)",
                   ZHAI "; " SOVIT "; " SMITH}},
    {.name = "vit-G/14",
     .family = FOVEA_FAMILY_VIT,
     .size = 224,
     .patch = 14,
     .width = 1664,
     .depth = 48,
     .mlp = 8192,
     .heads = 16,
     .published = {"1843 M" NO_HEADS "; 1882 M with both (2305.13035)",
                   "965.3 / 2859.9 / 5668 GFLOP at 224 / 384 / 518" FLOPS,
                   "90.45 % at 518 after JFT-3B",
                   "over 500k TPU-v3 core-hours (about 280k of TPU-v4)", ZHAI "; " SMITH}},
    {.name = "sovit-400m/14",
     .family = FOVEA_FAMILY_VIT,
     .size = 224,
     .patch = 14,
     .width = 1152,
     .depth = 27,
     .mlp = 4304,
     .heads = 16,
     .published = {"428 M, with MAP head, without classifier",
                   "221 / 672 / 1374 GFLOP at 224 / 384 / 518" FLOPS,
                   "88.9 / 90.0 / 90.3 % at 224 / 384 / 518 after JFT-3B",
                   "230k TPU-v3 core-hours (about 130k of TPU-v4)", SOVIT "; " SMITH}},
    {.name = NULL},
};

/* ---- names ------------------------------------------------------------------------ */

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
    bool token = name->head == FOVEA_HEAD_TOKEN;
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

/* ---- likeness -------------------------------------------------------------------------- */

static double ratio(double a, double b) {
    return fabs(log((a + 1) / (b + 1)));
}

const struct fovea_arch_entry *fovea_arch_nearest_nfnet(const struct fovea_nfnet_config *config) {
    const struct fovea_arch_entry *best = fovea_arch_zoo;
    double least = INFINITY;
    for (const struct fovea_arch_entry *e = fovea_arch_zoo; e->name; e++) {
        if (e->family != FOVEA_FAMILY_NFNET) {
            continue;
        }
        double far = ratio(config->stages[0].depth, e->f + 1) +
                     ratio((double)config->stages[0].out, e->plus ? 384 : 256);
        best = far < least ? e : best;
        least = far < least ? far : least;
    }
    return best;
}

const struct fovea_arch_entry *fovea_arch_nearest_vit(const struct fovea_vit_config *config) {
    const struct fovea_arch_entry *best = fovea_arch_zoo;
    double least = INFINITY;
    for (const struct fovea_arch_entry *e = fovea_arch_zoo; e->name; e++) {
        if (e->family != FOVEA_FAMILY_VIT) {
            continue;
        }
        double far = ratio((double)config->width, e->width) +
                     ratio((double)config->depth, e->depth) + ratio((double)config->mlp, e->mlp) +
                     0.1 * ratio((double)config->patch, e->patch);
        best = far < least ? e : best;
        least = far < least ? far : least;
    }
    return best;
}
