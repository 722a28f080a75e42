/* See progress.h. */
#include "tools/progress.h"

#include "runtime/clock.h"

#include <stdio.h>
#include <unistd.h>

/* Seconds between two drawings, and between two plain lines in a log. */
static const double bar_interval = 0.1, line_interval = 10;

enum { BAR_WIDTH = 30 };

/* Whether a bar stands on the terminal; stderr is one per process, and so is this. */
static bool bar_drawn;

void progress_init(struct progress *progress, const char *label, size_t total) {
    double now = fovea_clock_seconds();
    *progress = (struct progress){
        .label = label,
        .total = total,
        .started = now,
        .shown = now,
        .terminal = isatty(STDERR_FILENO),
    };
}

void progress_clear_line(void) {
    if (bar_drawn) {
        fputs("\r\033[K", stderr);
        bar_drawn = false;
    }
}

static void draw(const struct progress *progress, double elapsed) {
    double rate = elapsed > 0 ? (double)progress->done / elapsed : 0;
    double left = rate > 0 ? (double)(progress->total - progress->done) / rate : 0;
    if (progress->terminal) {
        char bar[BAR_WIDTH + 1];
        size_t filled = progress->total > 0 ? progress->done * BAR_WIDTH / progress->total : 0;
        for (size_t i = 0; i < BAR_WIDTH; i++) {
            bar[i] = i < filled ? '#' : '.';
        }
        bar[BAR_WIDTH] = 0;
        fprintf(stderr, "\r[%s] ", bar);
    }
    long minutes = (long)left / 60;
    fprintf(stderr, "%zu/%zu %s, %.1f/s, %ld:%02ld left%s", progress->done, progress->total,
            progress->label, rate, minutes, (long)left % 60, progress->terminal ? "\033[K" : "\n");
    bar_drawn = progress->terminal;
}

void progress_set(struct progress *progress, size_t done) {
    double now = fovea_clock_seconds();
    progress->done = done < progress->total ? done : progress->total;
    if (progress->hidden ||
        now - progress->shown < (progress->terminal ? bar_interval : line_interval)) {
        return;
    }
    progress->shown = now;
    draw(progress, now - progress->started);
}

void progress_finish(struct progress *progress) {
    progress_clear_line();
    progress->shown = progress->started;
}
