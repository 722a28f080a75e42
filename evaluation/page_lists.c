/* Lists of report.html: confused pairs, confident mistakes, files without an answer. */
#include "evaluation/page.h"

#include "evaluation/html.h"
#include "evaluation/thumbnail.h"

#include <stdlib.h>

enum { PAIRS_SHOWN = 25, MISTAKES_SHOWN = 24, FAILURES_SHOWN = 200, THUMBNAIL = 224 };

/* ---- confused pairs --------------------------------------------------------------- */

static size_t images_of(const struct eval_summary *s, int32_t class_index) {
    for (size_t i = 0; i < s->n_classes; i++) {
        if (s->classes[i].class_index == class_index) {
            return s->classes[i].images;
        }
    }
    return 0;
}

static void write_pair(const struct page *page, const struct eval_cell *pair) {
    const struct eval_summary *s = page->summary;
    double share = eval_share_of(pair->count, images_of(s, pair->label)).value;
    fputs("<tr><th scope=\"row\">", page->out);
    page_class_name(page, pair->label);
    fputs("</th><td class=\"words\">", page->out);
    page_class_name(page, pair->pred);
    fprintf(page->out, "</td><td>%zu</td><td class=\"barred miss\" data-v=\"%.6f\">", pair->count,
            share);
    page_bar(page, share);
    fprintf(page->out, "</td><td>%zu</td></tr>\n",
            eval_confusion_get(&s->confusion, pair->pred, pair->label));
}

void page_pairs(const struct page *page) {
    const struct eval_summary *s = page->summary;
    page_open(page, "pairs", "Most confused pairs");
    if (s->n_pairs == 0) {
        fputs("<p>No class was taken for another.</p>\n", page->out);
        page_close(page);
        return;
    }
    page_table_open(page, "Which class was taken for which", "sortable");
    fputs("<thead><tr><th scope=\"col\" class=\"words\">Label</th><th scope=\"col\" "
          "class=\"words\">Taken for</th><th scope=\"col\">Images</th><th scope=\"col\">Of the "
          "label\xe2\x80\x99s</th><th scope=\"col\">The other way</th></tr></thead>\n<tbody>\n",
          page->out);
    for (size_t i = 0; i < s->n_pairs && i < PAIRS_SHOWN; i++) {
        write_pair(page, &s->pairs[i]);
    }
    fputs("</tbody>\n", page->out);
    page_table_close(page);
    if (s->n_pairs > PAIRS_SHOWN) {
        fprintf(page->out, "<p class=\"small\">The first %d of %zu pairs.</p>\n", PAIRS_SHOWN,
                s->n_pairs);
    }
    page_close(page);
}

/* ---- the gallery ------------------------------------------------------------------ */

/* No picture is no failure: the file may be elsewhere by now, or of a kind that is not decoded. */
static bool take_picture(const struct page *page, size_t index, struct eval_thumbnail *out) {
    const struct eval_pictures *pictures = page->evidence->pictures;
    uint8_t *bytes = NULL;
    size_t size = 0;
    if (!pictures || pictures->read(pictures->context, index, &bytes, &size, NULL)) {
        return false;
    }
    bool good = eval_thumbnail_init(out, &page->evidence->records[index], bytes, size, THUMBNAIL,
                                    NULL) == FOVEA_OK;
    free(bytes);
    return good;
}

static void write_picture(const struct page *page, size_t index) {
    struct eval_thumbnail picture = {0};
    if (!take_picture(page, index, &picture)) {
        fputs("<div class=\"nopicture\">no picture</div>", page->out);
        return;
    }
    /* the words below say what it is */
    fprintf(page->out,
            "<img alt=\"\" width=\"%d\" height=\"%d\"%s loading=\"lazy\" "
            "src=\"data:image/jpeg;base64,",
            picture.width, picture.height,
            picture.width < 100 && picture.height < 100 ? " class=\"tiny\"" : "");
    html_base64(page->out, picture.jpeg, picture.size);
    fputs("\">", page->out);
    eval_thumbnail_finish(&picture);
}

static void write_mistake(const struct page *page, size_t index) {
    const struct eval_record *r = &page->evidence->records[index];
    fputs("<li><figure>", page->out);
    write_picture(page, index);
    fputs("<figcaption><span class=\"taken\">", page->out);
    page_class_name(page, r->top[0].class_index);
    fputs(" <b>", page->out);
    html_percent(page->out, eval_record_confidence(r), 1);
    fputs("</b></span><span class=\"truly\">is ", page->out);
    for (size_t i = 0; i < r->n_labels; i++) {
        fputs(i > 0 ? " or " : "", page->out);
        page_class_name(page, r->labels[i]);
    }
    fputs("</span><span class=\"path\">", page->out);
    html_text(page->out, r->path);
    fputs("</span></figcaption></figure></li>\n", page->out);
}

void page_gallery(const struct page *page) {
    const struct eval_summary *s = page->summary;
    page_open(page, "gallery", "Most confident mistakes");
    if (s->n_mistakes == 0) {
        fputs("<p>There are none.</p>\n", page->out);
        page_close(page);
        return;
    }
    fputs("<p>What the model was surest of and had wrong: often the most telling images, of the "
          "model or of the labels.</p>\n<ul class=\"gallery\">\n",
          page->out);
    for (size_t i = 0; i < s->n_mistakes && i < MISTAKES_SHOWN; i++) {
        write_mistake(page, s->mistakes[i]);
    }
    fputs("</ul>\n", page->out);
    page_close(page);
}

/* ---- failures --------------------------------------------------------------------- */

static bool has_failed(const struct eval_record *r) {
    return r->state == EVAL_FAILED || r->state == EVAL_MISSING;
}

static void write_failures(const struct page *page, size_t failed) {
    const struct eval_evidence *e = page->evidence;
    size_t shown = 0;
    page_table_open(page, "Images without an answer", "plain");
    fputs("<thead><tr><th scope=\"col\" class=\"words\">File</th><th scope=\"col\" "
          "class=\"words\">What is wrong</th></tr></thead>\n<tbody>\n",
          page->out);
    for (size_t i = 0; i < e->n_records && shown < FAILURES_SHOWN; i++) {
        const struct eval_record *r = &e->records[i];
        if (has_failed(r)) {
            fputs("<tr><th scope=\"row\" class=\"path\">", page->out);
            html_text(page->out, r->path);
            fputs("</th><td class=\"words\">", page->out);
            html_text(page->out, r->message                 ? r->message
                                 : r->state == EVAL_MISSING ? "is not there"
                                                            : "failed");
            fputs("</td></tr>\n", page->out);
            shown++;
        }
    }
    fputs("</tbody>\n", page->out);
    page_table_close(page);
    if (failed > shown) {
        fprintf(page->out,
                "<p class=\"small\">The first %zu of %zu; in <code>predictions.csv</code> they are "
                "the rows without a prediction, and the journal says what is wrong with "
                "each.</p>\n",
                shown, failed);
    }
}

void page_failures(const struct page *page) {
    const struct eval_summary *s = page->summary;
    size_t failed = s->states[EVAL_FAILED] + s->states[EVAL_MISSING];
    page_open(page, "failures", "Unreadable files");
    if (failed == 0) {
        fputs("<p>Every image that was tried could be read.</p>\n", page->out);
    } else {
        write_failures(page, failed);
    }
    page_close(page);
}
