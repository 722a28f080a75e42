/*
 * Files made one after the other, for calls to fail while they are read: see
 * inject_readers.c. What is read takes its memory from an arena, which asks
 * for more only now and then; a series has files of which each leaves a little
 * less room in the arena, so that every place that asks it is refused once.
 */
#ifndef FOVEA_TESTS_INJECT_SERIES_H
#define FOVEA_TESTS_INJECT_SERIES_H

#include <stdbool.h>
#include <stddef.h>

struct series {
    const char *name, *reader; /* readers.h */
    size_t count;
    long last;                          /* how many of the points of memory, at the end; 0: all */
    bool files;                         /* calls on files fail, too */
    const char *(*write)(size_t index); /* the file, in the test's folder; its path */
};

/* Ends with a row without a name. */
extern const struct series series[];

#endif
