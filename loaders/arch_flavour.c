/* Applying a flavour's table: see arch_flavour.h. The tables are in arch_tables.c. */
#include "loaders/arch_flavour.h"
#include "loaders/arch_tables.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_NUMBERS = 3, MAX_NUMBER = 9999, NAME_BYTES = 320 };

struct numbers {
    int value[MAX_NUMBERS];
    int count;
};

/* ---- patterns -------------------------------------------------------------- */

static bool read_number(const char **at, int *out) {
    const char *p = *at;
    int number = 0;
    if (*p < '0' || *p > '9' || (*p == '0' && p[1] >= '0' && p[1] <= '9')) {
        return false;
    }
    while (*p >= '0' && *p <= '9' && number <= MAX_NUMBER) {
        number = 10 * number + (*p++ - '0');
    }
    *at = p;
    *out = number;
    return number <= MAX_NUMBER;
}

static bool match(const char *pattern, const char *name, struct numbers *out) {
    out->count = 0;
    for (; *pattern; pattern++) {
        if (*pattern == '*') {
            return true;
        }
        bool first_of_many = *pattern == '$' && *name != '_';
        if (*pattern != '#' && *pattern != '$') {
            if (*name++ != *pattern) {
                return false;
            }
            continue;
        }
        if (out->count == MAX_NUMBERS) {
            return false;
        }
        int *number = &out->value[out->count++];
        *number = 0;
        if (!first_of_many) {
            name += *pattern == '$';
            if (!read_number(&name, number)) {
                return false;
            }
        }
    }
    return *name == 0;
}

static void fill_in(const char *pattern, const struct numbers *numbers, char name[NAME_BYTES]) {
    size_t at = 0;
    int next = 0;
    for (; *pattern && at + 12 < NAME_BYTES; pattern++) {
        if (*pattern == '#' && next < numbers->count) {
            at += (size_t)snprintf(name + at, NAME_BYTES - at, "%d", numbers->value[next++]);
        } else {
            name[at++] = *pattern;
        }
    }
    name[at] = 0;
}

/* ---- haiku's blocks ----------------------------------------------------------- */

/*
 * Haiku numbers the blocks of an NFNet through all stages. A stage begins with
 * a block whose shortcut has a convolution: block `number` is the second of
 * the pair (stage, index) that replaces it.
 */
static void number_stages(const struct fovea_tensor_dict *dict, const char *base,
                          struct numbers *numbers) {
    int stage = -1, first = 0;
    for (int i = 0; i <= numbers->value[0]; i++) {
        char name[NAME_BYTES], number[16] = "";
        if (i > 0) {
            snprintf(number, sizeof(number), "_%d", i);
        }
        snprintf(name, sizeof(name), "%sNFNet/~/nf_block%s/~/conv_shortcut/w", base, number);
        if (fovea_tensor_dict_find(dict, name)) {
            stage++;
            first = i;
        }
    }
    numbers->value[1] = numbers->value[0] - first;
    numbers->value[0] = stage < 0 ? 0 : stage;
    numbers->count = 2;
}

/* ---- shapes ------------------------------------------------------------------- */

/* Dimensions `at` and at + 1 become one; the shape has been checked, so this cannot overflow. */
static void join(struct fovea_tensor *t, int at) {
    t->dims[at] *= t->dims[at + 1];
    for (int d = at + 1; d + 1 < t->rank; d++) {
        t->dims[d] = t->dims[d + 1];
    }
    t->rank--;
}

/* False if the rank is not what such a shape has. */
static bool interpret(enum fovea_arch_shape shape, struct fovea_arch_param *param) {
    static const int ranks[] = {
        [FOVEA_SHAPE_IN_OUT] = 2,    [FOVEA_SHAPE_HWIO] = 4,  [FOVEA_SHAPE_HEADS_IN] = 3,
        [FOVEA_SHAPE_HEADS_OUT] = 3, [FOVEA_SHAPE_HEADS] = 2,
    };
    struct fovea_tensor *t = &param->t;
    if (shape == FOVEA_SHAPE_SAME) {
        return true;
    }
    if (t->rank != ranks[shape]) {
        return false;
    }
    switch (shape) {
    case FOVEA_SHAPE_HWIO:
        param->form = FOVEA_ARCH_HWIO;
        break;
    case FOVEA_SHAPE_HEADS_IN:
        param->heads = t->dims[1] <= INT32_MAX ? (int)t->dims[1] : 0;
        join(t, 1);
        param->form = FOVEA_ARCH_IN_OUT;
        break;
    case FOVEA_SHAPE_HEADS:
        join(t, 0);
        break;
    case FOVEA_SHAPE_HEADS_OUT:
        join(t, 0);
        param->form = FOVEA_ARCH_IN_OUT;
        break;
    default:
        param->form = FOVEA_ARCH_IN_OUT;
        break;
    }
    return true;
}

/* ---- the whole ------------------------------------------------------------------ */

static enum fovea_status add_one(const struct fovea_arch_row *row, const struct numbers *numbers,
                                 const struct fovea_named_tensor *from,
                                 const struct fovea_tensor *t, struct fovea_arch_params *params,
                                 struct fovea_error *err) {
    char name[NAME_BYTES];
    struct fovea_arch_param p = {.name = name, .source = from->name, .t = *t};
    fill_in(row->to, numbers, name);
    if (!interpret(row->shape, &p)) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "tensor '%s' has shape %s, which %s cannot have",
                          fovea_quote(from->name).text, fovea_shape_text(&from->t).text, name);
    }
    return fovea_arch_params_add(params, &p, err);
}

/*
 * A tensor of one block; or of all blocks, stacked along a leading dimension
 * as jax.lax.scan leaves them: then `to` has a number that `from` has not.
 */
static enum fovea_status add_by_row(const struct fovea_arch_row *row, struct numbers numbers,
                                    const struct fovea_named_tensor *from,
                                    struct fovea_arch_params *params, struct fovea_error *err) {
    enum { MOST_LAYERS = 1000 };
    bool stacked = strchr(row->to, '#') && numbers.count == 0;
    if (!stacked) {
        return add_one(row, &numbers, from, &from->t, params, err);
    }
    if (from->t.rank < 2 || from->t.dims[0] > MOST_LAYERS) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "tensor '%s' has shape %s; blocks stacked, at most %d, are expected",
                          fovea_quote(from->name).text, fovea_shape_text(&from->t).text,
                          MOST_LAYERS);
    }
    struct fovea_tensor layer = from->t;
    layer.rank--;
    memmove(layer.dims, layer.dims + 1, (size_t)layer.rank * sizeof(*layer.dims));
    size_t bytes = fovea_tensor_bytes(&layer);
    enum fovea_status status = FOVEA_OK;
    for (int i = 0; !status && i < (int)from->t.dims[0]; i++) {
        layer.data = from->t.data ? (char *)from->t.data + (size_t)i * bytes : NULL;
        numbers = (struct numbers){.value = {i}, .count = 1};
        status = add_one(row, &numbers, from, &layer, params, err);
    }
    return status;
}

static enum fovea_status add_tensor(const struct fovea_arch_flavour *flavour,
                                    const struct fovea_tensor_dict *dict, const char *base,
                                    const struct fovea_named_tensor *from,
                                    struct fovea_arch_params *params, struct fovea_error *err) {
    struct numbers numbers = {0};
    const char *name = from->name + strlen(base);
    for (const struct fovea_arch_row *row = flavour->rows; row->from; row++) {
        if (!match(row->from, name, &numbers)) {
            continue;
        }
        if (row->shape == FOVEA_SHAPE_IGNORED) {
            return FOVEA_OK;
        }
        if (strchr(row->from, '$') && strchr(row->to, '#')) {
            number_stages(dict, base, &numbers);
        }
        return add_by_row(row, numbers, from, params, err);
    }
    const struct fovea_arch_param p = {.name = name, .source = from->name, .t = from->t};
    return fovea_arch_params_add(params, &p, err);
}

enum fovea_status fovea_arch_flavour_apply(const struct fovea_arch_flavour *flavour,
                                           const struct fovea_tensor_dict *dict, const char *base,
                                           struct fovea_arch_params *params,
                                           struct fovea_error *err) {
    enum fovea_status status = FOVEA_OK;
    for (size_t i = 0; !status && i < dict->count; i++) {
        if (strncmp(dict->entries[i].name, base, strlen(base)) == 0) {
            status = add_tensor(flavour, dict, base, &dict->entries[i], params, err);
        }
    }
    return status ? status : fovea_arch_params_seal(params, err);
}

/* ---- which flavour ------------------------------------------------------------------ */

static bool is_name_of(const struct fovea_arch_flavour *flavour, const char *name) {
    struct numbers numbers;
    for (const struct fovea_arch_row *row = flavour->rows; row->from; row++) {
        if (match(row->from, name, &numbers)) {
            return true;
        }
    }
    for (const char *const *known = flavour->names; known && *known; known++) {
        if (match(*known, name, &numbers)) {
            return true;
        }
    }
    return false;
}

/* A flavour whose marker a checkpoint lacks, and how many of its names are the flavour's. */
struct likeness {
    const struct fovea_arch_flavour *flavour;
    char base[FOVEA_ARCH_BASE_BYTES];
    size_t count;
};

/* Names beyond these are not looked at: a refusal must be quick, too. */
enum { MOST_LIKENED = 10000 };

/* Keep the flavour that most names after `base` are of, if they are more than so far. */
static void liken(const struct fovea_tensor_dict *dict, const char *base, struct likeness *best) {
    size_t length = strlen(base), n = dict->count < MOST_LIKENED ? dict->count : MOST_LIKENED;
    for (const struct fovea_arch_flavour *f = fovea_arch_flavours; f->name; f++) {
        size_t count = 0;
        for (size_t i = 0; i < n; i++) {
            const char *name = dict->entries[i].name;
            count += strncmp(name, base, length) == 0 && is_name_of(f, name + length);
        }
        if (count > best->count) {
            best->flavour = f;
            best->count = count;
            snprintf(best->base, sizeof(best->base), "%s", base);
        }
    }
}

/* Few common names ("norm.weight") are chance. */
static enum fovea_status fail_unknown(const struct fovea_tensor_dict *dict,
                                      const struct likeness *best, struct fovea_error *err) {
    static const char way_out[] = "export the network to ONNX where it was trained "
                                  "(torch.onnx.export), and give that file";
    if (best->count > 0 && best->count >= dict->count / 4) {
        return fovea_fail(
            err, FOVEA_ERR_UNSUPPORTED,
            "the checkpoint is of no known architecture: the nearest is %s, as in which "
            "%zu of its %zu tensors are named, but '%s%s' is missing; if it is "
            "another, %s",
            best->flavour->name, best->count, dict->count, fovea_quote(best->base).text,
            best->flavour->marker, way_out);
    }
    return fovea_fail(err, FOVEA_ERR_UNSUPPORTED,
                      "the checkpoint is of no known architecture: its %zu tensors, the first of "
                      "which is '%s', are neither an NFNet's nor a ViT's in the names of timm, "
                      "DeepMind, big_vision, transformers or torchvision; %s",
                      dict->count, dict->count ? fovea_quote(dict->entries[0].name).text : "",
                      way_out);
}

static const struct fovea_arch_flavour *find_marker(const struct fovea_tensor_dict *dict,
                                                    const char *base) {
    for (const struct fovea_arch_flavour *f = fovea_arch_flavours; f->name; f++) {
        char name[NAME_BYTES];
        snprintf(name, sizeof(name), "%s%s", base, f->marker);
        if (fovea_tensor_dict_find(dict, name)) {
            return f;
        }
    }
    return NULL;
}

/* Append to `base` a prefix that some name has after it; false if there is none. */
static bool extend(const struct fovea_tensor_dict *dict, char base[FOVEA_ARCH_BASE_BYTES]) {
    size_t length = strlen(base);
    for (size_t p = 0; fovea_arch_prefixes[p]; p++) {
        const char *prefix = fovea_arch_prefixes[p];
        for (size_t i = 0; i < dict->count; i++) {
            const char *name = dict->entries[i].name;
            if (strncmp(name, base, length) == 0 &&
                strncmp(name + length, prefix, strlen(prefix)) == 0 &&
                length + strlen(prefix) < FOVEA_ARCH_BASE_BYTES) {
                snprintf(base + length, FOVEA_ARCH_BASE_BYTES - length, "%s", prefix);
                return true;
            }
        }
    }
    return false;
}

enum fovea_status fovea_arch_flavour_find(const struct fovea_tensor_dict *dict,
                                          char base[FOVEA_ARCH_BASE_BYTES],
                                          const struct fovea_arch_flavour **out,
                                          struct fovea_error *err) {
    struct likeness best = {0};
    base[0] = 0;
    do {
        *out = find_marker(dict, base);
        if (*out) {
            return FOVEA_OK;
        }
        liken(dict, base, &best);
    } while (extend(dict, base));
    return fail_unknown(dict, &best, err);
}
