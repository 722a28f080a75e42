/* Accuracy class by class in report.html, for two classes or twenty thousand. */
#include "evaluation/page.h"

#include "evaluation/html.h"
#include "evaluation/svg.h"

#include <math.h>
#include <stdlib.h>

/* With more classes, the table is folded away behind a histogram and the extremes. */
enum { TABLE_OPEN = 40, EXTREMES = 10, SLICES = 20 };

static double accuracy(const struct eval_class_score *c) {
    return (double)c->top1 / (double)c->images;
}

/* ---- the table -------------------------------------------------------------------- */

static void write_class_row(const struct page *page, size_t i) {
    const struct eval_class_score *c = &page->summary->classes[i];
    FILE *out = page->out;
    struct eval_share top1 = eval_share_of(c->top1, c->images);
    fprintf(out, "<tr><th scope=\"row\" data-v=\"%d\">", (int)c->class_index);
    page_class_name(page, c->class_index);
    fprintf(out, "</th><td>%zu</td><td class=\"barred\" data-v=\"%.6f\">", c->images,
            c->images > 0 ? top1.value : -1);
    if (c->images > 0) {
        page_bar(page, top1.value);
        fprintf(out, "</td><td>%.1f\xe2\x80\x93%.1f", 100 * top1.low, 100 * top1.high);
    } else {
        fputs("\xe2\x80\x93</td><td>\xe2\x80\x93", out);
    }
    fputs("</td><td>", out);
    html_percent(out, eval_share_of(c->top5, c->images).value, 1);
    fprintf(out, "</td><td>%zu</td><td>", c->predicted);
    html_percent(out, eval_share_of(c->predicted_right, c->predicted).value, 1);
    fputs("</td><td class=\"words\">", out);
    if (page->worst[i]) {
        page_class_name(page, page->worst[i]->pred);
        fprintf(out, " \xc3\x97%zu", page->worst[i]->count);
    }
    fputs("</td></tr>\n", out);
}

static void write_class_table(const struct page *page) {
    static const char *const heads[] = {"Class", "Images",    "Top-1",     "95\xc2\xa0% interval",
                                        "Top-5", "Predicted", "Precision", "Most taken for"};
    page_table_open(page, "Accuracy by class", "sortable");
    fputs("<thead><tr>", page->out);
    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
        fprintf(page->out, "<th scope=\"col\"%s>%s</th>",
                i == 0 || i == 7 ? " class=\"words\"" : "", heads[i]);
    }
    fputs("</tr></thead>\n<tbody>\n", page->out);
    for (size_t i = 0; i < page->summary->n_classes; i++) {
        write_class_row(page, i);
    }
    fputs("</tbody>\n", page->out);
    page_table_close(page);
}

/* ---- the histogram ---------------------------------------------------------------- */

static size_t slice_of(const struct eval_class_score *c) {
    size_t slice = (size_t)(accuracy(c) * SLICES);
    return slice < SLICES ? slice : SLICES - 1;
}

static void draw_classes(const struct page *page) {
    enum { WIDTH = 800, HEIGHT = 232, TOP = 18, BOTTOM = 172 };
    const struct svg_axis across = {.from = 0, .to = 100, .low = 24, .high = WIDTH - 24};
    size_t counts[SLICES] = {0}, most = 1;
    for (size_t i = 0; i < page->summary->n_classes; i++) {
        if (page->summary->classes[i].images > 0) {
            size_t slice = slice_of(&page->summary->classes[i]);
            counts[slice]++;
            most = counts[slice] > most ? counts[slice] : most;
        }
    }
    const struct svg_axis up = {.from = 0, .to = (double)most, .low = BOTTOM, .high = TOP};
    svg_begin(page->out, WIDTH, HEIGHT, "Histogram of accuracy by class",
              "How many classes have which share of their images right");
    for (int i = 0; i < SLICES; i++) {
        char tip[80];
        double left = svg_place(&across, i * 100.0 / SLICES) + 1.5;
        double width = (across.high - across.low) / SLICES - 3;
        double y = svg_place(&up, (double)counts[i]);
        snprintf(tip, sizeof(tip), "%zu classes with %d to %d %% right", counts[i],
                 i * 100 / SLICES, (i + 1) * 100 / SLICES);
        svg_rect(page->out, (struct svg_point){left, y}, width, BOTTOM - y, "right", tip);
        if (counts[i] > 0) {
            svg_text(page->out, (struct svg_point){left + width / 2, y - 5}, SVG_MIDDLE,
                     "tick count", "%zu", counts[i]);
        }
    }
    svg_line(page->out, (struct svg_point){across.low, BOTTOM},
             (struct svg_point){across.high, BOTTOM}, "axis");
    for (int i = 0; i <= 10; i++) {
        svg_text(page->out, (struct svg_point){svg_place(&across, i * 10), BOTTOM + 24}, SVG_MIDDLE,
                 "tick", "%d", i * 10);
    }
    svg_text(page->out, (struct svg_point){WIDTH / 2.0, BOTTOM + 54}, SVG_MIDDLE, "label",
             "right of a class, %%");
    svg_end(page->out);
}

/* ---- the extremes ----------------------------------------------------------------- */

static int compare_accuracies(const void *a, const void *b) {
    const struct eval_class_score *x = *(const struct eval_class_score *const *)a;
    const struct eval_class_score *y = *(const struct eval_class_score *const *)b;
    if (accuracy(x) != accuracy(y)) {
        return accuracy(x) < accuracy(y) ? -1 : 1;
    }
    return (x->class_index > y->class_index) - (x->class_index < y->class_index);
}

static void write_extremes(const struct page *page, const char *caption,
                           const struct eval_class_score *const *first, ptrdiff_t step) {
    page_table_open(page, caption, "plain");
    fputs("<thead><tr><th scope=\"col\" class=\"words\">Class</th><th scope=\"col\">Images</th>"
          "<th scope=\"col\">Top-1</th></tr></thead>\n<tbody>\n",
          page->out);
    for (ptrdiff_t i = 0; i < EXTREMES; i++) {
        const struct eval_class_score *c = first[i * step];
        fputs("<tr><th scope=\"row\">", page->out);
        page_class_name(page, c->class_index);
        fprintf(page->out, "</th><td>%zu</td><td class=\"barred\">", c->images);
        page_bar(page, accuracy(c));
        fputs("</td></tr>\n", page->out);
    }
    fputs("</tbody>\n", page->out);
    page_table_close(page);
}

/* False if out of memory, which the table below makes up for. */
static bool write_both_ends(const struct page *page, size_t labelled) {
    const struct eval_class_score **sorted = malloc((labelled + 1) * sizeof(*sorted));
    size_t n = 0;
    if (!sorted) {
        return false;
    }
    for (size_t i = 0; i < page->summary->n_classes; i++) {
        if (page->summary->classes[i].images > 0) {
            sorted[n++] = &page->summary->classes[i];
        }
    }
    qsort(sorted, n, sizeof(*sorted), compare_accuracies);
    fputs("<div class=\"charts\">\n", page->out);
    write_extremes(page, "The worst ten", sorted, 1);
    write_extremes(page, "The best ten", sorted + n - 1, -1);
    fputs("</div>\n", page->out);
    free(sorted);
    return true;
}

void page_classes(const struct page *page) {
    const struct eval_summary *s = page->summary;
    size_t labelled = 0;
    for (size_t i = 0; i < s->n_classes; i++) {
        labelled += s->classes[i].images > 0;
    }
    page_open(page, "classes", "Classes");
    if (s->n_classes <= TABLE_OPEN) {
        write_class_table(page);
    } else {
        fputs("<figure class=\"classes\">\n", page->out);
        draw_classes(page);
        fprintf(page->out,
                "<figcaption>How many of the %zu classes have which share of their "
                "images right.</figcaption>\n</figure>\n",
                labelled);
        if (labelled > (size_t)2 * EXTREMES) {
            write_both_ends(page, labelled);
        }
        fprintf(page->out, "<details><summary>All %zu classes</summary>\n", s->n_classes);
        write_class_table(page);
        fputs("</details>\n", page->out);
    }
    page_close(page);
}
