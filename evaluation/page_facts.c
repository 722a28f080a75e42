/* The end of report.html: the model's card, the recipe, how long it took. */
#include "evaluation/page.h"

#include "evaluation/html.h"
#include "evaluation/json_values.h"
#include "loaders/json.h"

#include <stdlib.h>
#include <string.h>

static void open_facts(const struct page *page, const char *title) {
    fprintf(page->out, "<div class=\"card\"><h3>%s</h3>\n<dl class=\"facts\">\n", title);
}

static void close_facts(const struct page *page) {
    fputs("</dl></div>\n", page->out);
}

static void fact(const struct page *page, const char *name, const char *value) {
    if (value && *value) {
        fputs("<div><dt>", page->out);
        html_text(page->out, name);
        fputs("</dt><dd>", page->out);
        html_text(page->out, value);
        fputs("</dd></div>\n", page->out);
    }
}

static void fact_hash(const struct page *page, const char *name, const char *hash) {
    if (hash && *hash) {
        fprintf(page->out, "<div><dt>%s</dt><dd class=\"hash\">", name);
        html_text(page->out, hash);
        fputs("</dd></div>\n", page->out);
    }
}

/* "12.6 million (12,634,122)" */
static void fact_large(const struct page *page, const char *name, uint64_t value) {
    static const struct {
        double size;
        const char *word;
    } units[] = {{1e12, "trillion"}, {1e9, "billion"}, {1e6, "million"}};
    if (value == 0) {
        return;
    }
    fprintf(page->out, "<div><dt>%s</dt><dd>", name);
    for (size_t i = 0; i < 3; i++) {
        if ((double)value >= units[i].size) {
            fprintf(page->out, "%.2f %s<br>", (double)value / units[i].size, units[i].word);
            break;
        }
    }
    fputs("<span class=\"small\">", page->out);
    html_count(page->out, value);
    fputs("</span></dd></div>\n", page->out);
}

static void write_model(const struct page *page) {
    const struct eval_description *d = page->description;
    char classes[32];
    snprintf(classes, sizeof(classes), "%d", (int)d->classes);
    open_facts(page, "Model");
    fact(page, "File", d->model);
    fact_large(page, "Parameters", d->parameters);
    fact_large(page, "Multiply-adds per image", d->macs);
    fact(page, "Classes", classes);
    fact(page, "Precision", d->precision);
    fact(page, "Run by", d->backend);
    fact(page, "Options", d->options);
    fact_hash(page, "SHA-256 of the file", d->model_sha256);
    fact_hash(page, "of the list and its labels", d->list_sha256);
    close_facts(page);
}

/* ---- the recipe ------------------------------------------------------------------- */

/* A value in one line: "0.485, 0.456, 0.406". */
static void write_value(FILE *out, const json_t *value) {
    size_t i;
    json_t *item;
    if (json_is_string(value)) {
        html_text(out, json_string_value(value));
    } else if (json_is_array(value)) {
        json_array_foreach(value, i, item) {
            fputs(i > 0 ? ", " : "", out);
            write_value(out, item);
        }
    } else {
        char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(6));
        html_text(out, text);
        free(text);
    }
}

static void write_field(const struct page *page, const char *key, const json_t *value,
                        const json_t *source) {
    fputs("<div><dt>", page->out);
    for (const char *c = key; *c; c++) {
        char letter[2] = {*c == '_' ? ' ' : *c, 0};
        html_text(page->out, letter);
    }
    fputs("</dt><dd>", page->out);
    write_value(page->out, value);
    if (json_is_string(source)) {
        fputs(" <span class=\"small\">", page->out);
        html_text(page->out, json_string_value(source));
        fputs("</span>", page->out);
    }
    fputs("</dd></div>\n", page->out);
}

/* Fields with their sources, which stand in an object of their own, "sources". */
static void write_recipe(const struct page *page) {
    const struct eval_description *d = page->description;
    json_t *recipe = NULL;
    if (d->recipe) {
        (void)fovea_json_parse(d->recipe, strlen(d->recipe), 0, &recipe, NULL);
    }
    const json_t *sources = json_object_get(recipe, "sources");
    const char *key;
    json_t *value;
    open_facts(page, "Recipe");
    json_object_foreach(recipe, key, value) {
        if (value != sources) {
            write_field(page, key, value, json_object_get(sources, key));
        }
    }
    if (!recipe) {
        fact(page, "As given", d->recipe);
    }
    fact_hash(page, "SHA-256", d->recipe_sha256);
    close_facts(page);
    json_decref(recipe);
}

/* ---- timings ---------------------------------------------------------------------- */

static void fact_count(const struct page *page, const char *name, uint64_t value) {
    if (value > 0) {
        fprintf(page->out, "<div><dt>%s</dt><dd>", name);
        html_count(page->out, value);
        fputs("</dd></div>\n", page->out);
    }
}

static void write_timings(const struct page *page) {
    const struct eval_timings *t = page->evidence->timings;
    char text[64];
    if (!t) {
        return;
    }
    open_facts(page, "Timings");
    int64_t whole = (int64_t)t->seconds;
    snprintf(text, sizeof(text), "%lld:%02lld:%04.1f", (long long)(whole / 3600),
             (long long)(whole / 60 % 60), t->seconds - (double)(whole - whole % 60));
    fact(page, "Time (h:min:s)", text);
    snprintf(text, sizeof(text), "%.2f", t->seconds > 0 ? (double)t->images / t->seconds : 0);
    fact(page, "Images per second", text);
    fact_count(page, "Threads", (uint64_t)t->threads);
    fact_count(page, "Streams", (uint64_t)t->streams);
    fact_count(page, "Decoding threads", (uint64_t)t->workers);
    fact_count(page, "Batch", (uint64_t)t->batch);
    fact_count(page, "Ranks", (uint64_t)t->ranks);
    snprintf(text, sizeof(text), "%.0f MiB", (double)t->peak_rss_bytes / 1048576);
    fact(page, "Peak memory", t->peak_rss_bytes > 0 ? text : NULL);
    close_facts(page);
}

void page_facts(const struct page *page) {
    page_open(page, "facts", "Model and recipe");
    fputs("<div class=\"cards\">\n", page->out);
    write_model(page);
    write_recipe(page);
    write_timings(page);
    fputs("</div>\n", page->out);
    page_close(page);
}
