/* Truth by the order of the images: ILSVRC ground truth and its class map. */
#include "loaders/dataset_parts.h"

#include "loaders/text_lines.h"
#include "runtime/limits.h"

#include <stdlib.h>
#include <string.h>

/* ---- which line speaks of which image ---------------------------------------------- */

/* The number at the end of "ILSVRC2012_val_00000001.JPEG", whatever its folder; 0: none. */
static size_t ilsvrc_number(const char *path) {
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    size_t stem = strcspn(name, "."), first = stem, number = 0;
    if (strncmp(name, "ILSVRC", 6) != 0) {
        return 0;
    }
    while (name[first - 1] >= '0' && name[first - 1] <= '9') { /* as far as the "C" at most */
        first--;
    }
    if (stem - first != 8) {
        return 0;
    }
    for (; first < stem; first++) {
        number = 10 * number + (size_t)(name[first] - '0');
    }
    return number;
}

static size_t folder_length(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash - path) + 1 : 0;
}

static bool in_one_folder(const struct fovea_dataset *set) {
    const char *first = set->images[0].path;
    size_t length = folder_length(first);
    for (size_t i = 1; i < set->n_images; i++) {
        const char *path = set->images[i].path;
        if (folder_length(path) != length || strncmp(path, first, length) != 0) {
            return false;
        }
    }
    return true;
}

static enum fovea_status fail_order(const struct fovea_dataset *set, size_t n_lines,
                                    struct fovea_error *err) {
    if (set->n_images != n_lines) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "%zu lines for %zu images, which are not named by their numbers as "
                          "ILSVRC2012_val_00000001.JPEG is",
                          n_lines, set->n_images);
    }
    return fovea_fail(err, FOVEA_ERR_INVALID,
                      "tells images by their order, but they lie in several folders, and are "
                      "not named by their numbers as ILSVRC2012_val_00000001.JPEG is");
}

enum fovea_status dataset_order_images(const struct fovea_dataset *set, size_t n_lines,
                                       size_t **lines, struct fovea_error *err) {
    bool numbered = true;
    for (size_t i = 0; numbered && i < set->n_images; i++) {
        numbered = ilsvrc_number(set->images[i].path) > 0;
    }
    if (!numbered && (set->n_images != n_lines || !in_one_folder(set))) {
        return fail_order(set, n_lines, err);
    }
    size_t *order = calloc(set->n_images + 1, sizeof(*order));
    if (!order) {
        return fovea_fail_memory(err, (set->n_images + 1) * sizeof(*order), "an order");
    }
    for (size_t i = 0; i < set->n_images; i++) {
        order[i] = numbered ? ilsvrc_number(set->images[i].path) - 1 : i;
        if (order[i] >= n_lines) {
            free(order);
            return fovea_fail(err, FOVEA_ERR_INVALID, "%zu lines, but there is an image '%s'",
                              n_lines, fovea_quote(set->images[i].path).text);
        }
    }
    *lines = order;
    return FOVEA_OK;
}

/* ---- the class map ------------------------------------------------------------------ */

/* Name ID `id`, from 1, growing the list to it; false if out of memory. */
static bool set_name(struct dataset_names *names, size_t id, const char *name) {
    while (names->count < id) {
        if (!dataset_names_add(names, "", 0)) {
            return false;
        }
    }
    free(names->list[id - 1]);
    names->list[id - 1] = strdup(name);
    return names->list[id - 1] != NULL;
}

static enum fovea_status take_class(struct dataset_names *names, char *line, size_t number,
                                    struct fovea_error *err) {
    char *rest, *more;
    const char *first = fovea_text_word(line, &rest), *second = fovea_text_word(rest, &more);
    int id = dataset_number_of(first), other = dataset_number_of(second);
    const char *name = id >= 0 && *second ? second : first;
    id = *second ? (id >= 0 ? id : other) : (int)names->count + 1;
    if (*second && id < 0) {
        /* Words about the class: "n01440764 tench, Tinca tinca". */
        id = (int)names->count + 1;
    }
    if (!*name) {
        return fovea_fail(err, FOVEA_ERR_FORMAT, "line %zu names no class", number);
    }
    if (id < 1) {
        return fovea_fail(err, FOVEA_ERR_FORMAT, "line %zu: IDs begin at 1, and are below %d",
                          number, FOVEA_LIMIT_CLASSES);
    }
    if ((size_t)id <= names->count && *names->list[id - 1]) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "line %zu: ID %d stands for '%s' already", number,
                          id, fovea_quote(names->list[id - 1]).text);
    }
    return set_name(names, (size_t)id, name) ? FOVEA_OK
                                             : fovea_fail_memory(err, strlen(name), "a class map");
}

enum fovea_status dataset_read_class_map(const char *path, struct dataset_names *out,
                                         struct fovea_error *err) {
    struct fovea_text_lines lines;
    struct dataset_names names = {0};
    enum fovea_status status = fovea_text_lines_load(path, FOVEA_LIMIT_LIST_BYTES, &lines, err);
    if (status) {
        return status;
    }
    char *line;
    while (!status && (line = fovea_text_lines_next(&lines))) {
        status = take_class(&names, line, lines.number, err);
    }
    fovea_text_lines_finish(&lines);
    if (!status && names.count == 0) {
        status = fovea_fail(err, FOVEA_ERR_FORMAT, "names no class: a line is 'ID NAME'");
    }
    if (status) {
        dataset_names_finish(&names);
        return status;
    }
    *out = names;
    return FOVEA_OK;
}

/* ---- ground truth ------------------------------------------------------------------- */

enum fovea_status dataset_sniff_truth(const char *path, enum dataset_truth *out,
                                      struct fovea_error *err) {
    struct fovea_text_lines lines;
    enum fovea_status status = fovea_text_lines_load(path, FOVEA_LIMIT_LIST_BYTES, &lines, err);
    if (status) {
        return status;
    }
    const char *line = fovea_text_lines_next(&lines);
    if (!line) {
        status = fovea_fail(err, FOVEA_ERR_FORMAT, "is empty");
    } else if (line[0] == '[') {
        *out = DATASET_TRUTH_REAL;
    } else {
        *out = strpbrk(line, " \t,") ? DATASET_TRUTH_LIST : DATASET_TRUTH_LINES;
    }
    fovea_text_lines_finish(&lines);
    return status;
}

static enum fovea_status read_words(const char *path, struct dataset_names *out,
                                    struct fovea_error *err) {
    struct fovea_text_lines lines;
    enum fovea_status status = fovea_text_lines_load(path, FOVEA_LIMIT_LIST_BYTES, &lines, err);
    if (status) {
        return status;
    }
    char *line;
    while (!status && (line = fovea_text_lines_next(&lines))) {
        if (strpbrk(line, " \t,") || lines.number != out->count + 1) {
            status = fovea_fail(err, FOVEA_ERR_FORMAT,
                                "line %zu is not one word, as the first line is", out->count + 1);
        } else if (!dataset_names_add(out, line, strlen(line))) {
            status = fovea_fail_memory(err, strlen(line), "ground truth");
        }
    }
    fovea_text_lines_finish(&lines);
    return status;
}

/*
 * What numbers without a class map mean is a guess, unless 0 is among them:
 * ILSVRC's IDs begin at 1, and are in no order that a model has.
 */
static enum fovea_status check_numbers(const struct dataset_names *words, struct fovea_error *err) {
    bool numbers = true, zero = false;
    for (size_t i = 0; i < words->count; i++) {
        int number = dataset_number_of(words->list[i]);
        numbers = numbers && number >= 0;
        zero = zero || number == 0;
    }
    if (!numbers || zero) {
        return FOVEA_OK;
    }
    return fovea_fail(err, FOVEA_ERR_INVALID,
                      "numbers from 1, as in ILSVRC's ground truth: a class map must say which "
                      "classes they stand for");
}

/* The class of a line: a name, or the ID of one in the class map. */
static enum fovea_status name_of(const struct dataset_names *words, size_t line,
                                 const struct dataset_names *class_map, const char **out,
                                 struct fovea_error *err) {
    /* A line that is there. NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
    const char *word = words->list[line];
    int id = class_map ? dataset_number_of(word) : -1;
    bool known = id >= 1 && (size_t)id <= class_map->count && *class_map->list[id - 1];
    if (id >= 0 && !known) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "line %zu: the class map has no ID %d", line + 1,
                          id);
    }
    *out = known ? class_map->list[id - 1] : word;
    return FOVEA_OK;
}

static enum fovea_status label_by_words(struct fovea_dataset *set,
                                        const struct dataset_names *words,
                                        const struct dataset_names *class_map,
                                        struct fovea_error *err) {
    struct dataset_names names = {0};
    size_t *lines = NULL;
    enum fovea_status status = class_map ? FOVEA_OK : check_numbers(words, err);
    if (!status) {
        status = dataset_order_images(set, words->count, &lines, err);
    }
    for (size_t i = 0; !status && i < set->n_images; i++) {
        const char *name = NULL;
        status = name_of(words, lines[i], class_map, &name, err);
        if (!status && !dataset_names_add(&names, name, strlen(name))) {
            status = fovea_fail_memory(err, strlen(name), "labels");
        }
    }
    if (!status) {
        dataset_label_each(set);
        status = dataset_take_labels(set, &names, class_map, err);
    }
    dataset_names_finish(&names);
    free(lines);
    return status;
}

enum fovea_status dataset_label_by_lines(struct fovea_dataset *set, const char *path,
                                         const struct dataset_names *class_map,
                                         struct fovea_error *err) {
    struct dataset_names words = {0};
    enum fovea_status status = read_words(path, &words, err);
    if (!status) {
        status = label_by_words(set, &words, class_map, err);
    }
    dataset_names_finish(&words);
    return status;
}
