/*
 * Words for people, on stderr. Results never go through here.
 */
#ifndef FOVEA_TOOLS_SAY_H
#define FOVEA_TOOLS_SAY_H

#include "runtime/error.h"

#include <stddef.h>

/* One line on stderr; the newline is added. Takes a progress bar's line out of the way. */
void say(const char *format, ...) FOVEA_PRINTF(1, 2);

/* A space and a word of a command line on stderr, in quotes if a shell would need them. */
void say_word(const char *word);

/* "fovea COMMAND: message"; returns EXIT_FAILED. */
int say_failure(const char *command, const struct fovea_error *err);

/* "fovea COMMAND: message" and where to find help; returns EXIT_USAGE. */
int say_usage(const char *command, const char *format, ...) FOVEA_PRINTF(2, 3);

/*
 * The entry of `words` that `word` was probably meant to be: at most two
 * letters away. NULL if none is near.
 */
const char *nearest_word(const char *word, const char *const *words, size_t count);

#endif
