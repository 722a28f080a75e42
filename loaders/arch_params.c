/* See arch_params.h. */
#include "loaders/arch_params.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_BYTES = 320 };

void fovea_arch_params_finish(struct fovea_arch_params *params) {
    for (int kind = 0; kind < FOVEA_ARCH_N_MISFITS; kind++) {
        free(params->misfits[kind]);
    }
    free(params->entries);
    fovea_arena_finish(&params->arena);
    memset(params, 0, sizeof(*params));
}

enum fovea_status fovea_arch_params_add(struct fovea_arch_params *params,
                                        const struct fovea_arch_param *param,
                                        struct fovea_error *err) {
    if (params->count == params->cap) {
        size_t cap = params->cap ? 2 * params->cap : 256;
        struct fovea_arch_param *longer = realloc(params->entries, cap * sizeof(*longer));
        if (!longer) {
            return fovea_fail_memory(err, cap * sizeof(*longer), "parameters");
        }
        params->entries = longer;
        params->cap = cap;
    }
    struct fovea_arch_param copy = *param;
    copy.name = fovea_arena_copy_text(&params->arena, param->name, strlen(param->name));
    copy.source = fovea_arena_copy_text(&params->arena, param->source, strlen(param->source));
    if (!copy.name || !copy.source) {
        return fovea_fail_memory(err, strlen(param->name), "a name");
    }
    params->entries[params->count++] = copy;
    return FOVEA_OK;
}

static int compare(const void *left, const void *right) {
    const struct fovea_arch_param *a = left, *b = right;
    return strcmp(a->name, b->name);
}

enum fovea_status fovea_arch_params_seal(struct fovea_arch_params *params,
                                         struct fovea_error *err) {
    if (params->count == 0) {
        return FOVEA_OK;
    }
    qsort(params->entries, params->count, sizeof(*params->entries), compare);
    for (size_t i = 1; i < params->count; i++) {
        const struct fovea_arch_param *a = &params->entries[i - 1], *b = &params->entries[i];
        if (strcmp(a->name, b->name) == 0) {
            return fovea_fail(err, FOVEA_ERR_INVALID, "tensors '%s' and '%s' are both %s",
                              fovea_quote(a->source).text, fovea_quote(b->source).text, a->name);
        }
    }
    return FOVEA_OK;
}

struct fovea_arch_param *fovea_arch_params_find(const struct fovea_arch_params *params,
                                                const char *format, ...) {
    char name[NAME_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(name, sizeof(name), format, args);
    va_end(args);
    const struct fovea_arch_param key = {.name = name};
    return params->count ? bsearch(&key, params->entries, params->count, sizeof(key), compare)
                         : NULL;
}

int64_t fovea_arch_param_dim(const struct fovea_arch_param *param, int d) {
    static const int hwio[4] = {3, 2, 0, 1};
    if (!param || d >= param->t.rank || fovea_tensor_count(&param->t) == 0) {
        return 0;
    }
    if (param->form == FOVEA_ARCH_IN_OUT && d < 2) {
        return param->t.dims[1 - d];
    }
    return param->t.dims[param->form == FOVEA_ARCH_HWIO ? hwio[d] : d];
}

void fovea_arch_params_note(struct fovea_arch_params *params, enum fovea_arch_misfit kind,
                            const char *format, ...) {
    char line[2 * NAME_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    if (params->n_misfits[kind] == params->cap_misfits[kind]) {
        size_t cap = params->cap_misfits[kind] ? 2 * params->cap_misfits[kind] : 64;
        const char **longer = realloc(params->misfits[kind], cap * sizeof(*longer));
        if (!longer) {
            params->lost = true;
            return;
        }
        params->misfits[kind] = longer;
        params->cap_misfits[kind] = cap;
    }
    const char *copy = fovea_arena_copy_text(&params->arena, line, strlen(line));
    params->lost = params->lost || !copy;
    if (copy) {
        params->misfits[kind][params->n_misfits[kind]++] = copy;
    }
}

void fovea_arch_params_note_unused(struct fovea_arch_params *params) {
    for (size_t i = 0; i < params->count; i++) {
        const struct fovea_arch_param *param = &params->entries[i];
        if (!param->used) {
            fovea_arch_params_note(params, FOVEA_ARCH_UNEXPECTED, "%s %s",
                                   fovea_quote(param->source).text,
                                   fovea_shape_text(&param->t).text);
        }
    }
}
