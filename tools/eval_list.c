/* See eval_list.h. */
#include "tools/eval_list.h"

#include "tools/image_load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum fovea_status eval_list_load(struct eval_list *list, const char *path,
                                 struct fovea_error *err) {
    enum fovea_status status = fovea_dataset_load(path, &list->dataset, err);
    if (status) {
        fovea_error_prefix(err, "%s", fovea_quote(path).text);
    }
    return status;
}

/* ---- labels ------------------------------------------------------------------ */

/* All folders by the model's labels; false if one of them is none. */
static bool map_by_name(struct fovea_dataset *set, const struct labels *labels, int *map) {
    for (size_t i = 0; i < set->n_classes; i++) {
        map[i] = labels_find(labels, set->classes[i].name);
        if (map[i] < 0) {
            return false;
        }
    }
    return true;
}

static enum fovea_status map_labels(struct eval_list *list, const struct classifier *model,
                                    int *map, struct fovea_error *err) {
    struct fovea_dataset *set = &list->dataset;
    const char *how = "the model's labels";
    if (set->numeric || !map_by_name(set, &model->labels, map)) {
        how = set->numeric ? "the numbers that are their names" : "their sorted order";
        for (size_t i = 0; i < set->n_classes; i++) {
            map[i] = set->classes[i].index;
        }
    }
    snprintf(list->words, sizeof(list->words),
             "%zu class folders, matched to the model's %lld classes by %s", set->n_classes,
             (long long)model->classes, how);
    for (size_t i = 0; i < set->n_classes; i++) {
        if (map[i] >= model->classes) {
            return fovea_fail(err, FOVEA_ERR_INVALID,
                              "folder '%s' stands for class %d, but the model has %lld classes",
                              fovea_quote(set->classes[i].name).text, map[i],
                              (long long)model->classes);
        }
    }
    return FOVEA_OK;
}

static enum fovea_status make_records(struct eval_list *list, const int *map,
                                      struct fovea_error *err) {
    const struct fovea_dataset *set = &list->dataset;
    size_t n = set->n_images;
    list->records = calloc(n, sizeof(*list->records));
    if (!list->records) {
        return fovea_fail_memory(err, n * sizeof(*list->records), "records");
    }
    list->count = n;
    for (size_t i = 0; i < n; i++) {
        struct eval_record *r = &list->records[i];
        r->path = strdup(set->images[i].path);
        r->labels = malloc(sizeof(*r->labels));
        if (!r->path || !r->labels) {
            return fovea_fail_memory(err, sizeof(*r->labels), "a record");
        }
        r->labels[0] = map[set->images[i].class_number];
        r->n_labels = 1;
    }
    return FOVEA_OK;
}

enum fovea_status eval_list_label(struct eval_list *list, const struct classifier *model,
                                  struct fovea_error *err) {
    size_t n = list->dataset.n_classes;
    int *map = calloc(n, sizeof(*map));
    if (!map) {
        return fovea_fail_memory(err, n * sizeof(*map), "classes");
    }
    enum fovea_status status = map_labels(list, model, map, err);
    if (!status) {
        status = make_records(list, map, err);
    }
    free(map);
    return status;
}

/* ---- images ------------------------------------------------------------------- */

enum fovea_status eval_list_read(const struct eval_list *list, size_t index, uint8_t **bytes,
                                 size_t *size, enum eval_state *state, struct fovea_error *err) {
    bool missing = false;
    char *path;
    if (asprintf(&path, "%s/%s", list->dataset.root, list->dataset.images[index].path) < 0) {
        *state = EVAL_FAILED;
        return fovea_fail(err, FOVEA_ERR_MEMORY, "out of memory");
    }
    enum fovea_status status = image_read(path, bytes, size, &missing, err);
    if (status) {
        *state = missing ? EVAL_MISSING : EVAL_FAILED;
    }
    free(path);
    return status;
}

void eval_list_finish(struct eval_list *list) {
    for (size_t i = 0; i < list->count; i++) {
        eval_record_finish(&list->records[i]);
    }
    free(list->records);
    fovea_dataset_finish(&list->dataset);
    *list = (struct eval_list){0};
}
