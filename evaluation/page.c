/* report.html as a whole. See page.h. */
#include "evaluation/page.h"

#include "evaluation/html.h"

#include <stdlib.h>
#include <string.h>

void page_open(const struct page *page, const char *id, const char *title) {
    fprintf(page->out, "<section id=\"%s\" aria-labelledby=\"%s-title\">\n<h2 id=\"%s-title\">", id,
            id, id);
    html_text(page->out, title);
    fputs("</h2>\n", page->out);
}

void page_close(const struct page *page) {
    fputs("</section>\n", page->out);
}

void page_class_name(const struct page *page, int32_t class_index) {
    const char *name = eval_class_name(page->description, class_index);
    if (!name) {
        fprintf(page->out, "class %d", (int)class_index);
        return;
    }
    html_text(page->out, name);
    fprintf(page->out, " <span class=\"id\">%d</span>", (int)class_index);
}

void page_class_words(const struct page *page, int32_t class_index, char *text, size_t size) {
    const char *name = eval_class_name(page->description, class_index);
    if (name) {
        snprintf(text, size, "%.60s (%d)", name, (int)class_index);
    } else {
        snprintf(text, size, "class %d", (int)class_index);
    }
}

void page_bar(const struct page *page, double share) {
    fprintf(page->out, "<span class=\"bar\"><i style=\"width:%.1f%%\"></i></span><span>",
            100 * share);
    html_percent(page->out, share, 1);
    fputs("</span>", page->out);
}

void page_table_open(const struct page *page, const char *caption, const char *css) {
    fputs("<div class=\"frame\" role=\"region\" tabindex=\"0\" aria-label=\"", page->out);
    html_text(page->out, caption);
    fprintf(page->out, "\"><table class=\"%s\"><caption>", css);
    html_text(page->out, caption);
    fputs("</caption>\n", page->out);
}

void page_table_close(const struct page *page) {
    fputs("</table></div>\n", page->out);
}

/* What is after the last slash. */
static const char *base_name(const char *path) {
    const char *slash = path ? strrchr(path, '/') : NULL;
    return slash && slash[1] ? slash + 1 : path;
}

static void write_pieces(FILE *out, const char *const *pieces) {
    for (; *pieces; pieces++) {
        fputs(*pieces, out);
    }
}

static void write_head(const struct page *page) {
    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>",
          page->out);
    html_text(page->out, base_name(page->description->model));
    fputs(" \xe2\x80\x93 evaluation</title>\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
          "<meta name=\"color-scheme\" content=\"light dark\">\n"
          /* nothing is fetched, whatever a name in the report may say */
          "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src "
          "data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n"
          "<link rel=\"icon\" href=\"data:,\">\n<style>\n",
          page->out);
    write_pieces(page->out, page_style);
    fputs("</style>\n</head>\n<body>\n", page->out);
}

static void write_title(const struct page *page) {
    const struct eval_description *d = page->description;
    fputs("<header>\n<p class=\"kind\">Evaluation</p>\n<h1>", page->out);
    html_text(page->out, base_name(d->model));
    fputs("</h1>\n<p class=\"lead\">", page->out);
    html_count(page->out, page->summary->listed);
    fputs(" images of <b>", page->out);
    html_text(page->out, d->dataset);
    fputs("</b> in ", page->out);
    html_text(page->out, d->precision);
    if (d->dataset_words) {
        fputs(": ", page->out);
        html_text(page->out, d->dataset_words);
    }
    fputs("</p>\n</header>\n", page->out);
}

static void write_contents(const struct page *page) {
    fputs("<nav aria-label=\"Sections\"><a href=\"#classes\">Classes</a> "
          "<a href=\"#pairs\">Confused pairs</a> <a href=\"#calibration\">Calibration</a> "
          "<a href=\"#gallery\">Mistakes</a> <a href=\"#failures\">Unreadable files</a> "
          "<a href=\"#facts\">Model and recipe</a></nav>\n",
          page->out);
}

static void write_body(const struct page *page) {
    write_title(page);
    fputs("<main>\n", page->out);
    page_warnings(page);
    page_head_figures(page);
    write_contents(page);
    page_classes(page);
    page_matrix(page);
    page_pairs(page);
    page_calibration(page);
    page_gallery(page);
    page_failures(page);
    page_facts(page);
    fputs("</main>\n<footer><p>Made by Fovea ", page->out);
    html_text(page->out, page->description->library);
    fputs(". Intervals are Wilson\xe2\x80\x99s, at 95\xc2\xa0%.</p></footer>\n<script>\n",
          page->out);
    write_pieces(page->out, page_script);
    fputs("</script>\n</body>\n</html>\n", page->out);
}

/* The pairs are sorted by count, so the first of a class is its worst. */
static void find_worst(const struct eval_summary *s, const struct eval_cell **worst) {
    for (size_t i = s->n_pairs; i-- > 0;) {
        size_t low = 0, high = s->n_classes;
        while (high - low > 1) {
            size_t middle = (low + high) / 2;
            *(s->classes[middle].class_index <= s->pairs[i].label ? &low : &high) = middle;
        }
        worst[low] = &s->pairs[i];
    }
}

enum fovea_status eval_page_write(FILE *out, const struct eval_evidence *evidence,
                                  const struct eval_summary *summary, struct fovea_error *err) {
    struct page page = {
        .out = out, .evidence = evidence, .description = evidence->description, .summary = summary};
    page.worst = calloc(summary->n_classes + 1, sizeof(const struct eval_cell *));
    if (!page.worst) {
        return fovea_fail_memory(err, summary->n_classes * sizeof(const struct eval_cell *),
                                 "a page");
    }
    find_worst(summary, page.worst);
    write_head(&page);
    write_body(&page);
    free(page.worst);
    return FOVEA_OK;
}
