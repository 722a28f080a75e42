/*
 * Command lines as tables: the same rows parse the options and print --help,
 * so that neither can lack one.
 */
#ifndef FOVEA_TOOLS_OPTIONS_H
#define FOVEA_TOOLS_OPTIONS_H

#include "runtime/error.h"

#include <stddef.h>

/*
 * Turns an option's text into *target. The message says what is wrong with the
 * text; the option's name is put before it.
 */
typedef enum fovea_status (*option_parse_fn)(const char *text, void *target,
                                             struct fovea_error *err);

struct option_spec {
    const char *name; /* without dashes; NULL ends a table */
    const char *arg;  /* "N" is required; NULL: a flag; "[FILE]": --name or --name=FILE */
    const char *help; /* lines separated by \n */
    option_parse_fn parse;
    void *target;
    char letter; /* short form, or 0 */
};

struct option_group {
    const char *title; /* NULL ends a list of groups */
    const struct option_spec *specs;
};

/* A command: what --help prints besides the options. */
struct usage {
    const char *command;  /* "verify" */
    const char *operands; /* "CASE_DIR..." */
    const char *about;    /* a paragraph */
    const char *examples; /* lines, indented */
    const struct option_group *groups;
};

/* The words left after the options. Lent from argv. */
struct operands {
    char **words;
    size_t count;
};

enum { OPTIONS_GO_ON = -1 };

/*
 * Parse argv (argv[0] is the command's name). OPTIONS_GO_ON, or the exit code
 * to end with: --help was printed, or the line was wrong and has been said so.
 *
 * An option whose arg is optional also takes the next word if that ends in
 * ".json": "--json out.json" is "--json=out.json".
 */
int options_parse(const struct usage *usage, int argc, char **argv, struct operands *operands);

/* The same for commands that take one model, or no operands. */
int options_parse_model(const struct usage *usage, int argc, char **argv, const char **model);
int options_parse_only(const struct usage *usage, int argc, char **argv);

/*
 * The number that the digits at *text say, and *text behind them: no sign, no
 * space before. False, with both as they were, where there are none, or more than
 * a size_t takes.
 */
bool option_digits(const char **text, size_t *out);

/* Parsers for struct option_spec; the type of the target is named. */
enum fovea_status option_flag(const char *text, void *target, struct fovea_error *err);  /* bool */
enum fovea_status option_text(const char *text, void *target, struct fovea_error *err);  /* char* */
enum fovea_status option_count(const char *text, void *target, struct fovea_error *err); /* int>0 */
enum fovea_status option_size(const char *text, void *target, struct fovea_error *err); /* size_t */
enum fovea_status option_real(const char *text, void *target,
                              struct fovea_error *err); /* double >= 0 */
/* size_t > 0; a suffix K, M, G or T multiplies by 1024 that often. */
enum fovea_status option_bytes(const char *text, void *target, struct fovea_error *err);

/* Texts of an option that may be given several times. Zero it first, and finish it. */
struct text_list {
    const char **texts;
    size_t count;
};
enum fovea_status option_append(const char *text, void *target, struct fovea_error *err);
void text_list_finish(struct text_list *list);

#endif
