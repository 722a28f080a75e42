/* See say.h. */
#include "tools/say.h"

#include "tools/exit_codes.h"
#include "tools/progress.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void say(const char *format, ...) {
    progress_clear_line();
    va_list list;
    va_start(list, format);
    vfprintf(stderr, format, list);
    va_end(list);
    fputc('\n', stderr);
}

void say_word(const char *word) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_-./:=,+@%";
    fputc(' ', stderr);
    if (*word && strspn(word, plain) == strlen(word)) {
        fputs(word, stderr);
        return;
    }
    fputc('\'', stderr);
    for (; *word; word++) {
        fputs(*word == '\'' ? "'\\''" : (const char[]){*word, 0}, stderr);
    }
    fputc('\'', stderr);
}

int say_failure(const char *command, const struct fovea_error *err) {
    say("fovea %s: %s", command, err->message);
    return EXIT_FAILED;
}

int say_usage(const char *command, const char *format, ...) {
    va_list list;
    va_start(list, format);
    fprintf(stderr, "fovea %s: ", command);
    vfprintf(stderr, format, list);
    va_end(list);
    fprintf(stderr, "\nTry 'fovea %s --help'.\n", command);
    return EXIT_USAGE;
}

enum { WORD_MAX = 31 };

/* Letters to insert, delete or change to make one word of the other (Levenshtein). */
static size_t distance(const char *a, const char *b) {
    size_t row[WORD_MAX + 1], n = strlen(b);
    for (size_t j = 0; j <= n; j++) {
        row[j] = j;
    }
    for (size_t i = 0; a[i]; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < n; j++) {
            size_t change = diagonal + (a[i] != b[j]);
            diagonal = row[j + 1];
            size_t insert = (row[j] < diagonal ? row[j] : diagonal) + 1;
            row[j + 1] = change < insert ? change : insert;
        }
    }
    return row[n];
}

const char *nearest_word(const char *word, const char *const *words, size_t count) {
    const char *best = NULL;
    size_t least = 3;
    if (strlen(word) > WORD_MAX) {
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        size_t d = strlen(words[i]) <= WORD_MAX ? distance(word, words[i]) : least;
        if (d < least && d < strlen(words[i])) {
            least = d;
            best = words[i];
        }
    }
    return best;
}
