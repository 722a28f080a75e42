/*
 * Fuzzing journals of evaluations: lines of any bytes, whose checksums are
 * right where the first byte says so, give records in their ranges, or an
 * error.
 */
#include "evaluation/journal_line.h"
#include "evaluation/journal_read.h"
#include "runtime/checksum.h"
#include "tests/fuzz/fuzz_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DIGITS = 16, MOST_LISTED = 5 }; /* digits, of the number of images */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Write over the checksum of every line but the first. */
static void mend(char *text, size_t size) {
    char *line = memchr(text, '\n', size), *end = text + size;
    for (line = line ? line + 1 : end; line < end;) {
        char *stop = memchr(line, '\n', (size_t)(end - line));
        size_t length = (size_t)((stop ? stop : end) - line);
        if (length > DIGITS + 1) {
            char digits[DIGITS + 1];
            snprintf(digits, sizeof(digits), "%016llx",
                     (unsigned long long)fovea_checksum(line + DIGITS + 1, length - DIGITS - 1));
            memcpy(line, digits, DIGITS);
        }
        line = stop ? stop + 1 : end;
    }
}

/* Whether the list is said to have so many images that room for them takes long. */
static bool is_long(const char *text, size_t size) {
    const char *at = memmem(text, size, "D listed ", 9);
    for (; at; at = memmem(at, size - (size_t)(at - text), "D listed ", 9)) {
        at += 9;
        size_t digits = 0;
        while (at + digits < text + size && at[digits] >= '0' && at[digits] <= '9') {
            digits++;
        }
        if (digits > MOST_LISTED) {
            return true;
        }
    }
    return false;
}

static void look(const struct eval_collection *c) {
    size_t first = 0, missing = eval_collection_missing(c, &first), there = 0;
    for (size_t i = 0; i < c->n_records; i++) {
        const struct eval_record *r = &c->records[i];
        there += r->state != EVAL_NOT_DONE;
        if (r->state != EVAL_NOT_DONE && (!r->path || r->n_top > EVAL_TOP)) {
            abort();
        }
        for (size_t k = 0; k < r->n_top; k++) {
            if (r->top[k].class_index < 0 ||
                (int64_t)r->top[k].class_index >= (int64_t)c->description.classes) {
                abort();
            }
        }
    }
    if (missing + there != c->n_records) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct eval_collection c = {0};
    struct eval_journal_state state = {0};
    struct fovea_error err = {.message = ""};
    bool right = size > 0 && data[0] % 2 == 0;
    size_t length = size > 0 ? size - 1 : 0;
    char *text = malloc(length + 1);
    if (!text) {
        return 0;
    }
    memcpy(text, data + (size > 0), length);
    text[length] = 0;
    if (right) {
        mend(text, length);
    }
    if (!is_long(text, length)) {
        enum fovea_status st = eval_collection_add(&c, text, length, &state, &err);
        fuzz_check_error(st, &err);
        look(&c);
    }
    eval_collection_finish(&c);
    free(text);
    return 0;
}
