/* Reading lines of a journal: see journal_line.h. */
#include "evaluation/journal_line_parts.h"

#include "evaluation/description_fields.h"
#include "runtime/checksum.h"
#include "runtime/limits.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LABELS_MAX = 1 << 20 };

/* ---- words of a line ------------------------------------------------------------- */

static int hex_digit(char c) {
    static const char digits[] = "0123456789ABCDEF";
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* Undo add_word, in place; false for what it would not have written. */
static bool unescape(char *word) {
    char *to = word;
    if (strcmp(word, "%") == 0) {
        *word = 0;
        return true;
    }
    for (const char *at = word; *at; at++) {
        if (*at != '%') {
            *to++ = *at;
            continue;
        }
        int high = hex_digit(at[1]), low = high < 0 ? -1 : hex_digit(at[2]);
        if (low < 0 || high * 16 + low == 0) {
            return false;
        }
        *to++ = (char)(high * 16 + low);
        at += 2;
    }
    *to = 0;
    return true;
}

/* The next word, or NULL. */
static char *raw_word(struct eval_line *line) {
    char *word = line->rest;
    if (!word) {
        return NULL;
    }
    char *end = strchr(word, ' ');
    line->rest = end ? end + 1 : NULL;
    if (end) {
        *end = 0;
    }
    return word;
}

static bool get_text(struct eval_line *line, char **out) {
    char *word = raw_word(line);
    if (!word || !unescape(word)) {
        return false;
    }
    free(*out);
    *out = strdup(word);
    line->no_memory = !*out;
    return *out != NULL;
}

static bool parse_u64(const char *word, uint64_t *out) {
    char *end;
    if (!word || *word < '0' || *word > '9') {
        return false;
    }
    errno = 0;
    unsigned long long value = strtoull(word, &end, 10);
    *out = value;
    return !*end && !errno;
}

static bool get_u64(struct eval_line *line, uint64_t *out) {
    return parse_u64(raw_word(line), out);
}

static bool get_size(struct eval_line *line, size_t *out) {
    uint64_t value;
    bool ok = get_u64(line, &value) && value < SIZE_MAX;
    *out = ok ? (size_t)value : 0;
    return ok;
}

static bool get_double(struct eval_line *line, double *out) {
    char *end, *word = raw_word(line);
    *out = word ? strtod(word, &end) : 0;
    return word && end != word && !*end;
}

static bool get_float(struct eval_line *line, float *out) {
    char *end, *word = raw_word(line);
    *out = word ? strtof(word, &end) : 0;
    return word && end != word && !*end;
}

static bool get_digest(struct eval_line *line, uint8_t digest[FOVEA_SHA256_SIZE]) {
    const char *word = raw_word(line);
    if (!word || strlen(word) != (size_t)2 * FOVEA_SHA256_SIZE) {
        return false;
    }
    for (size_t i = 0; i < FOVEA_SHA256_SIZE; i++) {
        char pair[] = {word[2 * i], word[2 * i + 1], 0};
        if (strspn(pair, "0123456789abcdef") != 2) {
            return false;
        }
        digest[i] = (uint8_t)strtoul(pair, NULL, 16);
    }
    return true;
}

/* ---- reading --------------------------------------------------------------------- */

bool eval_line_parse(char *bytes, size_t size, struct eval_line *out) {
    char digits[EVAL_LINE_CHECKSUM_DIGITS + 1];
    size_t body = EVAL_LINE_CHECKSUM_DIGITS + 1;
    if (size < body + 3 || memchr(bytes, 0, size) || bytes[body + 1] != ' ') {
        return false;
    }
    snprintf(digits, sizeof(digits), "%016" PRIx64, fovea_checksum(bytes + body, size - body));
    if (memcmp(digits, bytes, EVAL_LINE_CHECKSUM_DIGITS) != 0 ||
        bytes[EVAL_LINE_CHECKSUM_DIGITS] != ' ' || !strchr("DNHRT", bytes[body])) {
        return false;
    }
    *out = (struct eval_line){(enum eval_line_kind)bytes[body], bytes + body + 2, false};
    out->rest[size - body - 2] = 0; /* where the newline was */
    return true;
}

bool eval_line_get_description(struct eval_line *line, struct eval_description *d) {
    uint64_t value;
    const char *name = d->names ? NULL : raw_word(line); /* there is room for `classes` names */
    for (size_t i = 0; name && i < EVAL_N_TEXT_FIELDS; i++) {
        if (strcmp(name, eval_text_fields[i].name) == 0) {
            return get_text(line, eval_text_field(d, i));
        }
    }
    for (size_t i = 0; name && i < EVAL_N_NUMBER_FIELDS; i++) {
        if (strcmp(name, eval_number_fields[i].name) == 0) {
            return get_u64(line, &value) && eval_number_field_set(d, i, value);
        }
    }
    return false;
}

bool eval_line_get_name(struct eval_line *line, struct eval_description *d) {
    size_t index;
    if (!get_size(line, &index) || d->classes < 1 || d->classes > FOVEA_LIMIT_CLASSES ||
        index >= (size_t)d->classes) {
        return false;
    }
    if (!d->names) {
        d->names = calloc((size_t)d->classes, sizeof(*d->names));
        line->no_memory = !d->names;
    }
    return d->names && get_text(line, &d->names[index]);
}

bool eval_line_get_count(struct eval_line *line, size_t *count) {
    return get_size(line, count) && !line->rest;
}

bool eval_line_get_run(struct eval_line *line, struct eval_journal_run *run) {
    return get_size(line, &run->number) && get_double(line, &run->seconds) &&
           isfinite(run->seconds) && run->seconds >= 0 && get_size(line, &run->images) &&
           !line->rest;
}

static bool get_state(struct eval_line *line, enum eval_state *state) {
    const char *word = raw_word(line);
    for (int i = EVAL_OK; word && i < EVAL_N_STATES; i++) {
        if (strcmp(word, eval_line_state_names[i]) == 0) {
            *state = (enum eval_state)i;
            return true;
        }
    }
    return false;
}

static bool get_labels(struct eval_line *line, int32_t classes, struct eval_record *r) {
    char *word = raw_word(line);
    uint64_t value;
    if (!word || strcmp(word, EVAL_LINE_NONE) == 0) {
        return word != NULL;
    }
    size_t commas = 0;
    for (const char *at = word; *at; at++) {
        commas += *at == ',';
    }
    if (commas >= LABELS_MAX) {
        return false;
    }
    r->labels = malloc((commas + 1) * sizeof(*r->labels));
    line->no_memory = !r->labels;
    for (char *at = word, *next = word; r->labels && next; at = next) {
        next = strchr(at, ',');
        if (next) {
            *next++ = 0;
        }
        if (!parse_u64(at, &value) || value >= (uint64_t)classes) {
            return false;
        }
        r->labels[r->n_labels++] = (int32_t)value;
    }
    return r->labels != NULL;
}

static bool get_answer(struct eval_line *line, int32_t classes, struct eval_record *r) {
    if (!get_double(line, &r->log_sum_exp) || !isfinite(r->log_sum_exp) ||
        !get_float(line, &r->label_logit) || !get_digest(line, r->logits_sha256)) {
        return false;
    }
    while (line->rest && r->n_top < EVAL_TOP) {
        char *word = raw_word(line), *colon = strchr(word, ':'), *end;
        uint64_t value;
        if (!colon) {
            return false;
        }
        *colon = 0;
        float logit = strtof(colon + 1, &end);
        if (!parse_u64(word, &value) || value >= (uint64_t)classes || end == colon + 1 || *end ||
            !isfinite(logit)) {
            return false;
        }
        r->top[r->n_top++] = (struct eval_answer){(int32_t)value, logit};
    }
    return r->n_top > 0;
}

static bool get_record(struct eval_line *line, int32_t classes, size_t *index,
                       struct eval_record *r) {
    bool ok = get_size(line, index) && get_state(line, &r->state) && get_text(line, &r->path) &&
              get_labels(line, classes, r) && get_u64(line, &r->file_bytes) &&
              get_digest(line, r->file_sha256) && get_text(line, &r->message);
    if (ok && !*r->message) {
        free(r->message);
        r->message = NULL;
    }
    ok = ok && (r->state != EVAL_OK || get_answer(line, classes, r));
    return ok && !line->rest;
}

bool eval_line_get_record(struct eval_line *line, int32_t classes, size_t *index,
                          struct eval_record *record) {
    struct eval_record r = {0};
    if (!get_record(line, classes, index, &r)) {
        eval_record_finish(&r);
        return false;
    }
    *record = r;
    return true;
}
