/* Names of classes: see labels.h. */
#include "loaders/labels.h"

#include "loaders/beside.h"
#include "loaders/compiled.h"
#include "loaders/file.h"
#include "loaders/json.h"
#include "runtime/limits.h"
#include "runtime/model.h"

#include <jansson.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void fovea_labels_finish(struct fovea_labels *labels) {
    for (size_t i = 0; i < labels->count; i++) {
        free(labels->names[i]);
    }
    free(labels->names);
    *labels = (struct fovea_labels){0};
}

/*
 * Below, FOVEA_ERR_FORMAT is a text without labels and FOVEA_ERR_MEMORY want of memory; their words
 * come later. FOVEA_ERR_INVALID is one that names a class twice.
 */

/* Name class `index`, growing the list to it; NULL leaves it without a name. */
static enum fovea_status set_label(struct fovea_labels *labels, size_t index, const char *name) {
    if (index >= FOVEA_LIMIT_CLASSES) {
        return FOVEA_ERR_FORMAT;
    }
    if (index >= labels->count) {
        char **grown = realloc(labels->names, (index + 1) * sizeof(*grown));
        if (!grown) {
            return FOVEA_ERR_MEMORY;
        }
        memset(grown + labels->count, 0, (index + 1 - labels->count) * sizeof(*grown));
        labels->names = grown;
        labels->count = index + 1;
    }
    if (labels->names[index]) {
        return FOVEA_ERR_INVALID; /* "1" and "01" of an object: which of them counts? */
    }
    labels->names[index] = name ? strdup(name) : NULL;
    return labels->names[index] || !name ? FOVEA_OK : FOVEA_ERR_MEMORY;
}

/* Names, and null for classes that have none, as `fovea convert` writes them. */
static enum fovea_status from_list(struct fovea_labels *labels, const json_t *list) {
    size_t i;
    json_t *item;
    bool named = false;
    json_array_foreach(list, i, item) {
        bool good = json_is_string(item) || json_is_null(item);
        enum fovea_status st =
            good ? set_label(labels, i, json_string_value(item)) : FOVEA_ERR_FORMAT;
        if (st) {
            return st;
        }
        named = named || json_is_string(item);
    }
    return named ? FOVEA_OK : FOVEA_ERR_FORMAT;
}

/* Hugging Face writes LABEL_0, LABEL_1, ... when nobody named the classes. */
static bool is_placeholder(const char *name) {
    return strncmp(name, "LABEL_", 6) == 0;
}

static enum fovea_status from_object(struct fovea_labels *labels, json_t *object,
                                     struct fovea_error *err) {
    const char *key;
    json_t *item;
    bool named = false;
    json_object_foreach(object, key, item) {
        char *end;
        unsigned long index = strtoul(key, &end, 10);
        /* strtoul by itself would take a sign, and spaces. */
        bool good = *key >= '0' && *key <= '9' && !*end && json_is_string(item);
        enum fovea_status st =
            good ? set_label(labels, index, json_string_value(item)) : FOVEA_ERR_FORMAT;
        if (st == FOVEA_ERR_INVALID) {
            fovea_fail(err, st, "class %lu is named twice", index);
        }
        if (st) {
            return st;
        }
        named = named || !is_placeholder(json_string_value(item));
    }
    return named ? FOVEA_OK : FOVEA_ERR_FORMAT;
}

/* Take a list or an object of names; what is neither, or bad, leaves no labels. `err` may be NULL.
 */
static enum fovea_status take_json(struct fovea_labels *labels, json_t *value, const char *source,
                                   struct fovea_error *err) {
    enum fovea_status st = json_is_array(value)    ? from_list(labels, value)
                           : json_is_object(value) ? from_object(labels, value, err)
                                                   : FOVEA_ERR_FORMAT;
    if (st) {
        fovea_labels_finish(labels);
        return st;
    }
    snprintf(labels->source, sizeof(labels->source), "%s", source);
    return FOVEA_OK;
}

/* What `text` is as JSON, to be released. */
static enum fovea_status read_json(const char *text, size_t size, json_t **out) {
    enum fovea_status st = fovea_json_parse(text, size, 0, out, NULL);
    return st && st != FOVEA_ERR_MEMORY ? FOVEA_ERR_FORMAT : st;
}

/* An empty line is a class without a name, except at the end. */
static enum fovea_status from_lines(struct fovea_labels *labels, char *text) {
    size_t index = 0;
    while (*text) {
        size_t length = strcspn(text, "\n");
        bool last = text[length] == 0;
        text[length] = 0;
        text[strcspn(text, "\r")] = 0;
        enum fovea_status st = set_label(labels, index++, text);
        if (st) {
            return st;
        }
        text += last ? length : length + 1;
    }
    return index > 0 ? FOVEA_OK : FOVEA_ERR_FORMAT;
}

enum fovea_status fovea_labels_parse(const char *text, size_t size, const char *source,
                                     struct fovea_labels *out, struct fovea_error *err) {
    struct fovea_labels labels = {0};
    json_t *root = NULL;
    if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        text += 3; /* what Windows begins UTF-8 with is no part of the first name */
        size -= 3;
    }
    char *copy = strndup(text, size);
    enum fovea_status st = copy ? read_json(text, size, &root) : FOVEA_ERR_MEMORY;
    if (!st) {
        st = take_json(&labels, root, source, err);
    } else if (st == FOVEA_ERR_FORMAT) {
        st = from_lines(&labels, copy);
    }
    json_decref(root);
    free(copy);
    if (st) {
        fovea_labels_finish(&labels);
        if (st == FOVEA_ERR_INVALID) {
            fovea_error_prefix(err, "%s", source);
            return st;
        }
        return st == FOVEA_ERR_MEMORY
                   ? fovea_fail_memory(err, size, "labels")
                   : fovea_fail(err, FOVEA_ERR_FORMAT,
                                "%s: holds no labels: one a line, or JSON, a list of names or an "
                                "object from index to name",
                                source);
    }
    snprintf(labels.source, sizeof(labels.source), "%s", source);
    *out = labels;
    return FOVEA_OK;
}

static enum fovea_status from_metadata(struct fovea_labels *labels,
                                       const struct fovea_model *model) {
    static const char *const keys[] = {"labels", "classes", "names"};
    enum fovea_status st = FOVEA_ERR_FORMAT;
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]) && st && st != FOVEA_ERR_MEMORY; i++) {
        const char *text = fovea_model_get_metadata(model, keys[i]);
        json_t *root = NULL;
        st = text ? read_json(text, strlen(text), &root) : FOVEA_ERR_FORMAT;
        st = st ? st : take_json(labels, root, "the model's metadata", NULL);
        json_decref(root);
    }
    return st;
}

/* A file that can never be read is as good as none. */
static enum fovea_status load_config(const char *model_path, json_t **out,
                                     struct fovea_error *err) {
    struct fovea_error why;
    uint8_t *bytes;
    size_t size;
    enum fovea_status st = fovea_beside_read(model_path, "config.json", &bytes, &size, &why, err);
    if (!st && !bytes) {
        return FOVEA_ERR_FORMAT;
    }
    if (!st) {
        st = read_json((char *)bytes, size, out);
        free(bytes);
    }
    return st;
}

/* What is beside the model, or what a compiled one has kept of it. */
static enum fovea_status from_config(struct fovea_labels *labels, const struct fovea_model *model,
                                     struct fovea_error *err) {
    const char *kept = fovea_model_get_metadata(model, FOVEA_CONFIG_KEY);
    json_t *root = NULL;
    enum fovea_status st = kept                ? read_json(kept, strlen(kept), &root)
                           : !model->placeless ? load_config(model->path, &root, err)
                                               : FOVEA_ERR_FORMAT;
    if (st) {
        return st;
    }
    json_t *names = json_object_get(root, "label_names");
    if (!names) {
        names = json_object_get(json_object_get(root, "pretrained_cfg"), "label_names");
    }
    st = take_json(labels, names, "config.json", NULL);
    if (st && st != FOVEA_ERR_MEMORY) {
        st = take_json(labels, json_object_get(root, "id2label"), "config.json", NULL);
    }
    json_decref(root);
    return st;
}

enum fovea_status fovea_labels_of_model(const struct fovea_model *model, struct fovea_labels *out,
                                        struct fovea_error *err) {
    struct fovea_labels labels = {0};
    enum fovea_status st = from_metadata(&labels, model);
    if (st && st != FOVEA_ERR_MEMORY) {
        st = from_config(&labels, model, err);
    }
    if (st == FOVEA_ERR_MEMORY) {
        return fovea_fail(err, FOVEA_ERR_MEMORY, "out of memory: the model's labels");
    }
    if (st == FOVEA_ERR_IO) {
        fovea_error_prefix(err, "the model's labels");
        return st;
    }
    *out = labels;
    return FOVEA_OK;
}

enum fovea_status fovea_labels_load(const struct fovea_model *model, const char *path,
                                    struct fovea_labels *out, struct fovea_error *err) {
    uint8_t *bytes;
    size_t size;
    if (!path) {
        return fovea_labels_of_model(model, out, err);
    }
    enum fovea_status st = fovea_file_read(path, FOVEA_LIMIT_LABEL_BYTES, &bytes, &size, NULL, err);
    if (st) {
        fovea_error_prefix(err, "%s", fovea_quote(path).text);
        return st;
    }
    st = fovea_labels_parse((char *)bytes, size, fovea_quote(path).text, out, err);
    free(bytes);
    return st;
}

const char *fovea_labels_get(const struct fovea_labels *labels, int64_t index) {
    return index >= 0 && (size_t)index < labels->count ? labels->names[index] : NULL;
}

int fovea_labels_find(const struct fovea_labels *labels, const char *name) {
    int found = -1;
    for (size_t i = 0; i < labels->count; i++) {
        if (labels->names[i] && strcmp(labels->names[i], name) == 0) {
            if (found >= 0) {
                return -1;
            }
            found = (int)i;
        }
    }
    return found;
}
