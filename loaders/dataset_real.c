/* ReaL labels: sets of right classes, by the order of ILSVRC's validation images. */
#include "loaders/dataset_parts.h"

#include "loaders/json_label_lists.h"
#include "runtime/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Image `i` gets the labels of a list: their numbers, as names. */
static bool take_list(struct fovea_dataset *set, size_t i, const struct fovea_label_lists *lists,
                      size_t line, struct dataset_names *names) {
    char text[16];
    size_t count = lists->first[line + 1] - lists->first[line];
    set->images[i].first_label = names->count;
    set->images[i].n_labels = count;
    for (size_t k = 0; k < count; k++) {
        int length = snprintf(text, sizeof(text), "%d", lists->labels[lists->first[line] + k]);
        if (!dataset_names_add(names, text, (size_t)length)) {
            return false;
        }
    }
    set->n_unscored += count == 0;
    return true;
}

static enum fovea_status take_lists(struct fovea_dataset *set,
                                    const struct fovea_label_lists *lists,
                                    struct fovea_error *err) {
    struct dataset_names names = {0};
    size_t *lines = NULL;
    enum fovea_status status = dataset_order_images(set, lists->n_lists, &lines, err);
    set->n_unscored = 0;
    for (size_t i = 0; !status && i < set->n_images; i++) {
        if (!take_list(set, i, lists, lines[i], &names)) {
            status = fovea_fail_memory(err, names.count * sizeof(char *), "labels");
        }
    }
    if (!status && names.count == 0) {
        status =
            fovea_fail(err, FOVEA_ERR_INVALID, "has no label for any of %zu images", set->n_images);
    }
    if (!status) {
        status = dataset_take_labels(set, &names, NULL, err);
    }
    dataset_names_finish(&names);
    free(lines);
    return status;
}

enum fovea_status dataset_label_by_real(struct fovea_dataset *set, const char *path,
                                        struct fovea_error *err) {
    struct fovea_label_lists lists = {0};
    enum fovea_status status = fovea_label_lists_load(path, FOVEA_LIMIT_CLASSES, &lists, err);
    if (!status) {
        status = take_lists(set, &lists, err);
    }
    fovea_label_lists_finish(&lists);
    return status;
}
