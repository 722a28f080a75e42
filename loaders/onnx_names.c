/* Names of values and nodes: see onnx_names.h. */
#include "loaders/onnx_names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What made names begin with; those a file has of the kind are not kept. */
static const char made[] = "fovea/";

struct named {
    const char *name;
    size_t number;
};

static int by_name(const void *a, const void *b) {
    const struct named *one = a, *two = b;
    int order = strcmp(one->name, two->name);
    return order ? order : (one->number > two->number) - (one->number < two->number);
}

/* The names there are, to be looked up, and those that will be. */
struct list {
    struct named *sorted;
    size_t count;
    const char **names; /* in the arena */
};

static bool list_init(struct list *list, size_t most, struct fovea_arena *arena) {
    *list = (struct list){.sorted = calloc(most + 1, sizeof(*list->sorted)),
                          .names = fovea_arena_alloc(arena, most + 1, sizeof(*list->names))};
    return list->sorted && list->names;
}

static void list_add(struct list *list, const char *name, size_t number) {
    list->sorted[list->count++] = (struct named){name, number};
}

static void list_sort(struct list *list) {
    if (list->count > 0) {
        qsort(list->sorted, list->count, sizeof(*list->sorted), by_name);
    }
}

/* Hand out the names, `most` of them, if that was `ok`. */
static enum fovea_status list_finish(struct list *list, bool ok, size_t most,
                                     const char *const **out, struct fovea_error *err) {
    free(list->sorted);
    if (!ok) {
        return fovea_fail_memory(err, most * sizeof(*list->sorted), "names");
    }
    *out = list->names;
    return FOVEA_OK;
}

/* Whether the name, which is in the list under that number, is there once. */
static bool is_alone(const struct named *sorted, size_t n, const char *name, size_t number) {
    const struct named key = {name, number};
    const struct named *at = bsearch(&key, sorted, n, sizeof(key), by_name);
    return (at == sorted || strcmp(at[-1].name, name) != 0) &&
           (at + 1 == sorted + n || strcmp(at[1].name, name) != 0);
}

/* ---- values ------------------------------------------------------------------- */

static bool keeps_name(const struct named *sorted, size_t n, const struct fovea_value *value) {
    return value->is_input || value->is_output ||
           (value->name[0] && strncmp(value->name, made, sizeof(made) - 1) != 0 &&
            is_alone(sorted, n, value->name, value->number));
}

static bool choose(const struct fovea_graph *graph, const struct named *sorted,
                   struct fovea_arena *arena, const char **names) {
    for (const struct fovea_value *value = graph->values; value; value = value->next) {
        char text[32];
        names[value->number] = value->name;
        if (keeps_name(sorted, graph->n_values, value)) {
            continue;
        }
        int length = snprintf(text, sizeof(text), "%s%zu", made, value->number);
        names[value->number] = fovea_arena_copy_text(arena, text, (size_t)length);
        if (!names[value->number]) {
            return false;
        }
    }
    return true;
}

enum fovea_status fovea_onnx_names(const struct fovea_graph *graph, struct fovea_arena *arena,
                                   const char *const **out, struct fovea_error *err) {
    struct list list;
    bool ok = list_init(&list, graph->n_values, arena);
    for (const struct fovea_value *value = graph->values; ok && value; value = value->next) {
        list_add(&list, value->name, value->number);
    }
    list_sort(&list);
    ok = ok && choose(graph, list.sorted, arena, list.names);
    return list_finish(&list, ok, graph->n_values, out, err);
}

/* ---- nodes -------------------------------------------------------------------- */

static bool choose_node_names(const struct fovea_graph *graph, const struct named *sorted, size_t n,
                              struct fovea_arena *arena, const char **names) {
    size_t number = 0;
    for (const struct fovea_node *node = graph->first; node; node = node->next, number++) {
        char suffix[24];
        size_t length = strlen(node->name);
        names[number] = node->name;
        /* One with the sign might be what another is about to become. */
        if (!strchr(node->name, '#') && is_alone(sorted, n, node->name, number)) {
            continue;
        }
        size_t extra = (size_t)snprintf(suffix, sizeof(suffix), "#%zu", number);
        char *name = fovea_arena_alloc(arena, length + extra + 1, 1);
        if (!name) {
            return false;
        }
        memcpy(name, node->name, length);
        memcpy(name + length, suffix, extra);
        names[number] = name;
    }
    return true;
}

enum fovea_status fovea_onnx_node_names(const struct fovea_graph *graph, struct fovea_arena *arena,
                                        const char *const **out, struct fovea_error *err) {
    struct list list;
    bool ok = list_init(&list, graph->n_nodes, arena);
    for (const struct fovea_node *node = graph->first; ok && node; node = node->next) {
        list_add(&list, node->name, list.count);
    }
    list_sort(&list);
    ok = ok && choose_node_names(graph, list.sorted, list.count, arena, list.names);
    return list_finish(&list, ok, graph->n_nodes, out, err);
}
