/* See json_label_lists.h. */
#include "loaders/json_label_lists.h"

#include "loaders/file.h"
#include "loaders/json.h"
#include "runtime/limits.h"

#include <jansson.h>
#include <stdlib.h>

/* The labels of list `i`, appended; *count is how many there are of all lists so far. */
static enum fovea_status take_list(const json_t *list, size_t i, int limit, int *labels,
                                   size_t *count, struct fovea_error *err) {
    for (size_t k = 0; k < json_array_size(list); k++) {
        const json_t *item = json_array_get(list, k);
        json_int_t value = json_integer_value(item);
        if (!json_is_integer(item) || value < 0 || value >= limit) {
            return fovea_fail(err, FOVEA_ERR_FORMAT,
                              "entry %zu: label %zu is no whole number in 0..%d", i, k, limit - 1);
        }
        labels[(*count)++] = (int)value;
    }
    return FOVEA_OK;
}

static enum fovea_status count_labels(const json_t *root, size_t *out, struct fovea_error *err) {
    size_t i, total = 0;
    json_t *list;
    if (!json_is_array(root)) {
        return fovea_fail(err, FOVEA_ERR_FORMAT, "is not a JSON list of lists of labels");
    }
    json_array_foreach(root, i, list) {
        if (!json_is_array(list)) {
            return fovea_fail(err, FOVEA_ERR_FORMAT, "entry %zu is not a list of labels", i);
        }
        total += json_array_size(list);
    }
    *out = total;
    return FOVEA_OK;
}

static enum fovea_status take_lists(const json_t *root, int limit, struct fovea_label_lists *out,
                                    struct fovea_error *err) {
    size_t total = 0, count = 0, n = json_array_size(root);
    enum fovea_status status = count_labels(root, &total, err);
    if (status) {
        return status;
    }
    out->labels = calloc(total + 1, sizeof(*out->labels));
    out->first = calloc(n + 1, sizeof(*out->first));
    if (!out->labels || !out->first) {
        return fovea_fail_memory(err, (total + n) * sizeof(*out->first), "labels");
    }
    for (size_t i = 0; !status && i < n; i++) {
        status = take_list(json_array_get(root, i), i, limit, out->labels, &count, err);
        out->first[i + 1] = count;
    }
    out->n_lists = n;
    return status;
}

enum fovea_status fovea_label_lists_load(const char *path, int limit, struct fovea_label_lists *out,
                                         struct fovea_error *err) {
    uint8_t *bytes;
    size_t size;
    json_t *root = NULL;
    struct fovea_label_lists lists = {0};
    enum fovea_status status =
        fovea_file_read(path, FOVEA_LIMIT_JSON_BYTES, &bytes, &size, NULL, err);
    if (status) {
        return status;
    }
    status = fovea_json_parse((const char *)bytes, size, 0, &root, err);
    free(bytes);
    if (!status) {
        status = take_lists(root, limit, &lists, err);
    }
    json_decref(root);
    if (status) {
        fovea_label_lists_finish(&lists);
        return status;
    }
    *out = lists;
    return FOVEA_OK;
}

void fovea_label_lists_finish(struct fovea_label_lists *lists) {
    free(lists->labels);
    free(lists->first);
    *lists = (struct fovea_label_lists){0};
}
