/* The confusion matrix of report.html: class by class, or in blocks where there are many. */
#include "evaluation/page.h"

#include "evaluation/html.h"
#include "evaluation/svg.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_CLASSES = 30, BLOCKS = 48, SHADES = 9 };

struct matrix {
    int32_t n;      /* rows and columns */
    int32_t *place; /* [classes] row and column of a class, -1: none */
    size_t *counts; /* [n][n] */
    size_t *rows;   /* [n] */
};

static void matrix_finish(struct matrix *m) {
    free(m->place);
    free(m->counts);
    free(m->rows);
}

static bool matrix_init(struct matrix *m, const struct page *page) {
    const struct eval_summary *s = page->summary;
    int32_t classes = page->description->classes;
    bool each = s->n_classes <= MOST_CLASSES;
    m->n = each ? (int32_t)s->n_classes : classes < BLOCKS ? classes : BLOCKS;
    m->place = malloc(((size_t)classes + 1) * sizeof(*m->place));
    m->counts = calloc((size_t)m->n * (size_t)m->n + 1, sizeof(*m->counts));
    m->rows = calloc((size_t)m->n + 1, sizeof(*m->rows));
    if (!m->place || !m->counts || !m->rows) {
        return false;
    }
    for (int32_t c = 0; c < classes; c++) {
        m->place[c] = each ? -1 : (int32_t)((int64_t)c * m->n / classes);
    }
    for (size_t i = 0; each && i < s->n_classes; i++) {
        m->place[s->classes[i].class_index] = (int32_t)i;
    }
    for (size_t i = 0; i < s->confusion.n_cells; i++) {
        const struct eval_cell *c = &s->confusion.cells[i];
        int32_t row = m->place[c->label], column = m->place[c->pred];
        m->counts[(size_t)row * (size_t)m->n + (size_t)column] += c->count;
        m->rows[row] += c->count;
    }
    return true;
}

/* "cat (3)", or "classes 40 to 59". */
static void name_of(const struct page *page, const struct matrix *m, int32_t i, char *text,
                    size_t size) {
    if (page->summary->n_classes <= MOST_CLASSES) {
        page_class_words(page, page->summary->classes[i].class_index, text, size);
        return;
    }
    int64_t classes = page->description->classes;
    int64_t first = (i * classes + m->n - 1) / m->n, end = ((i + 1) * classes + m->n - 1) / m->n;
    snprintf(text, size, "classes %d to %d", (int)first, (int)(end - 1));
}

/* The root of the share makes small ones visible. */
static void draw_cell(const struct page *page, const struct matrix *m, int32_t row, int32_t column,
                      const struct svg_axis *axis) {
    char css[24], tip[400], label[100], pred[100];
    size_t count = m->counts[(size_t)row * (size_t)m->n + (size_t)column];
    if (count == 0) {
        return;
    }
    double share = (double)count / (double)m->rows[row];
    int shade = (int)round(sqrt(share) * SHADES);
    double side = (axis->high - axis->low) / m->n, gap = side > 12 ? 1 : 0;
    name_of(page, m, row, label, sizeof(label));
    name_of(page, m, column, pred, sizeof(pred));
    snprintf(css, sizeof(css), "%s s%d", row == column ? "hit" : "miss", shade);
    snprintf(tip, sizeof(tip), "%s taken for %s: %zu, %.1f %%", label, pred, count, 100 * share);
    svg_rect(page->out, (struct svg_point){svg_place(axis, column), svg_place(axis, row) - 130},
             side - gap, side - gap, css, tip);
}

static void draw_names(const struct page *page, const struct matrix *m,
                       const struct svg_axis *axis) {
    double side = (axis->high - axis->low) / m->n;
    for (int32_t i = 0; i < m->n; i++) {
        char text[100];
        double middle = svg_place(axis, i) + side / 2;
        int32_t class_index = page->summary->classes[i].class_index;
        const char *name = eval_class_name(page->description, class_index);
        snprintf(text, sizeof(text), "%d", (int)class_index);
        svg_text(page->out, (struct svg_point){132, middle - 130 + 4}, SVG_END, "tick", "%.18s",
                 name ? name : text);
        svg_text(page->out, (struct svg_point){middle, axis->high - 130 + 16}, SVG_MIDDLE, "tick",
                 "%s", text);
    }
}

static void draw_matrix(const struct page *page, const struct matrix *m) {
    const struct svg_axis axis = {.from = 0, .to = m->n, .low = 140, .high = 640};
    double top = axis.low - 130, bottom = axis.high - 130, size = axis.high - axis.low;
    bool each = page->summary->n_classes <= MOST_CLASSES;
    svg_begin(page->out, 650, 560, "Confusion matrix",
              "Rows are labels, columns predictions; the darker, the larger the share of the row");
    svg_rect(page->out, (struct svg_point){axis.low, top}, size, size, "ground", NULL);
    for (int32_t row = 0; row < m->n; row++) {
        for (int32_t column = 0; column < m->n; column++) {
            draw_cell(page, m, row, column, &axis);
        }
    }
    if (each) {
        draw_names(page, m, &axis);
    } else {
        svg_text(page->out, (struct svg_point){132, top + 12}, SVG_END, "tick", "0");
        int last = (int)page->description->classes - 1;
        svg_text(page->out, (struct svg_point){132, bottom}, SVG_END, "tick", "%d", last);
        svg_text(page->out, (struct svg_point){axis.low, bottom + 18}, SVG_START, "tick", "0");
        svg_text(page->out, (struct svg_point){axis.high, bottom + 18}, SVG_END, "tick", "%d",
                 last);
    }
    svg_text(page->out, (struct svg_point){(axis.low + axis.high) / 2, bottom + 40}, SVG_MIDDLE,
             "label", "taken for");
    svg_text_upwards(page->out, (struct svg_point){14, (top + bottom) / 2}, SVG_MIDDLE, "label",
                     "label");
    svg_end(page->out);
}

void page_matrix(const struct page *page) {
    struct matrix m = {0};
    if (page->summary->scored > 0 && matrix_init(&m, page)) {
        page_open(page, "matrix", "Confusion");
        fputs("<figure class=\"matrix\"><div class=\"frame\" role=\"region\" tabindex=\"0\" "
              "aria-label=\"Confusion matrix\">\n",
              page->out);
        draw_matrix(page, &m);
        fputs("</div><figcaption>Each row is a label, each column what it was taken for; the "
              "stronger the colour, the larger the share of the row (on a scale of square roots). "
              "<span class=\"key right\"></span> right, <span class=\"key wrong\"></span> "
              "wrong.</figcaption></figure>\n",
              page->out);
        page_close(page);
    }
    matrix_finish(&m);
}
