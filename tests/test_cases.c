/*
 * Cases as text: every operator test that is just numbers or an error message.
 *
 * tests/cases/NAME.txt holds any number of cases; the arguments, if there are
 * any, name files to read instead. A case is lines of this kind, and ends
 * where the next `op` begins:
 *
 *     # a comment
 *     op Softmax opset 13 axis=1 mode="linear" perm=[0,2,1] alpha=0.5
 *     op Attention opset 1 domain fovea         an operator of another domain
 *     in f32[2,4] 1 2 3 4 5 6 7 8               an operand that a run brings
 *     const i64[2] 0 1                          one that is constant
 *     none                                      an optional one that is absent
 *     out f32[2,4] 1 2 3 4 5 6 7 8              an expected output, in order
 *     out any                                   an output that may be anything
 *     outs 2                                    the number of outputs, where no
 *                                               `out` lines say it
 *     tol 1e-5                                  allowed error (default 1e-6) times
 *                                               max(1, |expected|), for floats
 *     layout nhwc                               rank-4 operands are channels-last
 *     err axis 5 is outside a rank-2 input      the message, but for "node ...: "
 *
 * A line that begins with a blank continues the one before. A tensor is
 * TYPE[DIMS] and its elements (a scalar is f32[]), or one element to fill it
 * with. An attribute is an integer, a float (it has a
 * '.', an exponent or is nan or inf), a "string" without quotes inside, a list
 * of integers or of floats ([f] is an empty list of floats), or a tensor:
 * value={f32[1] 0.5}.
 */
#include "tests/text_case.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- running ------------------------------------------------------------ */

static bool close_enough(const struct fovea_tensor *got, const struct fovea_tensor *want, int64_t i,
                         double tolerance) {
    if (!fovea_dtype_is_float(want->dtype)) {
        return fovea_tensor_get_int(got, i) == fovea_tensor_get_int(want, i);
    }
    double a = fovea_tensor_get_float(got, i), b = fovea_tensor_get_float(want, i);
    return a == b || (isnan(a) && isnan(b)) || fabs(a - b) <= tolerance * fmax(1, fabs(b));
}

static bool check_output(const struct text_case *c, int index) {
    const struct fovea_tensor *got = &c->r.out[index], *want = &c->want[index];
    if (!want->data) {
        return true;
    }
    if (got->dtype != want->dtype || !fovea_tensor_same_shape(got, want)) {
        fprintf(stderr, "%s:%d: %s: output %d is %s%s, expected %s%s\n", c->file, c->line,
                c->r.type, index, fovea_dtype_name(got->dtype), fovea_shape_text(got).text,
                fovea_dtype_name(want->dtype), fovea_shape_text(want).text);
        return false;
    }
    int64_t count = fovea_tensor_count(want);
    for (int64_t i = 0; i < count; i++) {
        if (!close_enough(got, want, i, c->tolerance)) {
            fprintf(stderr, "%s:%d: %s: output %d element %lld is %.9g, expected %.9g\n", c->file,
                    c->line, c->r.type, index, (long long)i, fovea_tensor_get_float(got, i),
                    fovea_tensor_get_float(want, i));
            return false;
        }
    }
    return true;
}

static bool check_error(const struct text_case *c, enum fovea_status st) {
    const char *got = st ? c->r.err.message : "(no error)";
    const char *prefix = strstr(got, "): ");
    if (strncmp(got, "node ", 5) == 0 && prefix) {
        got = prefix + 3;
    }
    if (c->message && strcmp(got, c->message) == 0) {
        return true;
    }
    fprintf(stderr, "%s:%d: %s: %s\n", c->file, c->line, c->r.type, got);
    if (c->message) {
        fprintf(stderr, "%s:%d: expected: %s\n", c->file, c->line, c->message);
    }
    return false;
}

static bool run_case(struct text_case *c) {
    bool passed = !c->bad;
    if (passed) {
        enum fovea_status st = run_op_run(&c->r, c->n_out);
        if (st || c->message) {
            passed = check_error(c, st);
        }
        for (int i = 0; passed && !c->message && i < c->n_want; i++) {
            passed = check_output(c, i);
        }
        run_op_finish(&c->r);
    }
    text_case_finish(c);
    return passed;
}

/* ---- files -------------------------------------------------------------- */

struct totals {
    int passed, failed;
};

static void finish_case(struct text_case *c, struct totals *totals) {
    if (c->line > 0) {
        *(run_case(c) ? &totals->passed : &totals->failed) += 1;
    }
}

/* The next line, with those that continue it; NULL at the end. */
static char *next_line(char **rest, int *line) {
    char *start = *rest;
    if (!*start) {
        return NULL;
    }
    char *end = start;
    for (;;) {
        end += strcspn(end, "\n");
        ++*line;
        if (end[0] != '\n' || (end[1] != ' ' && end[1] != '\t')) {
            break;
        }
        *end = ' ';
    }
    *rest = *end ? end + 1 : end;
    *end = 0;
    return start;
}

static void run_text(const char *file, char *text, struct totals *totals) {
    struct text_case c = {.line = 0};
    int line = 0;
    for (;;) {
        int first = line + 1;
        char *at = next_line(&text, &line);
        if (!at) {
            break;
        }
        if (*at == 0 || *at == '#') {
            continue;
        }
        if (text_accept(&at, "op")) {
            finish_case(&c, totals);
            c = (struct text_case){.file = file, .line = first, .n_out = 1, .tolerance = 1e-6};
            text_case_begin(&c, at);
        } else {
            text_case_add(&c, at);
        }
    }
    finish_case(&c, totals);
}

static char *read_file(const char *path) {
    FILE *file = fopen(path, "rb");
    size_t size = 0, room = 1 << 16;
    char *text = malloc(room);
    while (file && text) {
        size += fread(text + size, 1, room - size - 1, file);
        if (size + 1 < room) {
            break;
        }
        char *larger = realloc(text, room *= 2);
        if (!larger) {
            free(text);
        }
        text = larger;
    }
    if (file && text) {
        fclose(file);
        text[size] = 0;
        return text;
    }
    fprintf(stderr, "%s: cannot be read\n", path);
    exit(1);
}

static void run_file(const char *path, struct totals *totals) {
    const char *slash = strrchr(path, '/');
    char *text = read_file(path);
    run_text(slash ? slash + 1 : path, text, totals);
    free(text);
}

static int is_text(const struct dirent *entry) {
    const char *dot = strrchr(entry->d_name, '.');
    return dot && strcmp(dot, ".txt") == 0;
}

static void run_folder(const char *folder, struct totals *totals) {
    struct dirent **entries;
    int n = scandir(folder, &entries, is_text, alphasort);
    for (int i = 0; i < n; i++) {
        char path[4096];
        snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);
        run_file(path, totals);
        free(entries[i]);
    }
    if (n >= 0) {
        free(entries);
    }
}

int main(int argc, char **argv) {
    struct totals totals = {0, 0};
    for (int i = 1; i < argc; i++) {
        run_file(argv[i], &totals);
    }
    if (argc == 1) {
        run_folder(FOVEA_SOURCE_ROOT "/tests/cases", &totals);
    }
    printf("%d passed, %d failed\n", totals.passed, totals.failed);
    return totals.failed || totals.passed == 0;
}
