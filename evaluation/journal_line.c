/* Writing lines of a journal: see journal_line.h. Reading them: journal_words.c. */
#include "evaluation/journal_line_parts.h"

#include "evaluation/description_fields.h"
#include "runtime/checksum.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- text ----------------------------------------------------------------------- */

static bool reserve(struct eval_text *t, size_t more) {
    if (t->failed || t->room - t->size > more) {
        return !t->failed;
    }
    size_t room = 2 * (t->room + more) + 256;
    char *grown = realloc(t->bytes, room);
    t->failed = !grown;
    if (grown) {
        t->bytes = grown;
        t->room = room;
    }
    return grown != NULL;
}

static void add_bytes(struct eval_text *t, const void *bytes, size_t size) {
    if (reserve(t, size)) {
        memcpy(t->bytes + t->size, bytes, size);
        t->size += size;
    }
}

static void add(struct eval_text *t, const char *format, ...) FOVEA_PRINTF(2, 3);
static void add(struct eval_text *t, const char *format, ...) {
    char text[128];
    va_list list;
    va_start(list, format);
    int size = vsnprintf(text, sizeof(text), format, list);
    va_end(list);
    add_bytes(t, text, size < 0 ? 0 : (size_t)size);
}

/* A space, and a word that may have any bytes. */
static void add_word(struct eval_text *t, const char *word) {
    add(t, *word ? " " : " %%");
    for (const unsigned char *at = (const unsigned char *)word; *at; at++) {
        if (*at <= ' ' || *at == 127 || *at == '%') {
            add(t, "%%%02X", *at);
        } else {
            add_bytes(t, at, 1);
        }
    }
}

static void add_digest(struct eval_text *t, const uint8_t digest[FOVEA_SHA256_SIZE]) {
    add(t, " %s", fovea_sha256_hex_of(digest).text);
}

/* A line is begun with room for its checksum, which is filled in at its end. */
static size_t begin_line(struct eval_text *t, enum eval_line_kind kind) {
    size_t start = t->size;
    add(t, "%*s %c", EVAL_LINE_CHECKSUM_DIGITS, "", (char)kind);
    return start;
}

static void end_line(struct eval_text *t, size_t start) {
    char digits[EVAL_LINE_CHECKSUM_DIGITS + 1];
    if (t->failed) {
        return;
    }
    size_t body = start + EVAL_LINE_CHECKSUM_DIGITS + 1;
    snprintf(digits, sizeof(digits), "%016" PRIx64,
             fovea_checksum(t->bytes + body, t->size - body));
    memcpy(t->bytes + start, digits, EVAL_LINE_CHECKSUM_DIGITS);
    add(t, "\n");
}

void eval_text_finish(struct eval_text *text) {
    free(text->bytes);
    *text = (struct eval_text){0};
}

/* ---- writing -------------------------------------------------------------------- */

static void add_numbers(struct eval_text *t, const struct eval_description *d) {
    for (size_t i = 0; i < EVAL_N_NUMBER_FIELDS; i++) {
        size_t line = begin_line(t, EVAL_LINE_DESCRIPTION);
        add_word(t, eval_number_fields[i].name);
        add(t, " %" PRIu64, eval_number_field_get(d, i));
        end_line(t, line);
    }
}

void eval_line_add_header(struct eval_text *t, const struct eval_description *d) {
    add_bytes(t, EVAL_JOURNAL_MAGIC, strlen(EVAL_JOURNAL_MAGIC));
    size_t lines = EVAL_N_TEXT_FIELDS + EVAL_N_NUMBER_FIELDS;
    for (size_t i = 0; i < EVAL_N_TEXT_FIELDS; i++) {
        const char *value = *eval_text_field(d, i);
        size_t line = begin_line(t, EVAL_LINE_DESCRIPTION);
        add_word(t, eval_text_fields[i].name);
        add_word(t, value ? value : "");
        end_line(t, line);
    }
    add_numbers(t, d);
    for (int32_t i = 0; d->names && i < d->classes; i++, lines++) {
        size_t line = begin_line(t, EVAL_LINE_NAME);
        add(t, " %d", i);
        add_word(t, d->names[i]);
        end_line(t, line);
    }
    size_t line = begin_line(t, EVAL_LINE_HEADER_END);
    add(t, " %zu", lines);
    end_line(t, line);
}

const char *const eval_line_state_names[EVAL_N_STATES] = {
    [EVAL_NOT_DONE] = "not-done",
    [EVAL_OK] = "ok",
    [EVAL_FAILED] = "failed",
    [EVAL_MISSING] = "missing",
};

/* Nine and 17 digits tell any two floats and doubles apart. */
static void add_answer(struct eval_text *t, const struct eval_record *r) {
    add(t, " %.17g %.9g", r->log_sum_exp, (double)r->label_logit);
    add_digest(t, r->logits_sha256);
    for (size_t i = 0; i < r->n_top; i++) {
        add(t, " %d:%.9g", r->top[i].class_index, (double)r->top[i].logit);
    }
}

/*
 * R index state path labels bytes sha256 message [log_sum_exp label_logit logits_sha256 class:logit
 * ...], where labels are separated by commas, and what follows the message is there if the state is
 * ok.
 */
void eval_line_add_record(struct eval_text *t, size_t index, const struct eval_record *r) {
    size_t line = begin_line(t, EVAL_LINE_RECORD);
    add(t, " %zu %s", index, eval_line_state_names[r->state]);
    add_word(t, r->path);
    add(t, r->n_labels ? " " : " " EVAL_LINE_NONE);
    for (size_t i = 0; i < r->n_labels; i++) {
        add(t, "%s%d", i > 0 ? "," : "", r->labels[i]);
    }
    add(t, " %" PRIu64, r->file_bytes);
    add_digest(t, r->file_sha256);
    add_word(t, r->message ? r->message : "");
    if (r->state == EVAL_OK) {
        add_answer(t, r);
    }
    end_line(t, line);
}

void eval_line_add_run(struct eval_text *t, const struct eval_journal_run *run) {
    size_t line = begin_line(t, EVAL_LINE_TIME);
    add(t, " %zu %.3f %zu", run->number, run->seconds, run->images);
    end_line(t, line);
}
