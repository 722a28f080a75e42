/* See labels.h. */
#include "tools/labels.h"

#include "loaders/compiled.h"
#include "loaders/file.h"
#include "tools/json_out.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_LABELS = 1000000, MAX_LABEL_BYTES = 64 << 20 };

char *path_beside(const char *path, const char *name) {
    const char *slash = strrchr(path, '/');
    int folder = slash ? (int)(slash - path) + 1 : 0;
    char *joined;
    return asprintf(&joined, "%.*s%s", folder, path, name) < 0 ? NULL : joined;
}

void labels_finish(struct labels *labels) {
    for (size_t i = 0; i < labels->count; i++) {
        free(labels->names[i]);
    }
    free(labels->names);
    *labels = (struct labels){0};
}

/* Name class `index`, growing the list to it. */
static bool labels_set(struct labels *labels, size_t index, const char *name) {
    if (index >= MAX_LABELS) {
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

static bool from_list(struct labels *labels, const json_t *list) {
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item) {
        if (!json_is_string(item) || !labels_set(labels, i, json_string_value(item))) {
            return false;
        }
    }
    return json_array_size(list) > 0;
}

/* Hugging Face writes LABEL_0, LABEL_1, ... when nobody named the classes. */
static bool is_placeholder(const char *name) {
    return strncmp(name, "LABEL_", 6) == 0;
}

static bool from_object(struct labels *labels, json_t *object) {
    const char *key;
    json_t *item;
    bool named = false;
    json_object_foreach(object, key, item) {
        char *end;
        unsigned long index = strtoul(key, &end, 10);
        if (end == key || *end || !json_is_string(item) ||
            !labels_set(labels, index, json_string_value(item))) {
            return false;
        }
        named = named || !is_placeholder(json_string_value(item));
    }
    return named;
}

/* Take a list or an object of names; what is neither, or bad, leaves no labels. */
static bool take_json(struct labels *labels, json_t *value, const char *source) {
    bool good = json_is_array(value)    ? from_list(labels, value)
                : json_is_object(value) ? from_object(labels, value)
                                        : false;
    if (!good) {
        labels_finish(labels);
        return false;
    }
    snprintf(labels->source, sizeof(labels->source), "%s", source);
    return true;
}

/* An empty line is a class without a name, except at the end. */
static bool from_lines(struct labels *labels, char *text) {
    size_t index = 0;
    while (*text) {
        size_t length = strcspn(text, "\n");
        bool last = text[length] == 0;
        text[length] = 0;
        text[strcspn(text, "\r")] = 0;
        if (!labels_set(labels, index++, text)) {
            return false;
        }
        text += last ? length : length + 1;
    }
    return index > 0;
}

static enum fovea_status load_file(struct labels *labels, const char *path,
                                   struct fovea_error *err) {
    uint8_t *bytes;
    size_t size;
    enum fovea_status status = fovea_file_read(path, MAX_LABEL_BYTES, &bytes, &size, NULL, err);
    if (status) {
        fovea_error_prefix(err, "%s", fovea_quote(path).text);
        return status;
    }
    char *text = strndup((char *)bytes, size);
    json_t *root = json_loadb((char *)bytes, size, 0, NULL);
    free(bytes);
    bool good = text && (root ? take_json(labels, root, path) : from_lines(labels, text));
    json_decref(root);
    free(text);
    snprintf(labels->source, sizeof(labels->source), "%s", fovea_quote(path).text);
    if (!good) {
        labels_finish(labels);
        return fovea_fail(err, FOVEA_ERR_FORMAT,
                          "%s: holds no labels: one a line, or JSON, a list of names or an object "
                          "from index to name",
                          fovea_quote(path).text);
    }
    return FOVEA_OK;
}

static bool from_metadata(struct labels *labels, const struct fovea_model *model) {
    static const char *const keys[] = {"labels", "classes", "names"};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        const char *text = fovea_model_get_metadata(model, keys[i]);
        json_t *root = text ? json_loads(text, 0, NULL) : NULL;
        bool good = root && take_json(labels, root, "the model's metadata");
        json_decref(root);
        if (good) {
            return true;
        }
    }
    return false;
}

/* What is beside the model, or what a compiled one has kept of it. */
static bool from_config(struct labels *labels, const struct fovea_model *model,
                        const char *model_path) {
    const char *kept = fovea_model_get_metadata(model, FOVEA_CONFIG_KEY);
    char *path = path_beside(model_path, "config.json");
    json_t *root = kept ? json_loads(kept, 0, NULL) : path ? json_load_file(path, 0, NULL) : NULL;
    free(path);
    json_t *names = json_object_get(root, "label_names");
    if (!names) {
        names = json_object_get(json_object_get(root, "pretrained_cfg"), "label_names");
    }
    bool good = take_json(labels, names, "config.json") ||
                take_json(labels, json_object_get(root, "id2label"), "config.json");
    json_decref(root);
    return good;
}

enum fovea_status labels_load(const struct fovea_model *model, const char *model_path,
                              const char *path, struct labels *out, struct fovea_error *err) {
    struct labels labels = {0};
    if (path) {
        enum fovea_status status = load_file(&labels, path, err);
        if (status) {
            return status;
        }
    } else if (!from_metadata(&labels, model)) {
        from_config(&labels, model, model_path);
    }
    *out = labels;
    return FOVEA_OK;
}

const char *labels_get(const struct labels *labels, int64_t index) {
    return index >= 0 && (size_t)index < labels->count ? labels->names[index] : NULL;
}

int labels_find(const struct labels *labels, const char *name) {
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
