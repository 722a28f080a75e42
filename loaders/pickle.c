/* The pickle machine: see pickle.h. Its opcodes are in
 * pickle_opcodes.c, what its globals mean in pickle_globals.c. */
#include "loaders/pickle_parts.h"

#include "runtime/limits.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void fovea_pickle_fail(struct fovea_pickle_machine *m, enum fovea_status status, const char *format,
                       ...) {
    char message[384];
    if (m->r.status) {
        return;
    }
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    m->r.status = fovea_fail(m->r.err, status, "byte %zu: %s", m->r.start + m->op, message);
}

/* ---- memory --------------------------------------------------------------- */

/* What an object costs, in the unit of the limit: about 40 bytes. */
static bool spend(struct fovea_pickle_machine *m, size_t units) {
    if (units > FOVEA_LIMIT_PICKLE_OBJECTS - m->pickle->n_objects) {
        fovea_pickle_fail(m, FOVEA_ERR_LIMIT, "over %d objects, the limit",
                          FOVEA_LIMIT_PICKLE_OBJECTS);
        return false;
    }
    m->pickle->n_objects += units;
    return true;
}

void *fovea_pickle_memory(struct fovea_pickle_machine *m, size_t bytes) {
    void *memory = NULL;
    if (spend(m, bytes / sizeof(struct fovea_pickle_value))) {
        memory = fovea_arena_alloc(&m->pickle->arena, bytes + 1, 1);
        if (!memory) {
            m->r.status = fovea_fail_memory(m->r.err, bytes, "a pickle");
        }
    }
    return memory;
}

struct fovea_pickle_value *fovea_pickle_new(struct fovea_pickle_machine *m,
                                            enum fovea_pickle_kind kind) {
    struct fovea_pickle_value *value = NULL;
    if (spend(m, 1)) {
        value = fovea_arena_alloc(&m->pickle->arena, 1, sizeof(*value));
        if (!value) {
            m->r.status = fovea_fail_memory(m->r.err, sizeof(*value), "a pickle");
        } else {
            value->kind = kind;
        }
    }
    return value;
}

struct fovea_pickle_value *fovea_pickle_new_tensor(struct fovea_pickle_machine *m,
                                                   enum fovea_pickle_kind kind) {
    struct fovea_pickle_value *value = fovea_pickle_new(m, kind);
    size_t units = sizeof(*value->tensor) / sizeof(*value);
    if (value && spend(m, units)) {
        value->tensor = fovea_arena_alloc(&m->pickle->arena, 1, sizeof(*value->tensor));
        if (!value->tensor) {
            m->r.status = fovea_fail_memory(m->r.err, sizeof(*value->tensor), "a pickle");
        }
    }
    return value && !m->r.status ? value : NULL;
}

bool fovea_pickle_reserve(struct fovea_pickle_machine *m, void **list, size_t count, size_t *cap,
                          size_t size) {
    if (m->r.status || count < *cap) {
        return !m->r.status;
    }
    size_t grown = *cap ? 2 * *cap : 256;
    void *moved = NULL;
    if (count >= FOVEA_LIMIT_PICKLE_OBJECTS) {
        fovea_pickle_fail(m, FOVEA_ERR_LIMIT, "over %d values at a time, the limit",
                          FOVEA_LIMIT_PICKLE_OBJECTS);
        return false;
    }
    moved = realloc(*list, grown * size);
    if (!moved) {
        m->r.status = fovea_fail_memory(m->r.err, grown * size, "a pickle");
        return false;
    }
    *list = moved;
    *cap = grown;
    return true;
}

/* ---- stack ---------------------------------------------------------------- */

void fovea_pickle_push(struct fovea_pickle_machine *m, struct fovea_pickle_value *value) {
    void *stack = m->stack;
    if (value && fovea_pickle_reserve(m, &stack, m->n_stack, &m->cap_stack, sizeof(*m->stack))) {
        m->stack = stack;
        m->stack[m->n_stack++] = value;
    }
}

struct fovea_pickle_value *fovea_pickle_pop(struct fovea_pickle_machine *m) {
    size_t floor = m->n_marks ? m->marks[m->n_marks - 1] : 0;
    if (!m->r.status && m->n_stack <= floor) {
        fovea_pickle_fail(m, FOVEA_ERR_FORMAT, "an opcode takes more from the stack than there is");
    }
    return m->r.status ? NULL : m->stack[--m->n_stack];
}

struct fovea_pickle_value *const *fovea_pickle_pop_many(struct fovea_pickle_machine *m, int count,
                                                        size_t *out) {
    size_t floor = m->n_marks ? m->marks[m->n_marks - 1] : 0;
    *out = 0;
    if (count < 0 && m->n_marks == 0) {
        fovea_pickle_fail(m, FOVEA_ERR_FORMAT, "an opcode needs a mark, and there is none");
        return NULL;
    }
    size_t wanted = count < 0 ? m->n_stack - floor : (size_t)count;
    if (wanted > m->n_stack - floor) {
        fovea_pickle_fail(m, FOVEA_ERR_FORMAT, "an opcode takes more from the stack than there is");
        return NULL;
    }
    m->n_marks -= count < 0;
    m->n_stack -= wanted;
    *out = wanted;
    /* Of a stack that nothing was ever pushed on, nothing can be taken; that is no failure. */
    static struct fovea_pickle_value *const none[1];
    return m->stack ? m->stack + m->n_stack : none;
}

struct fovea_pickle_value *fovea_pickle_top(struct fovea_pickle_machine *m) {
    struct fovea_pickle_value *value = fovea_pickle_pop(m);
    m->n_stack += value != NULL;
    return value;
}

/* ---- the machine ------------------------------------------------------------ */

/* `length` is NULL if nothing may follow. */
static enum fovea_status load(struct fovea_pickle *pickle, const void *bytes, size_t size,
                              size_t *length, struct fovea_error *err) {
    struct fovea_pickle_machine m = {
        .r = {.bytes = bytes, .size = size, .err = err},
        .pickle = pickle,
    };
    *pickle = (struct fovea_pickle){0};
    while (!m.stopped && !m.r.status) {
        fovea_pickle_step(&m);
    }
    if (!m.r.status && length) {
        *length = m.r.at;
    } else if (!m.r.status && m.r.at != size) {
        m.op = m.r.at;
        fovea_pickle_fail(&m, FOVEA_ERR_FORMAT, "%zu bytes follow the pickle", size - m.r.at);
    }
    free(m.stack);
    free(m.marks);
    free(m.memo);
    return m.r.status;
}

enum fovea_status fovea_pickle_load(struct fovea_pickle *pickle, const void *bytes, size_t size,
                                    struct fovea_error *err) {
    return load(pickle, bytes, size, NULL, err);
}

enum fovea_status fovea_pickle_load_first(struct fovea_pickle *pickle, const void *bytes,
                                          size_t size, size_t *length, struct fovea_error *err) {
    return load(pickle, bytes, size, length, err);
}

void fovea_pickle_finish(struct fovea_pickle *pickle) {
    free(pickle->storages);
    fovea_arena_finish(&pickle->arena);
    *pickle = (struct fovea_pickle){0};
}

struct fovea_pickle_value *fovea_pickle_get(const struct fovea_pickle_value *dict,
                                            const char *key) {
    size_t length = strlen(key);
    for (size_t i = 0; dict->kind == FOVEA_PICKLE_DICT && i < dict->count; i += 2) {
        const struct fovea_pickle_value *at = dict->items[i];
        if (at->kind == FOVEA_PICKLE_TEXT && at->length == length &&
            memcmp(at->text, key, length) == 0) {
            return dict->items[i + 1];
        }
    }
    return NULL;
}
