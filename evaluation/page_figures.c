/* The first screen of report.html: the figures, and what is wrong with them. */
#include "evaluation/page.h"

#include "evaluation/html.h"
#include "evaluation/svg.h"

#include <math.h>

/* A thin bar from 0 to 100 %, with the interval on it. */
static void draw_meter(FILE *out, const struct eval_share *share) {
    const struct svg_axis x = {.from = 0, .to = 1, .low = 0, .high = 240};
    double low = svg_place(&x, share->low), high = svg_place(&x, share->high);
    svg_begin(out, 240, 12, "Share with its interval", "From 0 to 100 percent");
    svg_rect(out, (struct svg_point){0, 4}, 240, 4, "track", NULL);
    svg_rect(out, (struct svg_point){0, 4}, svg_place(&x, share->value), 4, "fill", NULL);
    svg_rect(out, (struct svg_point){low, 0}, fmax(2, high - low), 12, "interval", NULL);
    svg_end(out);
}

static void write_share(FILE *out, const char *name, const struct eval_share *share) {
    fprintf(out, "<div class=\"figure wide\"><dt>%s</dt><dd><span class=\"big\">", name);
    html_percent(out, share->value, 2);
    fputs("</span>", out);
    if (share->whole > 0) {
        draw_meter(out, share);
        fputs("<span class=\"small\">", out);
        html_number(out, 100 * share->low, 2);
        fputs(" to ", out);
        html_percent(out, share->high, 2);
        fputs("<br>", out);
        html_count(out, share->part);
        fputs(" of ", out);
        html_count(out, share->whole);
        fputs("</span>", out);
    }
    fputs("</dd></div>\n", out);
}

static void write_figure(FILE *out, const char *name, const char *value, const char *words) {
    fprintf(out, "<div class=\"figure\"><dt>%s</dt><dd><span class=\"mid\">", name);
    html_text(out, value);
    fprintf(out, "</span><span class=\"small\">%s</span></dd></div>\n", words);
}

static void number_words(double value, int decimals, const char *unit, char *text, size_t size) {
    if (isfinite(value)) {
        snprintf(text, size, "%.*f%s", decimals, value, unit);
    } else {
        snprintf(text, size, "\xe2\x80\x93");
    }
}

static void write_part(FILE *out, const char *words, size_t count, bool always) {
    if (count > 0 || always) {
        fputs("<span><b>", out);
        html_count(out, count);
        fprintf(out, "</b> %s</span> ", words);
    }
}

static void write_account(const struct page *page) {
    const struct eval_summary *s = page->summary;
    fputs("<p class=\"account\">", page->out);
    write_part(page->out, "listed", s->listed, true);
    write_part(page->out, "answered", s->states[EVAL_OK], true);
    write_part(page->out, "failed", s->states[EVAL_FAILED], true);
    write_part(page->out, "missing", s->states[EVAL_MISSING], true);
    write_part(page->out, "not done", s->states[EVAL_NOT_DONE], false);
    write_part(page->out, "without a label, not scored", s->unlabelled, false);
    write_part(page->out, "decoded with warnings", s->warned, false);
    fputs("</p>\n", page->out);
    if (s->top1_listed.whole > s->scored) {
        fputs("<p class=\"small\">Counting images without an answer as wrong, top-1 is ",
              page->out);
        html_percent(page->out, s->top1_listed.value, 2);
        fputs(".</p>\n", page->out);
    }
}

void page_head_figures(const struct page *page) {
    const struct eval_summary *s = page->summary;
    char mean[32], ece[32], nll[32];
    number_words(100 * s->class_mean, 2, "\xc2\xa0%", mean, sizeof(mean));
    number_words(100 * s->calibration.ece, 2, "\xc2\xa0%", ece, sizeof(ece));
    number_words(s->calibration.nll, 4, "", nll, sizeof(nll));
    fputs("<section aria-label=\"Results\">\n<dl class=\"figures\">\n", page->out);
    write_share(page->out, "Top-1", &s->top1);
    write_share(page->out, "Top-5", &s->top5);
    write_figure(page->out, "Class mean", mean, "top-1, every class alike");
    write_figure(page->out, "ECE", ece, "calibration error");
    write_figure(page->out, "NLL", nll, "mean of \xe2\x88\x92ln p");
    fputs("</dl>\n", page->out);
    write_account(page);
    page_close(page);
}

static void write_diagnosis(const struct page *page) {
    const struct eval_diagnosis *d = &page->summary->diagnosis;
    FILE *out = page->out;
    fputs("<div class=\"notice\" role=\"note\"><h2>The labels seem to be in another order</h2>\n<p>"
          "With ",
          out);
    html_percent(out, eval_share_of(d->right_now, d->images).value, 2);
    fputs(" right, the predictions look as if ", out);
    html_text(out, d->words);
    fputs(". That would make <b>", out);
    html_percent(out, eval_share_of(d->right_then, d->images).value, 2);
    fprintf(out,
            "</b>%s, and holds for %zu of %zu classes. "
            "The file <code>label-map.txt</code> beside this page has the order: evaluate with "
            "<code>--label-map label-map.txt</code>.</p></div>\n",
            d->ailment == EVAL_PERMUTED ? ", judged on images the order was not found from" : "",
            d->holds, d->labels);
}

void page_warnings(const struct page *page) {
    const struct eval_summary *s = page->summary;
    if (s->states[EVAL_NOT_DONE] > 0) {
        fputs("<div class=\"notice\" role=\"note\"><h2>Not all images were done</h2>\n<p>",
              page->out);
        html_count(page->out, s->states[EVAL_NOT_DONE]);
        fputs(" of ", page->out);
        html_count(page->out, s->listed);
        fputs(" images are still to do: this is a part of the answer.</p></div>\n", page->out);
    }
    if (s->diagnosis.ailment != EVAL_NO_AILMENT) {
        write_diagnosis(page);
    }
}
