/* The opcodes of pickles (pickle.h): each changes the stack and the memo of the machine. */
#include "loaders/pickle_parts.h"
#include "runtime/limits.h"

#include <stdlib.h>
#include <string.h>

/* ---- opcodes: constants ---------------------------------------------------- */

/* `arg` is what the table of opcodes says. */
typedef void (*opcode_fn)(struct fovea_pickle_machine *m, int arg);

static uint64_t read_number(struct fovea_pickle_machine *m, int bytes) {
    uint64_t number = 0;
    for (int i = 0; i < bytes; i++) {
        number |= (uint64_t)fovea_read_u8(&m->r, "an operand") << (8 * i);
    }
    return number;
}

static void push_number(struct fovea_pickle_machine *m, enum fovea_pickle_kind kind,
                        int64_t number) {
    struct fovea_pickle_value *value = m->r.status ? NULL : fovea_pickle_new(m, kind);
    if (value) {
        value->number = number;
    }
    fovea_pickle_push(m, value);
}

static void op_proto(struct fovea_pickle_machine *m, int arg) {
    unsigned version = fovea_read_u8(&m->r, "a version");
    (void)arg;
    if (version < 2 || version > 5) {
        fovea_pickle_fail(m, FOVEA_ERR_UNSUPPORTED, "pickle protocol %u is outside 2 to 5",
                          version);
    }
}

/* Refuse `what`, "a text", if it is said to be longer than what is left of the pickle. */
static void expect_left(struct fovea_pickle_machine *m, const char *what, uint64_t size) {
    if (!m->r.status && size > m->r.size - m->r.at) {
        fovea_pickle_fail(m, FOVEA_ERR_FORMAT, "%s of %llu bytes; %zu are left", what,
                          (unsigned long long)size, m->r.size - m->r.at);
    }
}

/* A frame says that as many bytes follow, at least up to its end. */
static void op_frame(struct fovea_pickle_machine *m, int arg) {
    expect_left(m, "a frame", read_number(m, arg));
}

static void op_none(struct fovea_pickle_machine *m, int arg) {
    push_number(m, FOVEA_PICKLE_NONE, arg);
}

static void op_bool(struct fovea_pickle_machine *m, int arg) {
    push_number(m, FOVEA_PICKLE_BOOL, arg);
}

/* Of 1 or 2 bytes without a sign, of 4 with. */
static void op_int(struct fovea_pickle_machine *m, int arg) {
    uint64_t number = read_number(m, arg);
    push_number(m, FOVEA_PICKLE_INT, arg == 4 ? (int32_t)number : (int64_t)number);
}

static void op_long(struct fovea_pickle_machine *m, int arg) {
    uint64_t size = read_number(m, arg);
    if (size > 8) {
        fovea_pickle_fail(m, FOVEA_ERR_UNSUPPORTED, "an integer of %llu bytes",
                          (unsigned long long)size);
        return;
    }
    uint64_t number = read_number(m, (int)size);
    if (size > 0 && size < 8 && number >> (8 * size - 1)) {
        number |= ~(uint64_t)0 << (8 * size);
    }
    push_number(m, FOVEA_PICKLE_INT, (int64_t)number);
}

/* Big-endian, unlike everything else. */
static void op_float(struct fovea_pickle_machine *m, int arg) {
    const unsigned char *bytes = fovea_read_bytes(&m->r, "a number", 8);
    struct fovea_pickle_value *value = bytes ? fovea_pickle_new(m, FOVEA_PICKLE_FLOAT) : NULL;
    uint64_t bits = 0;
    (void)arg;
    for (int i = 0; value && i < 8; i++) {
        bits = bits << 8 | bytes[i];
    }
    if (value) {
        memcpy(&value->real, &bits, sizeof(bits));
    }
    fovea_pickle_push(m, value);
}

static void push_text(struct fovea_pickle_machine *m, enum fovea_pickle_kind kind, int width) {
    uint64_t size = read_number(m, width);
    expect_left(m, "a text", size);
    const unsigned char *bytes =
        m->r.status ? NULL : fovea_read_bytes(&m->r, "a text", (size_t)size);
    struct fovea_pickle_value *value = bytes ? fovea_pickle_new(m, kind) : NULL;
    if (value) {
        value->text = (const char *)bytes;
        value->length = (size_t)size;
    }
    fovea_pickle_push(m, value);
}

static void op_text(struct fovea_pickle_machine *m, int arg) {
    push_text(m, FOVEA_PICKLE_TEXT, arg);
}

static void op_bytes(struct fovea_pickle_machine *m, int arg) {
    push_text(m, FOVEA_PICKLE_BYTES, arg);
}

/* ---- opcodes: collections -------------------------------------------------- */

static void append(struct fovea_pickle_machine *m, struct fovea_pickle_value *list,
                   struct fovea_pickle_value *const *items, size_t count) {
    if (m->r.status || count == 0) {
        return;
    }
    if (count > list->cap - list->count) {
        size_t cap = list->count + (count > list->count ? count : list->count);
        struct fovea_pickle_value **moved = fovea_pickle_memory(m, cap * sizeof(*moved));
        if (!moved) {
            return;
        }
        if (list->count > 0) {
            memcpy(moved, list->items, list->count * sizeof(*moved));
        }
        list->items = moved;
        list->cap = cap;
    }
    memcpy(list->items + list->count, items, count * sizeof(*items));
    list->count += count;
}

static void op_empty(struct fovea_pickle_machine *m, int arg) {
    fovea_pickle_push(m, fovea_pickle_new(m, (enum fovea_pickle_kind)arg));
}

static void op_tuple(struct fovea_pickle_machine *m, int arg) {
    size_t count;
    struct fovea_pickle_value *const *items = fovea_pickle_pop_many(m, arg, &count);
    struct fovea_pickle_value *tuple = m->r.status ? NULL : fovea_pickle_new(m, FOVEA_PICKLE_TUPLE);
    if (tuple) {
        append(m, tuple, items, count);
    }
    fovea_pickle_push(m, tuple);
}

/* `arg` values, or (-1) all above the mark, go to the list below them. */
static void op_append(struct fovea_pickle_machine *m, int arg) {
    size_t count;
    struct fovea_pickle_value *const *items = fovea_pickle_pop_many(m, arg, &count),
                                     *list = fovea_pickle_top(m);
    if (!list) {
        return;
    }
    if (list->kind != FOVEA_PICKLE_LIST) {
        fovea_pickle_fail(m, FOVEA_ERR_FORMAT, "items are added to what is no list");
    }
    append(m, list, items, count);
}

static void op_set_items(struct fovea_pickle_machine *m, int arg) {
    size_t count;
    struct fovea_pickle_value *const *items = fovea_pickle_pop_many(m, arg, &count),
                                     *dict = fovea_pickle_top(m);
    if (!dict) {
        return;
    }
    if (dict->kind != FOVEA_PICKLE_DICT || count % 2 != 0) {
        fovea_pickle_fail(m, FOVEA_ERR_FORMAT, "items are set in what is no dictionary");
    }
    append(m, dict, items, count);
}

static void op_mark(struct fovea_pickle_machine *m, int arg) {
    void *marks = m->marks;
    (void)arg;
    if (fovea_pickle_reserve(m, &marks, m->n_marks, &m->cap_marks, sizeof(*m->marks))) {
        m->marks = marks;
        m->marks[m->n_marks++] = m->n_stack;
    }
}

static void op_pop(struct fovea_pickle_machine *m, int arg) {
    size_t count;
    if (arg > 0 && m->n_marks > 0 && m->n_stack == m->marks[m->n_marks - 1]) {
        m->n_marks--;
        return;
    }
    fovea_pickle_pop_many(m, arg, &count);
}

/* ---- opcodes: memo --------------------------------------------------------- */

static void op_get(struct fovea_pickle_machine *m, int arg) {
    uint64_t index = read_number(m, arg);
    if (!m->r.status && (index >= m->n_memo || !m->memo[index])) {
        fovea_pickle_fail(m, FOVEA_ERR_FORMAT, "nothing is in the memo at %llu",
                          (unsigned long long)index);
    }
    fovea_pickle_push(m, m->r.status ? NULL : m->memo[index]);
}

static void memoize(struct fovea_pickle_machine *m, uint64_t index) {
    struct fovea_pickle_value *value = fovea_pickle_top(m);
    if (!m->r.status && index >= FOVEA_LIMIT_PICKLE_OBJECTS) {
        fovea_pickle_fail(m, FOVEA_ERR_LIMIT, "memo index %llu; the limit is %d",
                          (unsigned long long)index, FOVEA_LIMIT_PICKLE_OBJECTS);
    }
    while (!m->r.status && m->n_memo <= index) {
        void *memo = m->memo;
        if (fovea_pickle_reserve(m, &memo, m->n_memo, &m->cap_memo, sizeof(*m->memo))) {
            m->memo = memo;
            m->memo[m->n_memo++] = NULL;
        }
    }
    if (!m->r.status) {
        m->memo[index] = value;
    }
}

static void op_put(struct fovea_pickle_machine *m, int arg) {
    memoize(m, read_number(m, arg));
}

static void op_memoize(struct fovea_pickle_machine *m, int arg) {
    (void)arg;
    memoize(m, m->n_memo);
}

/* ---- opcodes: globals ------------------------------------------------------- */

/* A line without its end. */
static const char *read_line(struct fovea_pickle_machine *m, size_t *length) {
    const unsigned char *start = m->r.bytes + m->r.at;
    const unsigned char *end = memchr(start, '\n', m->r.size - m->r.at);
    if (!end) {
        fovea_pickle_fail(m, FOVEA_ERR_FORMAT, "a name without an end");
        *length = 0;
        return NULL;
    }
    *length = (size_t)(end - start);
    m->r.at += *length + 1;
    return (const char *)start;
}

static void op_global(struct fovea_pickle_machine *m, int arg) {
    size_t module_length, name_length;
    const char *module = read_line(m, &module_length);
    const char *name = module ? read_line(m, &name_length) : NULL;
    (void)arg;
    if (name) {
        fovea_pickle_push(m, fovea_pickle_global(m, module, module_length, name, name_length));
    }
}

static void op_stack_global(struct fovea_pickle_machine *m, int arg) {
    struct fovea_pickle_value *name = fovea_pickle_pop(m), *module = fovea_pickle_pop(m);
    (void)arg;
    if (!name || !module) {
        return;
    }
    if (name->kind != FOVEA_PICKLE_TEXT || module->kind != FOVEA_PICKLE_TEXT) {
        fovea_pickle_fail(m, FOVEA_ERR_FORMAT, "the name of a global is no text");
        return;
    }
    fovea_pickle_push(
        m, fovea_pickle_global(m, module->text, module->length, name->text, name->length));
}

static void op_reduce(struct fovea_pickle_machine *m, int arg) {
    struct fovea_pickle_value *args = fovea_pickle_pop(m), *callable = fovea_pickle_pop(m);
    (void)arg;
    if (callable && (callable->kind != FOVEA_PICKLE_GLOBAL || args->kind != FOVEA_PICKLE_TUPLE)) {
        fovea_pickle_fail(m, FOVEA_ERR_FORMAT, "a call of what is no global, or without a tuple");
    }
    fovea_pickle_push(m, m->r.status ? NULL : fovea_pickle_reduce(m, callable, args));
}

static void op_build(struct fovea_pickle_machine *m, int arg) {
    struct fovea_pickle_value *state = fovea_pickle_pop(m), *value = fovea_pickle_top(m);
    (void)arg;
    if (value) {
        fovea_pickle_build(m, value, state);
    }
}

static void op_persistent(struct fovea_pickle_machine *m, int arg) {
    struct fovea_pickle_value *id = fovea_pickle_pop(m);
    (void)arg;
    fovea_pickle_push(m, id ? fovea_pickle_persistent(m, id) : NULL);
}

static void op_stop(struct fovea_pickle_machine *m, int arg) {
    m->pickle->result = fovea_pickle_pop(m);
    m->stopped = true;
    (void)arg;
    if (m->n_stack > 0 || m->n_marks > 0) {
        fovea_pickle_fail(m, FOVEA_ERR_FORMAT, "the pickle ends with %zu values left over",
                          m->n_stack);
    }
}

/* ---- the table -------------------------------------------------------------- */

/* Names as in Python's pickletools; without a function, refused by that name. */
static const struct {
    const char *name;
    opcode_fn run;
    int arg;
} opcodes[256] = {
    ['('] = {"MARK", op_mark, 0},
    [')'] = {"EMPTY_TUPLE", op_empty, FOVEA_PICKLE_TUPLE},
    ['.'] = {"STOP", op_stop, 0},
    ['0'] = {"POP", op_pop, 1},
    ['1'] = {"POP_MARK", op_pop, -1},
    ['2'] = {"DUP", NULL, 0},
    ['B'] = {"BINBYTES", op_bytes, 4},
    ['C'] = {"SHORT_BINBYTES", op_bytes, 1},
    ['F'] = {"FLOAT", NULL, 0},
    ['G'] = {"BINFLOAT", op_float, 0},
    ['I'] = {"INT", NULL, 0},
    ['J'] = {"BININT", op_int, 4},
    ['K'] = {"BININT1", op_int, 1},
    ['L'] = {"LONG", NULL, 0},
    ['M'] = {"BININT2", op_int, 2},
    ['N'] = {"NONE", op_none, 0},
    ['P'] = {"PERSID", NULL, 0},
    ['Q'] = {"BINPERSID", op_persistent, 0},
    ['R'] = {"REDUCE", op_reduce, 0},
    ['S'] = {"STRING", NULL, 0},
    /* A Python 2 string may be text or bytes; what reads it takes either. */
    ['T'] = {"BINSTRING", op_bytes, 4},
    ['U'] = {"SHORT_BINSTRING", op_bytes, 1},
    ['V'] = {"UNICODE", NULL, 0},
    ['X'] = {"BINUNICODE", op_text, 4},
    [']'] = {"EMPTY_LIST", op_empty, FOVEA_PICKLE_LIST},
    ['a'] = {"APPEND", op_append, 1},
    ['b'] = {"BUILD", op_build, 0},
    ['c'] = {"GLOBAL", op_global, 0},
    ['d'] = {"DICT", NULL, 0},
    ['e'] = {"APPENDS", op_append, -1},
    ['g'] = {"GET", NULL, 0},
    ['h'] = {"BINGET", op_get, 1},
    ['i'] = {"INST", NULL, 0},
    ['j'] = {"LONG_BINGET", op_get, 4},
    ['l'] = {"LIST", NULL, 0},
    ['o'] = {"OBJ", NULL, 0},
    ['p'] = {"PUT", NULL, 0},
    ['q'] = {"BINPUT", op_put, 1},
    ['r'] = {"LONG_BINPUT", op_put, 4},
    ['s'] = {"SETITEM", op_set_items, 2},
    ['t'] = {"TUPLE", op_tuple, -1},
    ['u'] = {"SETITEMS", op_set_items, -1},
    ['}'] = {"EMPTY_DICT", op_empty, FOVEA_PICKLE_DICT},
    [0x80] = {"PROTO", op_proto, 0},
    [0x81] = {"NEWOBJ", op_reduce, 0},
    [0x82] = {"EXT1", NULL, 0},
    [0x83] = {"EXT2", NULL, 0},
    [0x84] = {"EXT4", NULL, 0},
    [0x85] = {"TUPLE1", op_tuple, 1},
    [0x86] = {"TUPLE2", op_tuple, 2},
    [0x87] = {"TUPLE3", op_tuple, 3},
    [0x88] = {"NEWTRUE", op_bool, 1},
    [0x89] = {"NEWFALSE", op_bool, 0},
    [0x8a] = {"LONG1", op_long, 1},
    [0x8b] = {"LONG4", op_long, 4},
    [0x8c] = {"SHORT_BINUNICODE", op_text, 1},
    [0x8d] = {"BINUNICODE8", op_text, 8},
    [0x8e] = {"BINBYTES8", op_bytes, 8},
    [0x8f] = {"EMPTY_SET", NULL, 0},
    [0x90] = {"ADDITEMS", NULL, 0},
    [0x91] = {"FROZENSET", NULL, 0},
    [0x92] = {"NEWOBJ_EX", NULL, 0},
    [0x93] = {"STACK_GLOBAL", op_stack_global, 0},
    [0x94] = {"MEMOIZE", op_memoize, 0},
    [0x95] = {"FRAME", op_frame, 8},
    [0x96] = {"BYTEARRAY8", op_bytes, 8},
    [0x97] = {"NEXT_BUFFER", NULL, 0},
    [0x98] = {"READONLY_BUFFER", NULL, 0},
};

void fovea_pickle_step(struct fovea_pickle_machine *m) {
    m->op = m->r.at;
    unsigned code = fovea_read_u8(&m->r, "an opcode");
    if (m->r.status) {
        return;
    }
    if (opcodes[code].run) {
        opcodes[code].run(m, opcodes[code].arg);
    } else if (opcodes[code].name) {
        fovea_pickle_fail(m, FOVEA_ERR_UNSUPPORTED, "pickle opcode %s is not supported",
                          opcodes[code].name);
    } else {
        fovea_pickle_fail(m, FOVEA_ERR_FORMAT, "0x%02x is no pickle opcode", code);
    }
}
