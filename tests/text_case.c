/* Reading cases: see text_case.h, and test_cases.c for the format. */
#include "tests/text_case.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- words -------------------------------------------------------------- */

static void complain(struct text_case *c, const char *what, const char *text) {
    fprintf(stderr, "%s:%d: %s: %.60s\n", c->file, c->line, what, text);
    c->bad = true;
}

/* Memory that lives as long as the case. */
static void *pool_alloc(struct text_case *c, size_t bytes) {
    void *memory = c->n_pool < TEXT_CASE_POOL ? calloc(1, bytes + 8) : NULL;
    if (!memory) {
        fprintf(stderr, "%s:%d: out of memory\n", c->file, c->line);
        exit(1);
    }
    c->pool[c->n_pool++] = memory;
    return memory;
}

static void skip_blanks(char **at) {
    *at += strspn(*at, " \t\r");
}

/* Whether the text goes on with `word` and a blank or the end; then it is passed over. */
bool text_accept(char **at, const char *word) {
    size_t n = strlen(word);
    if (strncmp(*at, word, n) != 0 || ((*at)[n] && !strchr(" \t\r", (*at)[n]))) {
        return false;
    }
    *at += n;
    skip_blanks(at);
    return true;
}

/* The text up to one of `ends`, as a string of its own. */
static char *take_until(struct text_case *c, char **at, const char *ends) {
    size_t n = strcspn(*at, ends);
    char *word = pool_alloc(c, n + 1);
    memcpy(word, *at, n);
    *at += n;
    return word;
}

static bool looks_float(const char *text) {
    size_t n = strcspn(text, " ,]");
    for (size_t i = 0; i < n; i++) {
        if (strchr(".efni", text[i])) {
            return true;
        }
    }
    return false;
}

/* ---- tensors ------------------------------------------------------------ */

static bool read_type(struct text_case *c, char **at, struct fovea_tensor *t) {
    for (int i = 0; i < FOVEA_N_DTYPES; i++) {
        const char *name = fovea_dtype_name((enum fovea_dtype)i);
        size_t n = strlen(name);
        if (strncmp(*at, name, n) == 0 && (*at)[n] == '[') {
            t->dtype = (enum fovea_dtype)i;
            *at += n + 1;
            return true;
        }
    }
    complain(c, "not a tensor type", *at);
    return false;
}

static bool read_dims(struct text_case *c, char **at, struct fovea_tensor *t) {
    t->rank = 0;
    while (**at != ']') {
        char *end;
        int64_t dim = strtoll(*at, &end, 10);
        if (end == *at || t->rank == FOVEA_MAX_RANK) {
            complain(c, "not a shape", *at);
            return false;
        }
        t->dims[t->rank++] = dim;
        *at = end + (*end == ',');
    }
    ++*at;
    skip_blanks(at);
    return true;
}

/* One number, converted to element `index`. Floats go through f64, the rest through i64. */
static bool read_element(char **at, struct fovea_tensor *t, int64_t index) {
    char *end;
    char *to = (char *)t->data + (size_t)index * fovea_dtype_size(t->dtype);
    if (fovea_dtype_is_float(t->dtype)) {
        double value = strtod(*at, &end);
        fovea_convert(FOVEA_F64, &value, t->dtype, to, 1);
    } else {
        uint64_t bits = **at == '-' ? (uint64_t)strtoll(*at, &end, 10) : strtoull(*at, &end, 10);
        fovea_convert(FOVEA_I64, &bits, t->dtype, to, 1);
    }
    bool found = end != *at;
    *at = end;
    skip_blanks(at);
    return found;
}

static void read_tensor(struct text_case *c, char **at, struct fovea_tensor *t) {
    if (!read_type(c, at, t) || !read_dims(c, at, t)) {
        return;
    }
    int64_t count = fovea_tensor_count(t), read = 0;
    size_t size = fovea_dtype_size(t->dtype);
    t->data = pool_alloc(c, (size_t)count * size);
    while (read < count && **at && **at != '}' && read_element(at, t, read)) {
        read++;
    }
    for (; read == 1 && count > 1; count--) {
        memcpy((char *)t->data + (size_t)(count - 1) * size, t->data, size);
    }
    if (read < count || (**at && **at != '}')) {
        complain(c, "the elements do not fill the shape", *at);
    }
}

/* ---- attributes --------------------------------------------------------- */

static void read_list(struct text_case *c, char **at, struct fovea_attr *attr) {
    size_t most = strcspn(*at, "]") + 1;
    int64_t *ints = pool_alloc(c, most * sizeof(*ints));
    float *floats = pool_alloc(c, most * sizeof(*floats));
    bool is_float = false;
    for (const char *p = ++*at; *p && *p != ']'; p += strcspn(p, ",]"), p += *p == ',') {
        is_float |= looks_float(p);
    }
    attr->kind = is_float ? FOVEA_ATTR_FLOATS : FOVEA_ATTR_INTS;
    while (**at && **at != ']') {
        char *end;
        floats[attr->count] = strtof(*at, &end);
        ints[attr->count] = strtoll(*at, NULL, 10);
        attr->count += end != *at;
        *at = end + strcspn(end, ",]");
        *at += **at == ',';
    }
    *at += **at == ']';
    if (is_float) {
        attr->floats = floats;
    } else {
        attr->ints = ints;
    }
}

static void read_attr(struct text_case *c, char **at) {
    struct fovea_attr attr = {.name = take_until(c, at, "=")};
    *at += **at == '=';
    if (**at == '"') {
        ++*at;
        attr.kind = FOVEA_ATTR_STRING;
        attr.s = take_until(c, at, "\"");
        *at += **at == '"';
    } else if (**at == '[') {
        read_list(c, at, &attr);
    } else if (**at == '{') {
        ++*at;
        attr.kind = FOVEA_ATTR_TENSOR;
        read_tensor(c, at, &attr.t);
        *at += **at == '}';
    } else if (looks_float(*at)) {
        attr.kind = FOVEA_ATTR_FLOAT;
        attr.f = strtof(*at, at);
    } else {
        attr.kind = FOVEA_ATTR_INT;
        attr.i = strtoll(*at, at, 10);
    }
    if ((**at && !strchr(" \t\r", **at)) || c->r.n_attrs == RUN_OP_MAX) {
        complain(c, "not an attribute", *at);
        **at = 0;
        return;
    }
    skip_blanks(at);
    run_op_attr(&c->r, &attr);
}

/* ---- lines -------------------------------------------------------------- */

void text_case_begin(struct text_case *c, char *at) {
    const char *type = take_until(c, &at, " "), *domain = "";
    int opset = 0;
    skip_blanks(&at);
    if (text_accept(&at, "opset")) {
        opset = (int)strtol(at, &at, 10);
        skip_blanks(&at);
    }
    if (text_accept(&at, "domain")) {
        domain = take_until(c, &at, " ");
        skip_blanks(&at);
    }
    run_op_init(&c->r, domain, type, opset);
    while (*at) {
        read_attr(c, &at);
    }
}

static void read_operand(struct text_case *c, char *at, bool constant) {
    struct fovea_tensor t = {.rank = 0};
    read_tensor(c, &at, &t);
    if (!c->bad && c->r.n_in < RUN_OP_MAX) {
        run_op_input(&c->r, t.dtype, t.rank, t.dims, t.data, constant);
    }
}

static void read_out(struct text_case *c, char *at) {
    if (c->n_want == RUN_OP_MAX) {
        complain(c, "too many outputs", at);
    } else if (!text_accept(&at, "any")) {
        read_tensor(c, &at, &c->want[c->n_want]);
    }
    c->n_out = ++c->n_want;
}

void text_case_add(struct text_case *c, char *at) {
    if (text_accept(&at, "in")) {
        read_operand(c, at, false);
    } else if (text_accept(&at, "const")) {
        read_operand(c, at, true);
    } else if (text_accept(&at, "none")) {
        run_op_input(&c->r, FOVEA_F32, 0, NULL, NULL, false);
    } else if (text_accept(&at, "outs")) {
        c->n_out = (int)strtol(at, NULL, 10);
    } else if (text_accept(&at, "out")) {
        read_out(c, at);
    } else if (text_accept(&at, "tol")) {
        c->tolerance = strtod(at, NULL);
    } else if (text_accept(&at, "layout")) {
        c->r.channels_last = text_accept(&at, "nhwc");
    } else if (text_accept(&at, "err")) {
        c->message = at;
    } else {
        complain(c, "not a line of a case", at);
    }
}

void text_case_finish(struct text_case *c) {
    for (int i = 0; i < c->n_pool; i++) {
        free(c->pool[i]);
    }
    c->n_pool = 0;
}
