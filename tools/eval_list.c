/* See eval_list.h. */
#include "tools/eval_list.h"

#include "loaders/label_map.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum fovea_status eval_list_load(struct eval_list *list, const struct eval_list_options *options,
                                 struct fovea_error *err) {
    return fovea_dataset_load(options->path, &options->files, &list->dataset, err);
}

/* ---- classes ------------------------------------------------------------------ */

/* The class that a text of digits names; -1 for other texts. */
static int number_of(const char *text) {
    char *end;
    long number = strtol(text, &end, 10);
    bool good = text[0] >= '0' && text[0] <= '9' && !*end && number <= INT_MAX;
    return good ? (int)number : -1;
}

/* All classes by the model's labels; false if one of them is none. */
static bool map_by_name(const struct fovea_dataset *set, const struct fovea_labels *labels,
                        int *map) {
    for (size_t i = 0; i < set->n_classes; i++) {
        map[i] = fovea_labels_find(labels, set->classes[i].name);
        if (map[i] < 0) {
            return false;
        }
    }
    return true;
}

/* By a label map: -1 for classes that the model does not know. */
static enum fovea_status map_by_file(const struct fovea_dataset *set,
                                     const struct fovea_labels *labels,
                                     const struct fovea_label_map *pairs, int *map,
                                     struct fovea_error *err) {
    char index[16];
    for (size_t i = 0; i < set->n_classes; i++) {
        const char *name = set->classes[i].name;
        snprintf(index, sizeof(index), "%d", set->classes[i].index);
        const char *to = fovea_label_map_get(pairs, name);
        to = to ? to : fovea_label_map_get(pairs, index);
        if (!to) {
            return fovea_fail(err, FOVEA_ERR_INVALID, "does not map class '%s'",
                              fovea_quote(name).text);
        }
        map[i] = number_of(to) >= 0 ? number_of(to) : fovea_labels_find(labels, to);
        if (map[i] < 0 && strcmp(to, "-") != 0) {
            return fovea_fail(err, FOVEA_ERR_INVALID,
                              "maps class '%s' to '%s', which is neither a number, nor one of the "
                              "model's labels, nor '-'",
                              fovea_quote(name).text, fovea_quote(to).text);
        }
    }
    return FOVEA_OK;
}

static enum fovea_status map_by_option(const struct fovea_dataset *set, const char *path,
                                       const struct fovea_labels *labels, int *map,
                                       struct fovea_error *err) {
    struct fovea_label_map pairs = {0};
    enum fovea_status status = fovea_label_map_load(path, &pairs, err);
    if (!status) {
        status = map_by_file(set, labels, &pairs, map, err);
    }
    if (status) {
        fovea_error_prefix(err, "%s", fovea_quote(path).text);
    }
    fovea_label_map_finish(&pairs);
    return status;
}

/* The first class that is no label of the model, and what would help. */
static enum fovea_status fail_unknown(const struct fovea_dataset *set,
                                      const struct classifier *model, struct fovea_error *err) {
    const struct fovea_labels *labels = &model->labels;
    size_t i = 0;
    while (i + 1 < set->n_classes && fovea_labels_find(labels, set->classes[i].name) >= 0) {
        i++;
    }
    struct fovea_quoted name = fovea_quote(set->classes[i].name);
    const char *advice =
        "give its labels (--labels), a list of all its classes (--class-map), or a "
        "label map (--label-map)";
    if (labels->count == 0) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "%zu classes for a model of %lld, which has no labels, and nothing says "
                          "what '%s' is: %s",
                          set->n_classes, (long long)model->classes, name.text, advice);
    }
    return fovea_fail(
        err, FOVEA_ERR_INVALID,
        "%zu classes for a model of %lld, and '%s' is none of its %zu labels (%s): %s",
        set->n_classes, (long long)model->classes, name.text, labels->count, labels->source,
        advice);
}

/* Names that nothing else explains are all classes in sorted order, or there is no telling. */
static enum fovea_status map_in_order(const struct fovea_dataset *set,
                                      const struct classifier *model, int *map,
                                      struct fovea_error *err) {
    if (!set->numeric && set->n_classes < (size_t)model->classes) {
        return fail_unknown(set, model, err);
    }
    for (size_t i = 0; i < set->n_classes; i++) {
        map[i] = set->classes[i].index;
    }
    return FOVEA_OK;
}

/* A class of the dataset stands for one that the model does not have: where does it come from? */
static enum fovea_status fail_beyond(const struct fovea_dataset *set, size_t class_number,
                                     int index, const struct classifier *model,
                                     struct fovea_error *err) {
    const char *path = NULL;
    for (size_t i = 0; i < set->n_images && !path; i++) {
        const struct fovea_dataset_image *image = &set->images[i];
        for (size_t k = 0; k < image->n_labels && !path; k++) {
            path = set->labels[image->first_label + k] == class_number ? image->path : NULL;
        }
    }
    return fovea_fail(err, FOVEA_ERR_INVALID,
                      "%s: '%s'%s%s%s stands for class %d, but the model has %lld classes",
                      fovea_quote(set->path).text,
                      fovea_quote(set->classes[class_number].name).text,
                      path ? ", the label of " : "", path ? fovea_quote(path).text : "",
                      path ? "," : "", index, (long long)model->classes);
}

static enum fovea_status map_labels(struct eval_list *list, const struct eval_list_options *options,
                                    const struct classifier *model, int *map,
                                    struct fovea_error *err) {
    const struct fovea_dataset *set = &list->dataset;
    const char *how = "the model's labels";
    enum fovea_status status = FOVEA_OK;
    if (options->label_map) {
        how = "the label map";
        status = map_by_option(set, options->label_map, &model->labels, map, err);
    } else if (!map_by_name(set, &model->labels, map)) {
        how = set->numeric ? "the numbers that are their names" : "their sorted order";
        list->unlike = !set->numeric && model->labels.count > 0;
        status = map_in_order(set, model, map, err);
    }
    for (size_t i = 0; !status && i < set->n_classes; i++) {
        status = map[i] < model->classes ? FOVEA_OK : fail_beyond(set, i, map[i], model, err);
    }
    struct fovea_dataset_words what = fovea_dataset_describe(set);
    snprintf(list->words.text, sizeof(list->words.text),
             "%.330s; classes matched to the model's %lld by %s%s", what.text,
             (long long)model->classes, how,
             options->subset ? ", and only those of the list compete" : "");
    return status;
}

/* ---- records ------------------------------------------------------------------- */

/* Path and labels of image `i`; a class that the model does not know is no label. */
static bool fill_record(const struct fovea_dataset *set, size_t i, const int *map,
                        struct eval_record *r) {
    const struct fovea_dataset_image *image = &set->images[i];
    r->path = strdup(image->path);
    r->labels = malloc((image->n_labels + 1) * sizeof(*r->labels));
    for (size_t k = 0; r->labels && k < image->n_labels; k++) {
        int label = map[set->labels[image->first_label + k]];
        if (label >= 0) {
            r->labels[r->n_labels++] = label;
        }
    }
    return r->path && r->labels;
}

static enum fovea_status make_records(struct eval_list *list, const int *map,
                                      struct fovea_error *err) {
    size_t n = list->dataset.n_images;
    list->records = calloc(n, sizeof(*list->records));
    if (!list->records) {
        return fovea_fail_memory(err, n * sizeof(*list->records), "records");
    }
    list->count = n;
    for (size_t i = 0; i < n; i++) {
        if (!fill_record(&list->dataset, i, map, &list->records[i])) {
            return fovea_fail_memory(err, sizeof(*list->records), "a record");
        }
    }
    return FOVEA_OK;
}

static enum fovea_status mark_subset(struct eval_list *list, const int *map, int64_t classes,
                                     struct fovea_error *err) {
    bool any = false;
    list->among = calloc((size_t)classes, sizeof(*list->among));
    if (!list->among) {
        return fovea_fail_memory(err, (size_t)classes, "classes");
    }
    for (size_t i = 0; i < list->dataset.n_classes; i++) {
        if (map[i] >= 0) {
            any = list->among[map[i]] = true;
        }
    }
    return any ? FOVEA_OK
               : fovea_fail(err, FOVEA_ERR_INVALID, "no class of the list is the model's");
}

/* What the list calls the model's classes, if it has names for all of them. */
static enum fovea_status take_names(struct eval_list *list, const int *map, int64_t classes,
                                    struct fovea_error *err) {
    const struct fovea_dataset *set = &list->dataset;
    bool all = !set->numeric;
    list->names = calloc((size_t)classes, sizeof(*list->names));
    if (!list->names) {
        return fovea_fail_memory(err, (size_t)classes * sizeof(*list->names), "names of classes");
    }
    for (size_t i = 0; i < set->n_classes; i++) {
        if (map[i] >= 0) {
            list->names[map[i]] = set->classes[i].name;
        }
    }
    for (int64_t i = 0; i < classes; i++) {
        all = all && list->names[i];
    }
    if (!all) {
        free(list->names);
        list->names = NULL;
    }
    return FOVEA_OK;
}

enum fovea_status eval_list_label(struct eval_list *list, const struct eval_list_options *options,
                                  const struct classifier *model, struct fovea_error *err) {
    size_t n = list->dataset.n_classes;
    int *map = calloc(n, sizeof(*map));
    if (!map) {
        return fovea_fail_memory(err, n * sizeof(*map), "classes");
    }
    enum fovea_status status = map_labels(list, options, model, map, err);
    if (!status && options->subset) {
        status = mark_subset(list, map, model->classes, err);
    }
    if (!status) {
        status = take_names(list, map, model->classes, err);
    }
    if (!status) {
        status = make_records(list, map, err);
    }
    free(map);
    return status;
}

size_t eval_list_unscored(const struct eval_list *list) {
    size_t count = 0;
    for (size_t i = 0; i < list->count; i++) {
        count += list->records[i].n_labels == 0;
    }
    return count;
}

/* ---- images ------------------------------------------------------------------- */

enum fovea_status eval_list_read(const struct eval_list *list, size_t index, uint8_t **bytes,
                                 size_t *size, enum eval_state *state, struct fovea_error *err) {
    enum fovea_image_fault fault;
    enum fovea_status status = fovea_dataset_read(&list->dataset, index, bytes, size, &fault, err);
    if (status) {
        bool missing = fault == FOVEA_IMAGE_VANISHED || fault == FOVEA_IMAGE_DANGLING;
        *state = missing ? EVAL_MISSING : EVAL_FAILED;
    }
    return status;
}

void eval_list_finish(struct eval_list *list) {
    for (size_t i = 0; i < list->count; i++) {
        eval_record_finish(&list->records[i]);
    }
    free(list->records);
    free(list->among);
    free(list->names);
    fovea_dataset_finish(&list->dataset);
    *list = (struct eval_list){0};
}
