/* See label_map.h. */
#include "loaders/label_map.h"

#include "loaders/text_lines.h"
#include "runtime/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Cut a line where its two classes part; NULL if it has only one. */
static char *cut_pair(char *line) {
    size_t at = strcspn(line, "\t");
    at = line[at] ? at : strcspn(line, " ,");
    if (!line[at]) {
        return NULL;
    }
    line[at] = 0;
    char *to = line + at + 1 + strspn(line + at + 1, " \t,");
    return to;
}

static enum fovea_status add_pair(struct fovea_label_map *map, const char *from, const char *to,
                                  struct fovea_error *err) {
    size_t n = map->count;
    /* Room doubles: it is full whenever the count is a power of two. */
    if ((n & (n - 1)) == 0) {
        size_t bytes = (n ? 2 * n : 1) * sizeof(*map->pairs);
        struct fovea_label_pair *grown = realloc(map->pairs, bytes);
        if (!grown) {
            return fovea_fail_memory(err, bytes, "a label map");
        }
        map->pairs = grown;
    }
    struct fovea_label_pair pair = {strdup(from), strdup(to)};
    map->pairs[map->count++] = pair;
    return pair.from && pair.to ? FOVEA_OK : fovea_fail_memory(err, strlen(from), "a label map");
}

static enum fovea_status take_line(struct fovea_label_map *map, char *line, bool *pairs,
                                   size_t number, struct fovea_error *err) {
    char index[24];
    char *to = cut_pair(line);
    if (map->count == 0) {
        *pairs = to != NULL;
    }
    if (*pairs != (to != NULL) || (to && !*to)) {
        return fovea_fail(err, FOVEA_ERR_FORMAT, "line %zu does not have %s, as the first line has",
                          number, *pairs ? "two classes" : "one word");
    }
    snprintf(index, sizeof(index), "%zu", map->count);
    return add_pair(map, to ? line : index, to ? to : line, err);
}

static int by_from(const void *a, const void *b) {
    const struct fovea_label_pair *x = a, *y = b;
    return strcmp(x->from, y->from);
}

static enum fovea_status sort_pairs(struct fovea_label_map *map, struct fovea_error *err) {
    if (map->count == 0) {
        return fovea_fail(err, FOVEA_ERR_FORMAT, "maps no class: a line is 'FROM TO'");
    }
    qsort(map->pairs, map->count, sizeof(*map->pairs), by_from);
    for (size_t i = 1; i < map->count; i++) {
        if (by_from(&map->pairs[i], &map->pairs[i - 1]) == 0) {
            return fovea_fail(err, FOVEA_ERR_INVALID, "class '%s' is mapped twice",
                              fovea_quote(map->pairs[i].from).text);
        }
    }
    return FOVEA_OK;
}

enum fovea_status fovea_label_map_load(const char *path, struct fovea_label_map *out,
                                       struct fovea_error *err) {
    struct fovea_text_lines lines;
    struct fovea_label_map map = {0};
    bool pairs = false;
    char *line;
    enum fovea_status status = fovea_text_lines_load(path, FOVEA_LIMIT_LABEL_BYTES, &lines, err);
    if (status) {
        return status;
    }
    while (!status && (line = fovea_text_lines_next(&lines))) {
        status = take_line(&map, line, &pairs, lines.number, err);
    }
    fovea_text_lines_finish(&lines);
    if (!status) {
        status = sort_pairs(&map, err);
    }
    if (status) {
        fovea_label_map_finish(&map);
        return status;
    }
    *out = map;
    return FOVEA_OK;
}

const char *fovea_label_map_get(const struct fovea_label_map *map, const char *from) {
    size_t low = 0, high = map->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(from, map->pairs[middle].from);
        if (order == 0) {
            return map->pairs[middle].to;
        }
        low = order > 0 ? middle + 1 : low;
        high = order < 0 ? middle : high;
    }
    return NULL;
}

void fovea_label_map_finish(struct fovea_label_map *map) {
    for (size_t i = 0; i < map->count; i++) {
        free(map->pairs[i].from);
        free(map->pairs[i].to);
    }
    free(map->pairs);
    *map = (struct fovea_label_map){0};
}
