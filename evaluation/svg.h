/*
 * Drawings inside a page. Shapes take their looks from CSS classes, so that
 * they follow the page into the dark; text is escaped. Coordinates are pixels
 * of the viewBox, y downwards.
 */
#ifndef FOVEA_EVALUATION_SVG_H
#define FOVEA_EVALUATION_SVG_H

#include "runtime/error.h"

#include <stdio.h>

struct svg_point {
    double x, y;
};

/* Data between `from` and `to` lie between pixels `low` and `high`. */
struct svg_axis {
    double from, to;
    double low, high;
};

enum svg_anchor {
    SVG_START,
    SVG_MIDDLE,
    SVG_END,
};

/*
 * Open a drawing of width x height that is as wide as its place, and says
 * what it shows to those who do not see it.
 */
void svg_begin(FILE *out, double width, double height, const char *title, const char *description);
void svg_end(FILE *out);

double svg_place(const struct svg_axis *axis, double value);

void svg_line(FILE *out, struct svg_point a, struct svg_point b, const char *css);

/* `tip`, shown under the pointer, may be NULL. */
void svg_rect(FILE *out, struct svg_point corner, double width, double height, const char *css,
              const char *tip);
void svg_circle(FILE *out, struct svg_point centre, double radius, const char *css,
                const char *tip);

/* The baseline starts, has its middle, or ends at `at`. */
void svg_text(FILE *out, struct svg_point at, enum svg_anchor anchor, const char *css,
              const char *format, ...) FOVEA_PRINTF(5, 6);

/* The same, upwards. */
void svg_text_upwards(FILE *out, struct svg_point at, enum svg_anchor anchor, const char *css,
                      const char *text);

#endif
