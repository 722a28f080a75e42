/*
 * The lines of a journal (docs/evaluation.md has the format):
 *
 *     CHECKSUM KIND WORD WORD ...
 *
 * CHECKSUM is that of runtime/checksum.h over the rest of the line, in 16 hex
 * digits. Words are separated by one space; bytes up to the space, DEL and '%'
 * are written as %XX in them, and an empty word is a lone '%'.
 */
#ifndef FOVEA_EVALUATION_JOURNAL_LINE_H
#define FOVEA_EVALUATION_JOURNAL_LINE_H

#include "evaluation/record.h"
#include "runtime/error.h"

#include <stdbool.h>

/* The first line of every journal: it never changes but with the format. */
#define EVAL_JOURNAL_MAGIC "fovea journal 1\n"

/* Text that grows; zero it first. After failed allocations `failed` is set, and adding does
 * nothing. */
struct eval_text {
    char *bytes;
    size_t size, room;
    bool failed;
};

void eval_text_finish(struct eval_text *text);

/* What a line is about. */
enum eval_line_kind {
    EVAL_LINE_DESCRIPTION = 'D', /* a part of the description: name, value */
    EVAL_LINE_NAME = 'N',        /* of a class: index, name */
    EVAL_LINE_HEADER_END = 'H',  /* number of lines since the first */
    EVAL_LINE_RECORD = 'R',      /* see journal_line.c */
    EVAL_LINE_TIME = 'T',        /* number of the run, seconds so far, images so far */
};

/* A run of the program that wrote into the journal. */
struct eval_journal_run {
    size_t number; /* from 1 */
    double seconds;
    size_t images;
};

/* ---- writing ---- */

/* All lines before the first record. */
void eval_line_add_header(struct eval_text *text, const struct eval_description *description);
void eval_line_add_record(struct eval_text *text, size_t index, const struct eval_record *record);
void eval_line_add_run(struct eval_text *text, const struct eval_journal_run *run);

/* ---- reading ---- */

/* A line taken apart, in place. */
struct eval_line {
    enum eval_line_kind kind;
    char *rest;     /* the words not yet taken */
    bool no_memory; /* for a word: of the line itself nothing is wrong */
};

/*
 * Take apart the `size` bytes of a line, without its newline, which are changed.
 * False if its checksum or its kind is wrong.
 */
bool eval_line_parse(char *bytes, size_t size, struct eval_line *out);

/*
 * False if the words are not what that kind of line has, or, and then no_memory is set, memory ran
 * out. Lines of the description come before those of names, whose number is in it.
 */
bool eval_line_get_description(struct eval_line *line, struct eval_description *description);
bool eval_line_get_name(struct eval_line *line, struct eval_description *description);
bool eval_line_get_count(struct eval_line *line, size_t *count);
bool eval_line_get_run(struct eval_line *line, struct eval_journal_run *run);

/* *record is the caller's to finish. Class numbers are checked against `classes`. */
bool eval_line_get_record(struct eval_line *line, int32_t classes, size_t *index,
                          struct eval_record *record);

#endif
