/* See svg.h. */
#include "evaluation/svg.h"

#include "evaluation/html.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* Two decimals at most, no zeros at the end, and never "-0" or what is no number. */
static void attribute(FILE *out, const char *name, double value) {
    char digits[48];
    snprintf(digits, sizeof(digits), "%.2f", isfinite(value) && fabs(value) < 1e9 ? value : 0);
    char *end = digits + strlen(digits) - 1;
    while (*end == '0') {
        *end-- = 0;
    }
    if (*end == '.') {
        *end = 0;
    }
    fprintf(out, " %s=\"%s\"", name, strcmp(digits, "-0") == 0 ? "0" : digits);
}

static void class_of(FILE *out, const char *css) {
    if (css) {
        fprintf(out, " class=\"%s\"", css);
    }
}

/* Close a shape, around its tip if there is one. */
static void close_shape(FILE *out, const char *element, const char *tip) {
    if (!tip) {
        fputs("/>\n", out);
        return;
    }
    fputs("><title>", out);
    html_text(out, tip);
    fprintf(out, "</title></%s>\n", element);
}

void svg_begin(FILE *out, double width, double height, const char *title, const char *description) {
    fprintf(out, "<svg viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label=\"", width, height);
    html_text(out, title);
    fputs(". ", out);
    html_text(out, description);
    fputs("\">\n", out);
}

void svg_end(FILE *out) {
    fputs("</svg>\n", out);
}

double svg_place(const struct svg_axis *axis, double value) {
    double share = axis->to > axis->from ? (value - axis->from) / (axis->to - axis->from) : 0;
    return axis->low + share * (axis->high - axis->low);
}

void svg_line(FILE *out, struct svg_point a, struct svg_point b, const char *css) {
    fputs("<line", out);
    class_of(out, css);
    attribute(out, "x1", a.x);
    attribute(out, "y1", a.y);
    attribute(out, "x2", b.x);
    attribute(out, "y2", b.y);
    fputs("/>\n", out);
}

void svg_rect(FILE *out, struct svg_point corner, double width, double height, const char *css,
              const char *tip) {
    fputs("<rect", out);
    class_of(out, css);
    attribute(out, "x", corner.x);
    attribute(out, "y", corner.y);
    attribute(out, "width", fmax(0, width));
    attribute(out, "height", fmax(0, height));
    close_shape(out, "rect", tip);
}

void svg_circle(FILE *out, struct svg_point centre, double radius, const char *css,
                const char *tip) {
    fputs("<circle", out);
    class_of(out, css);
    attribute(out, "cx", centre.x);
    attribute(out, "cy", centre.y);
    attribute(out, "r", fmax(0, radius));
    close_shape(out, "circle", tip);
}

static void open_text(FILE *out, struct svg_point at, enum svg_anchor anchor, const char *css) {
    static const char *const anchors[] = {"start", "middle", "end"};
    fputs("<text", out);
    class_of(out, css);
    attribute(out, "x", at.x);
    attribute(out, "y", at.y);
    fprintf(out, " text-anchor=\"%s\"", anchors[anchor]);
}

void svg_text(FILE *out, struct svg_point at, enum svg_anchor anchor, const char *css,
              const char *format, ...) {
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(&text, format, arguments);
    va_end(arguments);
    open_text(out, at, anchor, css);
    fputc('>', out);
    if (length >= 0) {
        html_text(out, text);
        free(text);
    }
    fputs("</text>\n", out);
}

void svg_text_upwards(FILE *out, struct svg_point at, enum svg_anchor anchor, const char *css,
                      const char *text) {
    open_text(out, at, anchor, css);
    fprintf(out, " transform=\"rotate(-90 %.2f %.2f)\">", at.x, at.y);
    html_text(out, text);
    fputs("</text>\n", out);
}
