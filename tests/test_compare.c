/* Prediction files read back, and two evaluations of the same images compared. */
#include "evaluation/compare.h"
#include "evaluation/report.h"

#include "tests/check.h"
#include "tests/eval_records.h"
#include "tests/temp_dir.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct eval_predictions load_text(const char *name, const char *text) {
    struct fovea_error err;
    struct eval_predictions p = {0};
    CHECK_OK(eval_predictions_load(temp_write(name, text, strlen(text)), &p, &err), err);
    return p;
}

static void predictions__report_csv__comes_back(void) {
    struct fovea_error err;
    struct eval_made made;
    eval_made_init(&made, 10);
    eval_made_add(&made, 3, 3, 0.9);
    eval_made_add(&made, 3, 4, 0.9);
    eval_made_fail(&made, 5, "is cut off");
    eval_made_add(&made, -1, 4, 0.9);
    FILE *out = fopen(temp_path("predictions.csv"), "w");
    eval_predictions_write(out, made.records, made.n);
    fclose(out);
    struct eval_predictions p = {0};
    CHECK_OK(eval_predictions_load(temp_dir(), &p, &err), err); /* the folder */
    CHECK(p.n == 4);
    /* sorted: "-1/..." is first */
    CHECK(p.rows[0].answered && !p.rows[0].scored && p.rows[0].pred == 4 && p.rows[0].label == -1);
    CHECK(p.rows[1].answered && p.rows[1].scored && p.rows[1].right && p.rows[1].label == 3);
    CHECK(p.rows[2].answered && p.rows[2].scored && !p.rows[2].right);
    CHECK(!p.rows[3].answered && !p.rows[3].scored && p.rows[3].label == 5);
    eval_predictions_finish(&p);
    eval_made_finish(&made);
}

static void predictions__other_columns_and_quotes__are_understood(void) {
    struct eval_predictions p = load_text("other.csv", "\xef\xbb\xbfpred,x,path,label\r\n"
                                                       "7,1.5,\"a,\"\"b\"\"\nc.jpg\",3 7\r\n"
                                                       "2,,b.jpg,3");
    CHECK(p.n == 2);
    CHECK_STR(p.rows[0].path, "a,\"b\"\nc.jpg");
    CHECK(p.rows[0].right && p.rows[0].label == 3 && p.rows[0].pred == 7);
    CHECK(p.rows[1].scored && !p.rows[1].right);
    eval_predictions_finish(&p);
}

static void check_refused(const char *text, const char *words) {
    struct fovea_error err;
    struct eval_predictions p;
    const char *path = temp_write("bad.csv", text, strlen(text));
    CHECK(eval_predictions_load(path, &p, &err) == FOVEA_ERR_FORMAT);
    if (!strstr(err.message, words)) {
        CHECK_STR(err.message, words);
    }
}

static void predictions__broken_files__name_the_line(void) {
    check_refused("", "line 1 does not name the columns path");
    check_refused("path,label\na,1\n", "line 1 does not name the columns path");
    check_refused("path,correct\n", "has no predictions");
    check_refused("path,correct\na,1\nb,1,2\n", "line 3 has 3 fields, the head has 2");
    check_refused("path,correct\na,2\n", "line 2 has a correct that is neither 0 nor 1");
    check_refused("path,label,pred\na,1,x\n", "line 2 has a pred that is no class");
    check_refused("path,label,pred\na,one,1\n", "line 2 has a label that is no class");
    check_refused("path,label,pred\na,1,99999999999\n", "line 2 has a pred that is no class");
    check_refused("path,label,pred\na,-1,1\n", "line 2 has a label that is no class");
    check_refused("path,label,pred\na,1x,1\n", "line 2 has a label that is no class");
    check_refused("path,label,pred\na,1,-1\n", "line 2 has a pred that is no class");
    check_refused("path,label,pred\na,1,1x\n", "line 2 has a pred that is no class");
    check_refused("path,label,pred\na,1,99999999999999999999\n",
                  "line 2 has a pred that is no class");
    check_refused("path,correct\n\"a,1\n", "line 2 has a broken field");
    check_refused("path,correct\n\"a\"b,1\n", "line 2 has a broken field");
}

/* Labels are numbers between spaces; what is none among them is passed over. */
static void predictions__labels_with_odd_words__the_others_count(void) {
    struct eval_predictions p = load_text("odd.csv", "path,label,pred\na,3 x 7,7\nb,3 -7,7\n");
    CHECK(p.n == 2 && p.rows[0].right && !p.rows[1].right);
    eval_predictions_finish(&p);
    static char many[40000] = "path,correct\n";
    for (int i = 0; i < 3000; i++) {
        snprintf(many + strlen(many), 12, "%04d,1\n", i);
    }
    p = load_text("many.csv", many);
    CHECK(p.n == 3000);
    eval_predictions_finish(&p);
    struct fovea_error err;
    CHECK(eval_predictions_load(temp_write("nul.csv", "path,correct\na\0,1\n", 18), &p, &err) ==
          FOVEA_ERR_FORMAT);
}

static void predictions__not_there__is_said(void) {
    struct fovea_error err;
    struct eval_predictions p;
    CHECK(eval_predictions_load(temp_path("none.csv"), &p, &err) == FOVEA_ERR_IO);
    CHECK(strstr(err.message, "none.csv") != NULL);
}

/*
 * Of six common images two flip, one is not answered, one has no label; x is in
 * A twice and in B once.
 */
static void compare__small_files__counts_by_hand(void) {
    struct fovea_error err;
    struct eval_comparison c;
    struct eval_predictions a = load_text("a.csv", "path,label,pred\n"
                                                   "both,0,0\nlost,1,1\ngained,1,0\nneither,2,0\n"
                                                   "failed,3,3\nfree,,3\nx,4,4\nx,4,4\nonly,1,1\n");
    struct eval_predictions b = load_text("b.csv", "path,label,pred\n"
                                                   "x,4,4\nother,0,0\nfree,,3\nfailed,3,\n"
                                                   "neither,2,1\ngained,1,1\nlost,1,2\nboth,0,0\n");
    CHECK_OK(eval_compare(&a, &b, &c, &err), err);
    CHECK(c.images == 5);
    CHECK(c.counts.both == 2 && c.counts.only_a == 1 && c.counts.only_b == 1);
    CHECK(c.counts.neither == 1 && c.other_answers == 1);
    CHECK(c.only_in_a == 2 && c.only_in_b == 1);
    CHECK(c.no_answer_a == 0 && c.no_answer_b == 1 && c.not_scored == 1 && c.relabelled == 0);
    CHECK(c.n_flips == 2 && strcmp(c.flips[0].a->path, "lost") == 0 && !c.flips[0].gained);
    CHECK(c.flips[1].gained);
    CHECK(c.n_classes == 1 && c.classes[0].class_index == 1 && c.classes[0].images == 2);
    CHECK(c.classes[0].gained == 1 && c.classes[0].lost == 1);
    CHECK(c.difference == 0 && c.p == 1);
    eval_comparison_finish(&c);
    eval_predictions_finish(&a);
    eval_predictions_finish(&b);
}

static void compare__nothing_in_common__is_refused(void) {
    struct fovea_error err;
    struct eval_comparison c;
    struct eval_predictions a = load_text("a.csv", "path,correct\na,1\nb,1\n");
    struct eval_predictions b = load_text("b.csv", "path,correct\nc,1\n");
    struct eval_predictions d = load_text("d.csv", "path,correct\na,\n");
    CHECK(eval_compare(&a, &b, &c, &err) == FOVEA_ERR_INVALID);
    CHECK_STR(err.message, "of 2 and 1 images no path is in both: are they of one list?");
    CHECK(eval_compare(&a, &d, &c, &err) == FOVEA_ERR_INVALID);
    CHECK(strstr(err.message, "no image has an answer and a label in both") != NULL);
    eval_predictions_finish(&a);
    eval_predictions_finish(&b);
    eval_predictions_finish(&d);
}

/* One in a thousand is 0.1 points: not worse by more than 0.1. */
static void is_worse__exactly_at_the_limit__is_not(void) {
    struct eval_comparison c = {.images = 1000, .counts = {900, 1, 0, 99}};
    CHECK(!eval_is_worse(&c, 0.1));
    CHECK(eval_is_worse(&c, 0.0999) && eval_is_worse(&c, 0));
    c.counts.only_a = 2;
    CHECK(eval_is_worse(&c, 0.1));
    c.counts.only_b = 2;
    CHECK(!eval_is_worse(&c, 0));
    c.counts.only_b = 20;
    CHECK(!eval_is_worse(&c, 0));
}

static const struct test tests[] = {
    TEST(predictions__report_csv__comes_back),
    TEST(predictions__other_columns_and_quotes__are_understood),
    TEST(predictions__broken_files__name_the_line),
    TEST(predictions__labels_with_odd_words__the_others_count),
    TEST(predictions__not_there__is_said),
    TEST(compare__small_files__counts_by_hand),
    TEST(compare__nothing_in_common__is_refused),
    TEST(is_worse__exactly_at_the_limit__is_not),
};

int main(int argc, char **argv) {
    return RUN_TESTS(tests, argc, argv);
}
