/* Descriptions field by field, and whether two of them are of one evaluation. */
#include "evaluation/description_fields.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIELD(name) #name, offsetof(struct eval_description, name)

/*
 * Paths and words may differ: one model can be in two places. What decides the
 * answers comes first, so that it is what gets named.
 */
const struct eval_field eval_text_fields[EVAL_N_TEXT_FIELDS] = {
    {FIELD(model_sha256), "the model's file"},
    {FIELD(list_sha256), "the list of images and labels"},
    {FIELD(recipe_sha256), "the recipe"},
    {FIELD(precision), "the precision"},
    {FIELD(library), "Fovea's version"},
    {FIELD(backend), "oneDNN or the CPU"},
    {FIELD(options), "the options"},
    {FIELD(model), NULL},
    {FIELD(dataset), NULL},
    {FIELD(dataset_words), NULL},
    {FIELD(recipe), NULL},
};

const struct eval_field eval_number_fields[EVAL_N_NUMBER_FIELDS] = {
    {FIELD(listed), "the number of images"},
    {FIELD(classes), "the number of classes"},
    {FIELD(parameters), NULL},
    {FIELD(macs), NULL},
};

/* The list of fields is const; what they are in is as const as the caller's. */
static void *field_at(const struct eval_description *d, size_t offset) {
    return (char *)d + offset;
}

char **eval_text_field(const struct eval_description *d, size_t i) {
    return field_at(d, eval_text_fields[i].offset);
}

uint64_t eval_number_field_get(const struct eval_description *d, size_t i) {
    const uint64_t values[EVAL_N_NUMBER_FIELDS] = {d->listed, (uint64_t)d->classes, d->parameters,
                                                   d->macs};
    return values[i];
}

bool eval_number_field_set(struct eval_description *d, size_t i, uint64_t value) {
    if ((i == 0 && value > SIZE_MAX) || (i == 1 && (value < 1 || value > INT32_MAX))) {
        return false;
    }
    d->listed = i == 0 ? (size_t)value : d->listed;
    d->classes = i == 1 ? (int32_t)value : d->classes;
    d->parameters = i == 2 ? value : d->parameters;
    d->macs = i == 3 ? value : d->macs;
    return true;
}

static bool same_names(const struct eval_description *a, const struct eval_description *b) {
    if (!a->names || !b->names) {
        return !a->names && !b->names;
    }
    for (int32_t i = 0; i < a->classes; i++) {
        if (strcmp(a->names[i], b->names[i]) != 0) {
            return false;
        }
    }
    return true;
}

/* Two texts from a little before where they differ, for a message that cannot hold them whole. */
static size_t shown_from(const char *a, const char *b) {
    enum { BEFORE = 16 };
    size_t same = 0;
    while (a[same] && a[same] == b[same]) {
        same++;
    }
    return strlen(a) < 64 && strlen(b) < 64 ? 0 : same > BEFORE ? same - BEFORE : 0;
}

enum fovea_status eval_description_match(const struct eval_description *theirs,
                                         const struct eval_description *ours,
                                         struct fovea_error *err) {
    for (size_t i = 0; i < EVAL_N_TEXT_FIELDS; i++) {
        const char *a = *eval_text_field(theirs, i), *b = *eval_text_field(ours, i);
        if (eval_text_fields[i].differ && strcmp(a, b) != 0) {
            size_t from = shown_from(a, b);
            return fovea_fail(
                err, FOVEA_ERR_INVALID, "of another evaluation, by %s: '%s%s' there, '%s%s' here",
                eval_text_fields[i].differ, from ? "..." : "", fovea_quote(a + from).text,
                from ? "..." : "", fovea_quote(b + from).text);
        }
    }
    for (size_t i = 0; i < EVAL_N_NUMBER_FIELDS; i++) {
        uint64_t a = eval_number_field_get(theirs, i), b = eval_number_field_get(ours, i);
        if (eval_number_fields[i].differ && a != b) {
            return fovea_fail(
                err, FOVEA_ERR_INVALID, "of another evaluation, by %s: %llu there, %llu here",
                eval_number_fields[i].differ, (unsigned long long)a, (unsigned long long)b);
        }
    }
    if (!same_names(theirs, ours)) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "of another evaluation, by the names of classes");
    }
    return FOVEA_OK;
}

bool eval_description_is_complete(const struct eval_description *d) {
    for (size_t i = 0; i < EVAL_N_TEXT_FIELDS; i++) {
        if (!*eval_text_field(d, i)) {
            return false;
        }
    }
    for (int32_t i = 0; d->names && i < d->classes; i++) {
        if (!d->names[i]) {
            return false;
        }
    }
    return d->classes > 0;
}

enum fovea_status eval_description_copy(struct eval_description *out,
                                        const struct eval_description *d, struct fovea_error *err) {
    struct eval_description copy = *d;
    bool ok = true;
    for (size_t i = 0; i < EVAL_N_TEXT_FIELDS; i++) {
        char **text = eval_text_field(&copy, i);
        *text = strdup(*text);
        ok = ok && *text;
    }
    if (d->names) {
        copy.names = calloc((size_t)d->classes, sizeof(*copy.names));
    }
    for (int32_t i = 0; copy.names && i < d->classes; i++) {
        copy.names[i] = strdup(d->names[i]);
        ok = ok && copy.names[i];
    }
    if (!ok || (d->names && !copy.names)) {
        eval_description_finish(&copy);
        return fovea_fail(err, FOVEA_ERR_MEMORY, "out of memory for a description");
    }
    *out = copy;
    return FOVEA_OK;
}
