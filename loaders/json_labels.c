/* Names of classes: see labels.h. */
#include "loaders/labels.h"

#include "loaders/file.h"
#include "loaders/json.h"
#include "loaders/paths.h"
#include "runtime/limits.h"
#include "runtime/model.h"

#include <jansson.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* NULL for what is not JSON, or beyond its limits. */
static json_t *parse_json(const char *text, size_t size) {
    json_t *root = NULL;
    return fovea_json_parse(text, size, 0, &root, NULL) ? NULL : root;
}

void fovea_labels_finish(struct fovea_labels *labels) {
    for (size_t i = 0; i < labels->count; i++) {
        free(labels->names[i]);
    }
    free(labels->names);
    *labels = (struct fovea_labels){0};
}

/* Name class `index`, growing the list to it. */
static bool set_label(struct fovea_labels *labels, size_t index, const char *name) {
    if (index >= FOVEA_LIMIT_CLASSES) {
        return false;
    }
    if (index >= labels->count) {
        char **grown = realloc(labels->names, (index + 1) * sizeof(*grown));
        if (!grown) {
            return false;
        }
        memset(grown + labels->count, 0, (index + 1 - labels->count) * sizeof(*grown));
        labels->names = grown;
        labels->count = index + 1;
    }
    free(labels->names[index]);
    labels->names[index] = strdup(name);
    return labels->names[index] != NULL;
}

static bool from_list(struct fovea_labels *labels, const json_t *list) {
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item) {
        if (!json_is_string(item) || !set_label(labels, i, json_string_value(item))) {
            return false;
        }
    }
    return json_array_size(list) > 0;
}

/* Hugging Face writes LABEL_0, LABEL_1, ... when nobody named the classes. */
static bool is_placeholder(const char *name) {
    return strncmp(name, "LABEL_", 6) == 0;
}

static bool from_object(struct fovea_labels *labels, json_t *object) {
    const char *key;
    json_t *item;
    bool named = false;
    json_object_foreach(object, key, item) {
        char *end;
        unsigned long index = strtoul(key, &end, 10);
        if (end == key || *end || !json_is_string(item) ||
            !set_label(labels, index, json_string_value(item))) {
            return false;
        }
        named = named || !is_placeholder(json_string_value(item));
    }
    return named;
}

/* Take a list or an object of names; what is neither, or bad, leaves no labels. */
static bool take_json(struct fovea_labels *labels, json_t *value, const char *source) {
    bool good = json_is_array(value)    ? from_list(labels, value)
                : json_is_object(value) ? from_object(labels, value)
                                        : false;
    if (!good) {
        fovea_labels_finish(labels);
        return false;
    }
    snprintf(labels->source, sizeof(labels->source), "%s", source);
    return true;
}

/* An empty line is a class without a name, except at the end. */
static bool from_lines(struct fovea_labels *labels, char *text) {
    size_t index = 0;
    while (*text) {
        size_t length = strcspn(text, "\n");
        bool last = text[length] == 0;
        text[length] = 0;
        text[strcspn(text, "\r")] = 0;
        if (!set_label(labels, index++, text)) {
            return false;
        }
        text += last ? length : length + 1;
    }
    return index > 0;
}

enum fovea_status fovea_labels_parse(const char *text, size_t size, const char *source,
                                     struct fovea_labels *out, struct fovea_error *err) {
    struct fovea_labels labels = {0};
    if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        text += 3; /* what Windows begins UTF-8 with is no part of the first name */
        size -= 3;
    }
    char *copy = strndup(text, size);
    if (!copy) {
        return fovea_fail_memory(err, size, "labels");
    }
    json_t *root = parse_json(text, size);
    bool good = root ? take_json(&labels, root, source) : from_lines(&labels, copy);
    json_decref(root);
    free(copy);
    if (!good) {
        fovea_labels_finish(&labels);
        return fovea_fail(err, FOVEA_ERR_FORMAT,
                          "%s: holds no labels: one a line, or JSON, a list of names or an object "
                          "from index to name",
                          source);
    }
    snprintf(labels.source, sizeof(labels.source), "%s", source);
    *out = labels;
    return FOVEA_OK;
}

static bool from_metadata(struct fovea_labels *labels, const struct fovea_model *model) {
    static const char *const keys[] = {"labels", "classes", "names"};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        const char *text = fovea_model_get_metadata(model, keys[i]);
        json_t *root = text ? parse_json(text, strlen(text)) : NULL;
        bool good = root && take_json(labels, root, "the model's metadata");
        json_decref(root);
        if (good) {
            return true;
        }
    }
    return false;
}

static json_t *load_config(const char *model_path) {
    char *path = fovea_path_beside(model_path, "config.json");
    uint8_t *bytes = NULL;
    size_t size = 0;
    json_t *root = NULL;
    if (path && !fovea_file_read(path, FOVEA_LIMIT_JSON_BYTES, &bytes, &size, NULL, NULL)) {
        root = parse_json((char *)bytes, size);
    }
    free(bytes);
    free(path);
    return root;
}

static void from_config(struct fovea_labels *labels, const char *model_path) {
    json_t *root = load_config(model_path), *names = json_object_get(root, "label_names");
    if (!names) {
        names = json_object_get(json_object_get(root, "pretrained_cfg"), "label_names");
    }
    if (!take_json(labels, names, "config.json")) {
        take_json(labels, json_object_get(root, "id2label"), "config.json");
    }
    json_decref(root);
}

void fovea_labels_of_model(const struct fovea_model *model, struct fovea_labels *out) {
    *out = (struct fovea_labels){0};
    if (!from_metadata(out, model) && !model->placeless) {
        from_config(out, model->path);
    }
}

enum fovea_status fovea_labels_load(const struct fovea_model *model, const char *path,
                                    struct fovea_labels *out, struct fovea_error *err) {
    uint8_t *bytes;
    size_t size;
    if (!path) {
        fovea_labels_of_model(model, out);
        return FOVEA_OK;
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
