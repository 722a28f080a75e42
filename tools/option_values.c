/* Parsers of option values: see options.h. */
#include "tools/options.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

bool option_digits(const char **text, size_t *out) {
    char *end;
    if (**text < '0' || **text > '9') {
        return false;
    }
    errno = 0;
    unsigned long long value = strtoull(*text, &end, 10);
    if (errno || value > SIZE_MAX) {
        return false;
    }
    *text = end;
    *out = (size_t)value;
    return true;
}

enum fovea_status option_flag(const char *text, void *target, struct fovea_error *err) {
    (void)text;
    (void)err;
    *(bool *)target = true;
    return FOVEA_OK;
}

enum fovea_status option_text(const char *text, void *target, struct fovea_error *err) {
    (void)err;
    *(const char **)target = text;
    return FOVEA_OK;
}

enum fovea_status option_count(const char *text, void *target, struct fovea_error *err) {
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (end == text || *end || errno || value < 1 || value > INT_MAX) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "'%s' is not a number in 1..%d",
                          fovea_quote(text).text, INT_MAX);
    }
    *(int *)target = (int)value;
    return FOVEA_OK;
}

enum fovea_status option_size(const char *text, void *target, struct fovea_error *err) {
    const char *at = text;
    size_t value;
    if (!option_digits(&at, &value) || *at) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "'%s' is not a number from 0 on",
                          fovea_quote(text).text);
    }
    *(size_t *)target = value;
    return FOVEA_OK;
}

enum fovea_status option_real(const char *text, void *target, struct fovea_error *err) {
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end || !isfinite(value) || value < 0) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "'%s' is not a number from 0 on",
                          fovea_quote(text).text);
    }
    *(double *)target = value;
    return FOVEA_OK;
}

enum fovea_status option_bytes(const char *text, void *target, struct fovea_error *err) {
    static const char suffixes[] = "KMGT";
    char *end;
    double value = strtod(text, &end);
    double unit = 1;
    const char *suffix = *end ? strchr(suffixes, toupper((unsigned char)*end)) : NULL;
    if (end != text && suffix) {
        unit = pow(1024, (double)(suffix - suffixes + 1));
        end++;
    }
    /* 2^53: every whole number of bytes up to here is a double */
    if (end == text || *end || !(value * unit >= 1) || value * unit > 9007199254740992.0) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "'%s' is not a number of bytes (512M, 4G; suffixes K, M, G, T)",
                          fovea_quote(text).text);
    }
    *(size_t *)target = (size_t)(value * unit);
    return FOVEA_OK;
}

enum fovea_status option_append(const char *text, void *target, struct fovea_error *err) {
    struct text_list *list = target;
    size_t bytes = (list->count + 1) * sizeof(*list->texts);
    const char **grown = realloc(list->texts, bytes);
    if (!grown) {
        return fovea_fail_memory(err, bytes, "options");
    }
    list->texts = grown;
    list->texts[list->count++] = text;
    return FOVEA_OK;
}

void text_list_finish(struct text_list *list) {
    free(list->texts);
    *list = (struct text_list){0};
}
