/* See options.h. */
#include "tools/options.h"

#include "loaders/paths.h"
#include "tools/exit_codes.h"
#include "tools/say.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_OPTIONS = 64, FIRST_CODE = 256, HELP_COLUMN = 26 };

/* All rows of all groups, --help last. */
struct rows {
    const struct option_spec *specs[MAX_OPTIONS];
    size_t count;
};

static const struct option_spec help_row = {
    .name = "help",
    .help = "print this text",
    .letter = 'h',
};

static void rows_collect(struct rows *rows, const struct option_group *groups) {
    rows->count = 0;
    for (; groups->title; groups++) {
        for (const struct option_spec *s = groups->specs; s->name; s++) {
            if (rows->count < MAX_OPTIONS - 1) {
                rows->specs[rows->count++] = s;
            }
        }
    }
    rows->specs[rows->count++] = &help_row;
}

static void print_row(const struct option_spec *spec) {
    char left[64];
    const char *arg = spec->arg ? spec->arg : "";
    const char *join = !spec->arg ? "" : arg[0] == '[' ? "" : " ";
    char optional[32];
    if (arg[0] == '[') {
        snprintf(optional, sizeof(optional), "[=%s", arg + 1);
        arg = optional;
    }
    if (spec->letter) {
        snprintf(left, sizeof(left), "-%c, --%s%s%s", spec->letter, spec->name, join, arg);
    } else {
        snprintf(left, sizeof(left), "    --%s%s%s", spec->name, join, arg);
    }
    printf("  %-*s", HELP_COLUMN, left);
    if (strlen(left) >= HELP_COLUMN) {
        printf("\n  %*s", HELP_COLUMN, "");
    }
    for (const char *line = spec->help; *line;) {
        int length = (int)strcspn(line, "\n");
        printf("%.*s\n", length, line);
        line += length;
        if (*line) {
            line++;
            printf("  %*s", HELP_COLUMN, "");
        }
    }
}

static void print_help(const struct usage *usage) {
    printf("usage: fovea %s [options]%s%s\n\n%s\n", usage->command, *usage->operands ? " " : "",
           usage->operands, usage->about);
    for (const struct option_group *g = usage->groups; g->title; g++) {
        printf("\n%s:\n", g->title);
        for (const struct option_spec *s = g->specs; s->name; s++) {
            print_row(s);
        }
    }
    print_row(&help_row);
    printf("\nexamples:\n%s", usage->examples);
}

/* getopt's own tables. `letters` begins with ':' so that a missing argument is told apart. */
static void getopt_tables(const struct rows *rows, struct option *longs, char *letters) {
    *letters++ = ':';
    for (size_t i = 0; i < rows->count; i++) {
        const struct option_spec *s = rows->specs[i];
        int has = !s->arg ? no_argument : s->arg[0] == '[' ? optional_argument : required_argument;
        longs[i] = (struct option){s->name, has, NULL, FIRST_CODE + (int)i};
        if (s->letter) {
            *letters++ = s->letter;
            for (int c = 0; c < has; c++) {
                *letters++ = ':';
            }
        }
    }
    longs[rows->count] = (struct option){0};
    *letters = 0;
}

static const struct option_spec *row_of(const struct rows *rows, int code) {
    for (size_t i = 0; i < rows->count; i++) {
        if (code == FIRST_CODE + (int)i ||
            (rows->specs[i]->letter && code == rows->specs[i]->letter)) {
            return rows->specs[i];
        }
    }
    return NULL;
}

static int say_unknown(const struct usage *usage, const struct rows *rows, const char *word) {
    const char *names[MAX_OPTIONS];
    char name[32];
    for (size_t i = 0; i < rows->count; i++) {
        names[i] = rows->specs[i]->name;
    }
    const struct option_spec *flag = optopt ? row_of(rows, optopt) : NULL;
    if (flag) {
        return say_usage(usage->command, "option '--%s' takes no argument", flag->name);
    }
    if (optopt) {
        return say_usage(usage->command, "unknown option '-%c'", optopt);
    }
    snprintf(name, sizeof(name), "%.*s", (int)strcspn(word + 2, "="), word + 2);
    const char *near = nearest_word(name, names, rows->count);
    if (near) {
        return say_usage(usage->command, "unknown option '%s'; is it --%s?", fovea_quote(word).text,
                         near);
    }
    return say_usage(usage->command, "unknown or ambiguous option '%s'", fovea_quote(word).text);
}

static int apply(const struct usage *usage, const struct option_spec *spec, int argc, char **argv) {
    struct fovea_error err;
    const char *text = optarg;
    if (!text && spec->arg && optind < argc && fovea_path_ends_in(argv[optind], ".json")) {
        text = argv[optind++];
    }
    if (spec->parse(text, spec->target, &err) == FOVEA_OK) {
        return OPTIONS_GO_ON;
    }
    /* some parsers name the option themselves */
    if (strncmp(err.message, "--", 2) == 0) {
        return say_usage(usage->command, "%s", err.message);
    }
    return say_usage(usage->command, "--%s: %s", spec->name, err.message);
}

int options_parse(const struct usage *usage, int argc, char **argv, struct operands *operands) {
    struct rows rows;
    struct option longs[MAX_OPTIONS + 1];
    char letters[3 * MAX_OPTIONS + 2];
    rows_collect(&rows, usage->groups);
    getopt_tables(&rows, longs, letters);
    optind = 0; /* starts getopt afresh */
    opterr = 0;
    int code;
    while ((code = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
        if (code == ':') {
            return say_usage(usage->command, "option '%s' needs an argument", argv[optind - 1]);
        }
        const struct option_spec *spec = code == '?' ? NULL : row_of(&rows, code);
        if (!spec) {
            return say_unknown(usage, &rows, argv[optind - 1]);
        }
        if (spec == &help_row) {
            print_help(usage);
            return EXIT_DONE;
        }
        int end = apply(usage, spec, argc, argv);
        if (end != OPTIONS_GO_ON) {
            return end;
        }
    }
    *operands = (struct operands){argv + optind, (size_t)(argc - optind)};
    return OPTIONS_GO_ON;
}

int options_parse_model(const struct usage *usage, int argc, char **argv, const char **model) {
    struct operands operands;
    int end = options_parse(usage, argc, argv, &operands);
    if (end == OPTIONS_GO_ON && operands.count != 1) {
        return say_usage(usage->command, "takes one model, but got %zu operands", operands.count);
    }
    if (end == OPTIONS_GO_ON) {
        *model = operands.words[0];
    }
    return end;
}

int options_parse_only(const struct usage *usage, int argc, char **argv) {
    struct operands operands;
    int end = options_parse(usage, argc, argv, &operands);
    if (end == OPTIONS_GO_ON && operands.count > 0) {
        return say_usage(usage->command, "takes no operands, but got '%s'",
                         fovea_quote(operands.words[0]).text);
    }
    return end;
}
