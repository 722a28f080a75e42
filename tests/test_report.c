/* What is made of an evaluation: figures, report.json, predictions.csv. */
#include "evaluation/report.h"
#include "evaluation/report_json.h"
#include "evaluation/summary.h"

#include "tests/check.h"
#include "tests/eval_records.h"
#include "tests/temp_dir.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool near(double a, double b) {
    return fabs(a - b) <= 1e-9;
}

static struct eval_evidence evidence_of(const struct eval_made *made) {
    return (struct eval_evidence){
        .description = &made->description, .records = made->records, .n_records = made->n};
}

static void summarise(const struct eval_made *made, struct eval_summary *out) {
    struct fovea_error err;
    CHECK_OK(eval_summary_init(out, &made->description, made->records, made->n, &err), err);
}

/* Eight images of three classes, worked out by hand. */
static void make_small(struct eval_made *made) {
    eval_made_init(made, 10);
    eval_made_add(made, 0, 0, 0.9);
    eval_made_add(made, 0, 1, 0.8);
    eval_made_add(made, 0, 1, 0.85);
    eval_made_add(made, 1, 1, 0.5);
    eval_made_add(made, 1, 8, 0.3); /* 8 9 0 1 2: the label is fourth */
    eval_made_add(made, 2, 2, 0.95);
    eval_made_fail(made, 2, "is cut off");
    eval_made_add(made, -1, 3, 0.99);
}

static void summary__small_list__figures_by_hand(void) {
    struct eval_made made;
    struct eval_summary s;
    make_small(&made);
    summarise(&made, &s);
    CHECK(s.listed == 8 && s.scored == 6 && s.unlabelled == 1);
    CHECK(s.states[EVAL_OK] == 7 && s.states[EVAL_FAILED] == 1);
    CHECK(s.top1.part == 3 && s.top1.whole == 6 && near(s.top1.value, 0.5));
    CHECK(s.top5.part == 4);
    CHECK(s.top1_listed.part == 3 && s.top1_listed.whole == 7);
    CHECK(near(s.class_mean, (1.0 / 3 + 1.0 / 2 + 1) / 3));
    CHECK(s.n_classes == 4 && s.classes[3].class_index == 8 && s.classes[3].predicted == 1);
    CHECK(s.classes[1].predicted == 3 && s.classes[1].predicted_right == 1);
    CHECK(s.n_pairs == 2 && s.pairs[0].label == 0 && s.pairs[0].pred == 1 && s.pairs[0].count == 2);
    CHECK(eval_confusion_get(&s.confusion, 1, 8) == 1 &&
          eval_confusion_get(&s.confusion, 8, 1) == 0);
    CHECK(s.n_mistakes == 3 && s.mistakes[0] == 2 && s.mistakes[1] == 1 && s.mistakes[2] == 4);
    eval_summary_finish(&s);
    eval_made_finish(&made);
}

static void summary__several_labels__any_of_them_is_right(void) {
    struct eval_made made;
    struct eval_summary s;
    eval_made_init(&made, 10);
    for (int right = 0; right < 2; right++) {
        struct eval_record *r = eval_made_add(&made, 4, right ? 7 : 5, 0.9);
        r->labels = realloc(r->labels, 2 * sizeof(*r->labels));
        r->labels[1] = 7;
        r->n_labels = 2;
    }
    summarise(&made, &s);
    CHECK(s.top1.part == 1 && s.top1.whole == 2);
    /* the wrong one was taken for 5, and is both a 4 and a 7 */
    CHECK(s.n_pairs == 2 && s.pairs[0].label == 4 && s.pairs[1].label == 7);
    CHECK(s.classes[0].class_index == 4 && s.classes[0].images == 2 && s.classes[0].top1 == 1);
    eval_summary_finish(&s);
    eval_made_finish(&made);
}

static void summary__class_out_of_range__is_refused(void) {
    struct eval_made made;
    struct eval_summary s;
    struct fovea_error err;
    eval_made_init(&made, 3);
    eval_made_add(&made, 3, 0, 0.9);
    CHECK(eval_summary_init(&s, &made.description, made.records, made.n, &err) ==
          FOVEA_ERR_INVALID);
    CHECK_STR(err.message, "image 0 of the list has class 3 of 3");
    eval_made_finish(&made);
}

static void summary__no_records__no_numbers(void) {
    struct eval_made made;
    struct eval_summary s;
    eval_made_init(&made, 3);
    summarise(&made, &s);
    CHECK(isnan(s.top1.value) && isnan(s.class_mean) && isnan(s.calibration.ece));
    CHECK(s.n_pairs == 0 && s.n_classes == 0);
    eval_summary_finish(&s);
    eval_made_finish(&made);
}

/* Bins are open below and closed above, as in Guo et al. 2017, section 2. */
static void calibration__bins__closed_above(void) {
    CHECK(eval_bin_of(0) == 0 && eval_bin_of(1) == EVAL_BINS - 1);
    CHECK(eval_bin_of(0.2) == 2);    /* 3/15 */
    CHECK(eval_bin_of(0.2001) == 3); /* just over */
    CHECK(eval_bin_of(2) == EVAL_BINS - 1 && eval_bin_of(-1) == 0 && eval_bin_of(NAN) == 0);
}

/*
 * Two bins: of four images at 0.9 three are right, of two at 0.5 one is. So the
 * gaps are 0.15 and 0, ECE 4/6 of 0.15, MCE 0.15.
 */
static void calibration__two_bins__ece_and_nll_by_hand(void) {
    struct eval_made made;
    struct eval_calibration c;
    eval_made_init(&made, 10);
    for (int i = 0; i < 4; i++) {
        eval_made_add(&made, 0, i == 0, 0.9);
    }
    eval_made_add(&made, 0, 0, 0.5);
    eval_made_add(&made, 0, 3, 0.5);
    eval_calibrate(made.records, made.n, &c);
    CHECK(fabs(c.ece - 0.1) < 1e-7 && fabs(c.mce - 0.15) < 1e-7);
    CHECK(fabs(c.confidence - 4.6 / 6) < 1e-7);
    double nll = -(3 * log(0.9) + log(0.05) + log(0.5) + log(0.25)) / 6;
    CHECK(fabs(c.nll - nll) < 1e-6);
    eval_made_finish(&made);
}

static char *predictions_of(const struct eval_made *made) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    eval_predictions_write(out, made->records, made->n);
    fclose(out);
    return text;
}

static void predictions__every_kind_of_record__one_row_each(void) {
    struct eval_made made;
    eval_made_init(&made, 10);
    eval_made_add(&made, 0, 0, 0.5);
    eval_made_fail(&made, 2, "is cut off");
    eval_made_add(&made, -1, 3, 0.25);
    struct eval_record *r = eval_made_add(&made, 4, 7, 0.5);
    r->labels = realloc(r->labels, 2 * sizeof(*r->labels));
    r->labels[1] = 7;
    r->n_labels = 2;
    free(r->path);
    r->path = strdup("a,\"b\".jpg");
    char *text = predictions_of(&made);
    CHECK_STR(text, "path,label,pred,correct,logit,prob,top5\n"
                    "0/000000.jpg,0,0,1,5,0.5,0 1 2 3 4\n"
                    "2/000001.jpg,2,,,,,\n"
                    "-1/000002.jpg,,3,,5,0.25,3 4 5 6 7\n"
                    "\"a,\"\"b\"\".jpg\",4 7,7,1,5,0.5,7 8 9 0 1\n");
    free(text);
    eval_made_finish(&made);
}

static void report__json__has_the_figures_and_no_clock(void) {
    struct eval_made made;
    struct eval_summary s;
    make_small(&made);
    summarise(&made, &s);
    const struct eval_evidence evidence = evidence_of(&made);
    json_t *root = eval_report_json(&evidence, &s);
    CHECK(near(json_real_value(json_object_get(root, "top1")), 0.5));
    CHECK(json_integer_value(json_object_get(root, "failed")) == 1);
    CHECK(json_array_size(json_object_get(root, "failures")) == 1);
    CHECK(json_array_size(json_object_get(root, "confused")) == 2);
    CHECK(!json_object_get(root, "seconds") && !json_object_get(root, "threads"));
    CHECK_STR(json_string_value(json_object_get(json_object_get(root, "recipe"), "resize")),
              "squash");
    json_decref(root);
    eval_summary_finish(&s);
    eval_made_finish(&made);
}

static void report__json__many_failures__first_thousand_and_all_counted(void) {
    struct eval_made made;
    struct eval_summary s;
    eval_made_init(&made, 10);
    for (int i = 0; i < 1234; i++) {
        eval_made_fail(&made, i % 10, "is cut off");
    }
    summarise(&made, &s);
    const struct eval_evidence evidence = evidence_of(&made);
    json_t *root = eval_report_json(&evidence, &s);
    json_t *failures = json_object_get(root, "failures");
    CHECK(json_integer_value(json_object_get(root, "failed")) == 1234);
    CHECK(json_array_size(failures) == 1000);
    CHECK_STR(json_string_value(json_object_get(json_array_get(failures, 999), "path")),
              "9/000999.jpg");
    json_decref(root);
    eval_summary_finish(&s);
    eval_made_finish(&made);
}

static void report__folder__has_the_files(void) {
    static const char *const files[] = {"out/report.json", "out/predictions.csv",
                                        "out/timings.json", "out/report.html"};
    struct fovea_error err;
    struct eval_made made;
    make_small(&made);
    struct eval_evidence evidence = evidence_of(&made);
    const struct eval_timings timings = {.seconds = 2, .images = 8};
    evidence.timings = &timings;
    CHECK_OK(eval_report_write(temp_path("out"), &evidence, &err), err);
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        CHECK(access(temp_path(files[i]), R_OK) == 0);
    }
    CHECK(eval_report_write(temp_path("none/out"), &evidence, &err) == FOVEA_ERR_IO);
    eval_made_finish(&made);
}

/* What jansson has no memory for is NULL; a list must not be there without it. */
static void json__a_part_is_missing__there_is_no_whole(void) {
    json_t *list = json_array(), *object = json_object();
    json_append(&list, json_count(1));
    json_set(&object, "one", json_count(1));
    CHECK(json_array_size(list) == 1 && json_object_size(object) == 1);
    json_append(&list, NULL);
    json_set(&object, "two", NULL);
    CHECK(!list && !object);
    json_append(&list, json_count(2));
    json_set(&object, "three", json_count(3));
    CHECK(!list && !object);
}

static const struct test tests[] = {
    TEST(summary__small_list__figures_by_hand),
    TEST(summary__several_labels__any_of_them_is_right),
    TEST(summary__class_out_of_range__is_refused),
    TEST(summary__no_records__no_numbers),
    TEST(calibration__bins__closed_above),
    TEST(calibration__two_bins__ece_and_nll_by_hand),
    TEST(predictions__every_kind_of_record__one_row_each),
    TEST(report__json__has_the_figures_and_no_clock),
    TEST(report__json__many_failures__first_thousand_and_all_counted),
    TEST(report__folder__has_the_files),
    TEST(json__a_part_is_missing__there_is_no_whole),
};

int main(int argc, char **argv) {
    return RUN_TESTS(tests, argc, argv);
}
