/*
 * How far a long command has come, on stderr: a bar with rate and time left
 * on a terminal, a plain line now and then elsewhere.
 */
#ifndef FOVEA_TOOLS_PROGRESS_H
#define FOVEA_TOOLS_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>

/* `label` is lent. One at a time in a process. */
struct progress {
    const char *label; /* what is counted: "images" */
    size_t total;
    size_t done;
    double started, shown; /* seconds, monotonic clock */
    bool terminal;
    bool hidden; /* for somebody else to show */
};

void progress_init(struct progress *progress, const char *label, size_t total);

/* `done` of total are finished now; draws when the last drawing is old enough. */
void progress_set(struct progress *progress, size_t done);

/* Take the bar away. */
void progress_finish(struct progress *progress);

/* If a bar is on the terminal, empty its line so that other words can be written. */
void progress_clear_line(void);

#endif
