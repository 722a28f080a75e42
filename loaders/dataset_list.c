/* Lists of "path label" or "path,label" lines, and where an archive has what they name. */
#include "loaders/dataset_parts.h"

#include "loaders/text_lines.h"
#include "runtime/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/*
 * Cut a field in quotes, as RFC 4180 has them, off `line`; NULL if the quotes do not end, or what
 * follows them is no separator.
 */
static char *cut_quoted(char *line, char **rest) {
    char *to = line, *from = line + 1;
    for (; *from; from++) {
        if (*from == '"' && from[1] != '"') {
            size_t gap = strspn(from + 1, " \t,");
            *to = 0;
            *rest = from + 1 + gap;
            return gap > 0 ? line : NULL;
        }
        from += *from == '"';
        *to++ = *from;
    }
    return NULL;
}

/* Cut at byte `at`, which is a separator, and those beside it; a line begins with no space. */
static char *cut_at(char *line, size_t at, char **rest) {
    *rest = line + at + 1 + strspn(line + at + 1, " \t");
    while (strchr(" \t", line[at - 1])) {
        at--;
    }
    line[at] = 0;
    return line;
}

/*
 * Path and label of a line: between them is a tab, else the last comma, else
 * the last space, so that paths may have spaces in them. NULL if there is none.
 */
static char *cut_path(char *line, char **label) {
    if (line[0] == '"') {
        return cut_quoted(line, label);
    }
    const char *at = strrchr(line, '\t');
    at = at ? at : strrchr(line, ',');
    at = at ? at : strrchr(line, ' ');
    return at && at > line ? cut_at(line, (size_t)(at - line), label) : NULL;
}

static enum fovea_status take_line(struct fovea_dataset *set, struct dataset_names *names,
                                   char *line, size_t number, struct fovea_error *err) {
    char *label = NULL;
    const char *path = cut_path(line, &label);
    if (!path || !*path || !*label) {
        return fovea_fail(err, FOVEA_ERR_FORMAT, "line %zu is not 'path label'", number);
    }
    if (number == 1 && (strcasecmp(label, "label") == 0 || strcasecmp(label, "class") == 0)) {
        return FOVEA_OK; /* the heads of a table's columns */
    }
    struct fovea_dataset_image image = {.path = strdup(path)};
    if (!image.path || !dataset_names_add(names, label, strlen(label))) {
        free(image.path);
        return fovea_fail_memory(err, strlen(line), "a list");
    }
    return dataset_add_image(set, &image, err);
}

static int by_bytes(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Count the images that were listed before. */
static enum fovea_status count_repeated(struct fovea_dataset *set, struct fovea_error *err) {
    size_t bytes = (set->n_images + 1) * sizeof(char *);
    const char **paths = malloc(bytes);
    if (!paths) {
        return fovea_fail_memory(err, bytes, "a list");
    }
    for (size_t i = 0; i < set->n_images; i++) {
        paths[i] = set->images[i].path;
    }
    qsort(paths, set->n_images, sizeof(*paths), by_bytes);
    const char *first = NULL;
    for (size_t i = 1; i < set->n_images; i++) {
        if (strcmp(paths[i], paths[i - 1]) == 0 && set->n_repeated++ == 0) {
            first = paths[i];
        }
    }
    free(paths);
    set->repeated = first ? strdup(first) : NULL;
    return !first || set->repeated ? FOVEA_OK : fovea_fail_memory(err, strlen(first) + 1, "a path");
}

enum fovea_status dataset_read_list(const char *path, struct fovea_dataset *set,
                                    struct dataset_names *names, struct fovea_error *err) {
    struct fovea_text_lines lines;
    enum fovea_status status = fovea_text_lines_load(path, FOVEA_LIMIT_LIST_BYTES, &lines, err);
    if (status) {
        return status;
    }
    char *line;
    while (!status && (line = fovea_text_lines_next(&lines))) {
        status = take_line(set, names, line, lines.number, err);
    }
    fovea_text_lines_finish(&lines);
    if (!status && set->n_images == 0) {
        status = fovea_fail(err, FOVEA_ERR_INVALID, "lists no image: a line is 'path label'");
    }
    return status ? status : count_repeated(set, err);
}

/* ---- in an archive ------------------------------------------------------------------ */

static int by_path(const void *a, const void *b) {
    const struct dataset_entry *x = a, *y = b;
    return strcmp(x->path, y->path);
}

/* PREFIX and path together, or NULL if that is in no archive. */
static const struct dataset_entry *find(const struct dataset_entries *entries, const char *prefix,
                                        const char *path) {
    char whole[8192];
    int length = snprintf(whole, sizeof(whole), "%s%s", prefix, path);
    if (entries->count == 0 || (size_t)length >= sizeof(whole)) {
        return NULL;
    }
    const struct dataset_entry wanted = {.path = whole};
    return bsearch(&wanted, entries->list, entries->count, sizeof(wanted), by_path);
}

enum fovea_status dataset_find_images(struct fovea_dataset *set, struct dataset_entries *entries,
                                      struct fovea_error *err) {
    char *folder;
    size_t length;
    if (!dataset_common_folder(entries, &folder, &length)) {
        return fovea_fail_memory(err, 1, "a path");
    }
    if (entries->count > 0) {
        qsort(entries->list, entries->count, sizeof(*entries->list), by_path);
    }
    for (size_t i = 0; i < set->n_images; i++) {
        struct fovea_dataset_image *image = &set->images[i];
        const char *path = image->path;
        while (path[0] == '.' && path[1] == '/') {
            path += 2;
        }
        const struct dataset_entry *found = find(entries, "", path);
        found = found ? found : find(entries, folder, path);
        image->fault = found ? found->fault : FOVEA_IMAGE_VANISHED;
        image->offset = found ? found->offset : 0;
        image->size = found ? found->size : 0;
    }
    free(folder);
    return FOVEA_OK;
}
