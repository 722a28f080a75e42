/* See compare_report.h. */
#include "tools/compare_report.h"

#include "evaluation/text.h"
#include "loaders/file.h"
#include "loaders/json.h"
#include "runtime/limits.h"
#include "tools/out_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { CLASSES_SHOWN = 5 };

/* ---- sides ------------------------------------------------------------------------ */

/* Of a folder, its report.json; within the bounds of any JSON. */
static json_t *load_report(const char *path) {
    struct stat info;
    char *name;
    uint8_t *bytes = NULL;
    size_t size;
    json_t *report = NULL;
    if (stat(path, &info) != 0 || !S_ISDIR(info.st_mode) ||
        asprintf(&name, "%s/report.json", path) < 0) {
        return NULL;
    }
    if (!fovea_file_read(name, FOVEA_LIMIT_JSON_BYTES, &bytes, &size, NULL, NULL)) {
        fovea_json_parse((const char *)bytes, size, 0, &report, NULL);
    }
    free(bytes);
    free(name);
    return report;
}

enum fovea_status compare_side_init(struct compare_side *side, const char *path,
                                    struct fovea_error *err) {
    side->path = path;
    enum fovea_status status = eval_predictions_load(path, &side->predictions, err);
    if (!status) {
        side->report = load_report(path);
    }
    return status;
}

void compare_side_finish(struct compare_side *side) {
    eval_predictions_finish(&side->predictions);
    json_decref(side->report);
}

/* The name of a class, "" if A's report has none. */
static const char *class_name(const struct compare_result *result, int32_t class_index) {
    size_t i;
    json_t *item;
    json_array_foreach(json_object_get(result->a.report, "per_class"), i, item) {
        if (json_integer_value(json_object_get(item, "class")) == class_index) {
            const char *name = json_string_value(json_object_get(item, "name"));
            return name ? name : "";
        }
    }
    return "";
}

/* ---- text ------------------------------------------------------------------------- */

static void print_side(const char *letter, const struct compare_side *side, size_t right,
                       size_t images) {
    printf("%s  %6.2f %%  (%zu of %zu)  %s\n", letter, 100 * (double)right / (double)images, right,
           images, fovea_quote(side->path).text);
}

/* What the reports say to be different about the two runs. */
static void print_differences(const struct compare_result *result) {
    static const char *const keys[] = {"model_sha256", "recipe_sha256", "list_sha256",
                                       "precision",    "library",       "backend"};
    static const char *const words[] = {"model",     "recipe",  "list",
                                        "precision", "library", "backend"};
    const char *before = "differ in: ";
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        const char *a = json_string_value(json_object_get(result->a.report, keys[i]));
        const char *b = json_string_value(json_object_get(result->b.report, keys[i]));
        if (!a || !b || strcmp(a, b) == 0) {
            continue;
        }
        printf("%s%s", before, words[i]);
        if (i >= 3) {
            printf(" (%s, %s)", fovea_quote(a).text, fovea_quote(b).text);
        }
        before = ", ";
    }
    if (before[0] == ',') {
        putchar('\n');
    }
}

static void print_part(size_t count, const char *words) {
    if (count > 0) {
        printf("  %zu %s\n", count, words);
    }
}

static void print_left_out(const struct eval_comparison *c) {
    if (c->only_in_a + c->only_in_b + c->no_answer_a + c->no_answer_b + c->not_scored > 0) {
        printf("not compared:\n");
    }
    print_part(c->only_in_a, "only in A's list");
    print_part(c->only_in_b, "only in B's list");
    print_part(c->no_answer_a, "without an answer in A");
    print_part(c->no_answer_b, "without an answer in B");
    print_part(c->not_scored, "without a label");
    if (c->relabelled > 0) {
        printf("note: %zu images have other labels in B than in A; each is judged by its own\n",
               c->relabelled);
    }
}

static void print_class(const struct compare_result *result, const struct eval_class_change *c) {
    const char *name = class_name(result, c->class_index);
    printf("  class %d%s%s: %zu lost, %zu gained, of %zu\n", (int)c->class_index, *name ? " " : "",
           *name ? fovea_quote(name).text : "", c->lost, c->gained, c->images);
}

static void print_classes(const struct compare_result *result) {
    const struct eval_comparison *c = &result->comparison;
    size_t shown = 0;
    for (size_t i = 0; i < c->n_classes && shown < CLASSES_SHOWN; i++) {
        if (c->classes[i].lost > c->classes[i].gained) {
            printf("%s", shown++ == 0 ? "classes that lost most:\n" : "");
            print_class(result, &c->classes[i]);
        }
    }
    shown = 0;
    for (size_t i = c->n_classes; i-- > 0 && shown < CLASSES_SHOWN;) {
        if (c->classes[i].gained > c->classes[i].lost) {
            printf("%s", shown++ == 0 ? "classes that gained most:\n" : "");
            print_class(result, &c->classes[i]);
        }
    }
}

void compare_print(const struct compare_result *result) {
    const struct eval_comparison *c = &result->comparison;
    const struct eval_paired *n = &c->counts;
    print_side("A", &result->a, n->both + n->only_a, c->images);
    print_side("B", &result->b, n->both + n->only_b, c->images);
    print_differences(result);
    printf("B less A: %+.2f points (95 %% interval %+.2f..%+.2f)\n", 100 * c->difference,
           100 * c->low, 100 * c->high);
    printf("right in both %zu, only in A %zu, only in B %zu, in neither %zu\n", n->both, n->only_a,
           n->only_b, n->neither);
    printf("McNemar's exact test: p = %.3g, %s\n", c->p,
           c->p >= 0.05        ? "no evidence of a difference"
           : c->difference > 0 ? "B is better"
                               : "B is worse");
    printf("%zu images flipped; %zu more are wrong in both, in another way\n", c->n_flips,
           c->other_answers);
    print_classes(result);
    print_left_out(c);
    if (result->fail_points >= 0) {
        printf("%s: B is %sworse than A by more than %g points on these images\n",
               result->fail ? "FAILED" : "passed", result->fail ? "" : "not ", result->fail_points);
    }
}

/* ---- JSON ------------------------------------------------------------------------- */

static json_t *classes_json(const struct compare_result *result) {
    json_t *list = json_array();
    for (size_t i = 0; i < result->comparison.n_classes; i++) {
        const struct eval_class_change *c = &result->comparison.classes[i];
        const char *name = class_name(result, c->class_index);
        json_append(&list,
                    json_pack("{s:i, s:o, s:o, s:o, s:o}", "class", (int)c->class_index, "name",
                              json_text(*name ? name : NULL), "images", json_count(c->images),
                              "gained", json_count(c->gained), "lost", json_count(c->lost)));
    }
    return list;
}

static json_t *left_out_json(const struct eval_comparison *c) {
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "only_in_a", json_count(c->only_in_a),
                     "only_in_b", json_count(c->only_in_b), "no_answer_a",
                     json_count(c->no_answer_a), "no_answer_b", json_count(c->no_answer_b),
                     "not_scored", json_count(c->not_scored));
}

json_t *compare_json(const struct compare_result *result) {
    const struct eval_comparison *c = &result->comparison;
    const struct eval_paired *n = &c->counts;
    double images = (double)c->images;
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:[oo], s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, "
        "s:o}",
        "a", json_text(result->a.path), "b", json_text(result->b.path), "images",
        json_count(c->images), "top1_a", json_double((double)(n->both + n->only_a) / images),
        "top1_b", json_double((double)(n->both + n->only_b) / images), "difference",
        json_double(c->difference), "difference_ci95", json_double(c->low), json_double(c->high),
        "p", json_double(c->p), "both_right", json_count(n->both), "only_a_right",
        json_count(n->only_a), "only_b_right", json_count(n->only_b), "neither_right",
        json_count(n->neither), "other_answers", json_count(c->other_answers), "relabelled",
        json_count(c->relabelled), "not_compared", left_out_json(c), "classes",
        classes_json(result), "fail_if_worse",
        result->fail_points >= 0 ? json_double(result->fail_points) : json_null(), "failed",
        json_boolean(result->fail));
}

/* ---- flips ------------------------------------------------------------------------ */

static void write_class(FILE *out, int32_t class_index) {
    if (class_index >= 0) {
        fprintf(out, "%d", (int)class_index);
    }
    fputc(',', out);
}

enum fovea_status compare_write_flips(const struct compare_result *result, const char *path,
                                      struct fovea_error *err) {
    struct out_file file;
    enum fovea_status status = out_file_init(&file, path, err);
    if (status) {
        return status;
    }
    fputs("path,label,pred_a,pred_b,change\n", file.stream);
    for (size_t i = 0; i < result->comparison.n_flips; i++) {
        const struct eval_flip *flip = &result->comparison.flips[i];
        eval_csv_field(file.stream, flip->a->path);
        fprintf(file.stream, ",%s,", flip->a->labels);
        write_class(file.stream, flip->a->pred);
        write_class(file.stream, flip->b->pred);
        fputs(flip->gained ? "gained\n" : "lost\n", file.stream);
    }
    return out_file_commit(&file, err);
}
