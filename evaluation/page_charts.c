/* Calibration in report.html: the reliability diagram and the confidences. */
#include "evaluation/page.h"

#include "evaluation/html.h"
#include "evaluation/svg.h"

#include <math.h>

/* The place of both charts: 400 x 320, with room for the axes. */
static const struct svg_axis across = {.from = 0, .to = 1, .low = 52, .high = 380};
enum { CHART_WIDTH = 400, CHART_HEIGHT = 320, TOP = 12, BOTTOM = 268 };

static void draw_shares_below(FILE *out, const char *title) {
    for (int i = 0; i <= 5; i++) {
        double x = svg_place(&across, i / 5.0);
        svg_line(out, (struct svg_point){x, BOTTOM}, (struct svg_point){x, BOTTOM + 4}, "axis");
        svg_text(out, (struct svg_point){x, BOTTOM + 20}, SVG_MIDDLE, "tick", "%d", i * 20);
    }
    svg_line(out, (struct svg_point){across.low, BOTTOM}, (struct svg_point){across.high, BOTTOM},
             "axis");
    svg_text(out, (struct svg_point){(across.low + across.high) / 2, BOTTOM + 44}, SVG_MIDDLE,
             "label", "%s", title);
}

/* ---- reliability ------------------------------------------------------------------ */

static void draw_bin(FILE *out, const struct svg_axis *up, const struct eval_bin *bin,
                     size_t most) {
    char tip[160];
    struct eval_share right = eval_share_of(bin->right, bin->images);
    double confidence = bin->confidence / (double)bin->images;
    double x = svg_place(&across, confidence);
    snprintf(tip, sizeof(tip), "%zu images: %.1f %% sure, %.1f %% right", bin->images,
             100 * confidence, 100 * right.value);
    svg_line(out, (struct svg_point){x, svg_place(up, right.low)},
             (struct svg_point){x, svg_place(up, right.high)}, "whisker");
    /* the area tells how many images; the least can still be seen */
    double radius = fmax(3, 9 * sqrt((double)bin->images / (double)most));
    svg_circle(out, (struct svg_point){x, svg_place(up, right.value)}, radius, "dot", tip);
}

static void draw_reliability(FILE *out, const struct eval_calibration *c) {
    const struct svg_axis up = {.from = 0, .to = 1, .low = BOTTOM, .high = TOP};
    size_t most = 1;
    svg_begin(out, CHART_WIDTH, CHART_HEIGHT, "Reliability diagram",
              "Share of right answers by confidence; on the diagonal both are the same");
    for (int i = 0; i <= 5; i++) {
        double y = svg_place(&up, i / 5.0);
        svg_line(out, (struct svg_point){across.low, y}, (struct svg_point){across.high, y},
                 "grid");
        svg_text(out, (struct svg_point){across.low - 8, y + 4}, SVG_END, "tick", "%d", i * 20);
    }
    svg_line(out, (struct svg_point){across.low, BOTTOM}, (struct svg_point){across.high, TOP},
             "ideal");
    for (size_t i = 0; i < EVAL_BINS; i++) {
        most = c->bins[i].images > most ? c->bins[i].images : most;
    }
    for (size_t i = 0; i < EVAL_BINS; i++) {
        if (c->bins[i].images > 0) {
            draw_bin(out, &up, &c->bins[i], most);
        }
    }
    draw_shares_below(out, "confidence, %");
    svg_text_upwards(out, (struct svg_point){14, (TOP + BOTTOM) / 2.0}, SVG_MIDDLE, "label",
                     "right, %");
    svg_end(out);
}

/* ---- confidences ------------------------------------------------------------------ */

/* A round number of at least `most`, and how many parts its axis has. */
static size_t round_up(size_t most, int *parts) {
    size_t unit = 1;
    while (unit * 10 <= most) {
        unit *= 10;
    }
    size_t steps = (most + unit - 1) / unit;
    if (steps <= 2 && unit >= 10) {
        unit /= 2;
        steps = (most + unit - 1) / unit;
    }
    steps = steps > 5 ? steps + steps % 2 : steps;
    *parts = (int)(steps > 5 ? steps / 2 : steps < 1 ? 1 : steps);
    return unit * (steps < 1 ? 1 : steps);
}

static void draw_counts(FILE *out, const struct svg_axis *up, size_t top, int parts) {
    for (int i = 0; i <= parts; i++) {
        double value = (double)top * i / parts;
        double y = svg_place(up, value);
        svg_line(out, (struct svg_point){across.low, y}, (struct svg_point){across.high, y},
                 "grid");
        bool thousands = top >= 10000 && i > 0;
        svg_text(out, (struct svg_point){across.low - 8, y + 4}, SVG_END, "tick",
                 thousands ? "%gk" : "%g", thousands ? value / 1000 : value);
    }
}

static void draw_histogram(FILE *out, const struct eval_calibration *c) {
    size_t most = 1;
    int parts;
    for (size_t i = 0; i < EVAL_BINS; i++) {
        most = c->bins[i].images > most ? c->bins[i].images : most;
    }
    size_t top = round_up(most, &parts);
    const struct svg_axis up = {.from = 0, .to = (double)top, .low = BOTTOM, .high = TOP};
    svg_begin(out, CHART_WIDTH, CHART_HEIGHT, "Histogram of confidence",
              "How many images have which confidence, right ones below, wrong ones above");
    draw_counts(out, &up, top, parts);
    for (size_t i = 0; i < EVAL_BINS; i++) {
        char tip[120];
        const struct eval_bin *bin = &c->bins[i];
        double left = svg_place(&across, (double)i / EVAL_BINS) + 1;
        double width = (across.high - across.low) / EVAL_BINS - 2;
        double right = svg_place(&up, (double)bin->right);
        double all = svg_place(&up, (double)bin->images);
        snprintf(tip, sizeof(tip), "%zu right, %zu wrong", bin->right, bin->images - bin->right);
        svg_rect(out, (struct svg_point){left, right}, width, BOTTOM - right, "right", tip);
        svg_rect(out, (struct svg_point){left, all}, width, right - all, "wrong", tip);
    }
    draw_shares_below(out, "confidence, %");
    svg_end(out);
}

/* ---- together --------------------------------------------------------------------- */

static void write_words(const struct page *page) {
    const struct eval_calibration *c = &page->summary->calibration;
    double gap = c->confidence - page->summary->top1.value;
    FILE *out = page->out;
    fputs("<p>The model is ", out);
    html_percent(out, c->confidence, 1);
    fputs(" sure on average and ", out);
    html_percent(out, page->summary->top1.value, 1);
    fprintf(out, " right: %s. ",
            fabs(gap) < 0.005 ? "about as sure as it should be"
            : gap > 0         ? "surer than it should be"
                              : "less sure than it could be");
    fputs("Expected calibration error <b>", out);
    html_percent(out, c->ece, 2);
    fputs("</b>, largest of a bin ", out);
    html_percent(out, c->mce, 1);
    fputs(", negative log-likelihood <b>", out);
    html_number(out, c->nll, 4);
    fputs("</b>.</p>\n", out);
}

void page_calibration(const struct page *page) {
    const struct eval_calibration *c = &page->summary->calibration;
    page_open(page, "calibration", "Calibration");
    if (c->images == 0) {
        fputs("<p>No image was scored.</p>\n", page->out);
        page_close(page);
        return;
    }
    write_words(page);
    fputs("<div class=\"charts\">\n<figure>\n", page->out);
    draw_reliability(page->out, c);
    fputs("<figcaption>Reliability: how often right, for how sure. Dots below the diagonal are "
          "overconfident; their area is the number of images, their line the 95\xc2\xa0% "
          "interval.</figcaption>\n</figure>\n<figure>\n",
          page->out);
    draw_histogram(page->out, c);
    fputs("<figcaption>Confidence: images <span class=\"key right\"></span> right and <span "
          "class=\"key wrong\"></span> wrong.</figcaption>\n</figure>\n</div>\n",
          page->out);
    page_close(page);
}
