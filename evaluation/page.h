/*
 * The parts of report.html, one function a section; page.c puts them in order.
 * Only for files of the page.
 */
#ifndef FOVEA_EVALUATION_PAGE_H
#define FOVEA_EVALUATION_PAGE_H

#include "evaluation/report.h"
#include "evaluation/summary.h"

struct page {
    FILE *out;
    const struct eval_evidence *evidence;
    const struct eval_description *description;
    const struct eval_summary *summary;
    /* [n_classes of the summary] the most frequent mistake about each class, or NULL */
    const struct eval_cell **worst;
};

/* The style sheet and the script in pieces, as they stand between their tags; NULL ends them. */
extern const char *const page_style[];
extern const char *const page_script[];

void page_head_figures(const struct page *page);
void page_warnings(const struct page *page);
void page_calibration(const struct page *page);
void page_classes(const struct page *page);
void page_matrix(const struct page *page);
void page_pairs(const struct page *page);
void page_gallery(const struct page *page);
void page_failures(const struct page *page);
void page_facts(const struct page *page);

/* "<section id=...><h2>title</h2>"; end it with page_close. */
void page_open(const struct page *page, const char *id, const char *title);
void page_close(const struct page *page);

/* A class by name and number; its number alone if it has no name. */
void page_class_name(const struct page *page, int32_t class_index);

/* "cat (3)" into `text`, for drawings. */
void page_class_words(const struct page *page, int32_t class_index, char *text, size_t size);

/* A share of 0..1 as a small bar and in percent. */
void page_bar(const struct page *page, double share);

/* A table that scrolls in its own frame where the page is narrow. */
void page_table_open(const struct page *page, const char *caption, const char *css);
void page_table_close(const struct page *page);

#endif
