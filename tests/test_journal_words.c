/*
 * The words of a journal's lines: what has the right checksum, so that nothing
 * but another program's mistake, or malice, has written it, is read with the same care.
 */
#include "evaluation/journal.h"
#include "evaluation/journal_line.h"
#include "runtime/checksum.h"

#include "tests/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { IMAGES = 5, CLASSES = 7 };

/* Whether record 0, alone, is not believed with another word in it and the checksum right. */
static bool is_damaged_by(int at, const char *with) {
    struct fovea_error err;
    struct eval_collection c = {0};
    struct eval_journal_state state = {0};
    struct eval_text text = {0}, line = {0};
    const struct eval_description description = {.listed = IMAGES, .classes = CLASSES};
    struct eval_record r = {
        .path = "a b.jpg",
        .labels = (int32_t[]){6, 0},
        .n_labels = 2,
        .state = EVAL_OK,
        .file_bytes = 12,
        .log_sum_exp = 0.5,
        .label_logit = -1,
        .top = {{6, 2}, {5, 1}, {4, 0}, {3, -1}, {2, -2}},
        .n_top = EVAL_TOP,
    };
    char body[2048] = "", whole[8192];
    int word = 0;
    eval_line_add_header(&text, &description);
    eval_line_add_record(&line, 0, &r);
    line.bytes[line.size - 1] = '\0';
    for (char *w = strtok(line.bytes + 17, " "); w; w = strtok(NULL, " "), word++) {
        snprintf(body + strlen(body), sizeof(body) - strlen(body), "%s%s", word > 0 ? " " : "",
                 word == at ? with : w);
    }
    int size = snprintf(whole, sizeof(whole), "%.*s%016llx %s\n", (int)text.size, text.bytes,
                        (unsigned long long)fovea_checksum(body, strlen(body)), body);
    CHECK_OK(eval_collection_add(&c, whole, (size_t)size, &state, &err), err);
    bool damaged = state.torn > 0; /* the last line: it may be half of one */
    CHECK(eval_collection_missing(&c, NULL) == (size_t)IMAGES - !damaged && state.damaged == 0);
    eval_collection_finish(&c);
    eval_text_finish(&text);
    eval_text_finish(&line);
    return damaged;
}

/* R number state path labels bytes sha message log-sum-exp logit sha class:logit... */
static void journal__right_checksums_over_wrong_words__are_not_believed(void) {
    static const struct {
        int at;
        const char *with;
    } wrong[] = {
        {1, "x"},
        {1, "-1"},
        {1, "5"},
        {1, "18446744073709551616"},
        {1, "18446744073709551615"},
        {1, ":"},
        {8, "inf"},
        {9, "x"},
        {11, "6:inf"},
        {11, "6:"},
        {11, "x:1"},
        {5, ":"},
        {2, "done"},
        {3, "%2"},
        {3, "%2g"},
        {3, "%g2"},
        {3, "a%"},
        {3, "%00"},
        {4, "1,,2"},
        {4, "x"},
        {4, "1x"},
        {5, "12x"},
        {5, "-12"},
        {6, "ab"},
        {7, "%4"},
        {8, "x"},
        {8, "1.5x"},
        {9, "1.5x"},
        {10, "zz"},
        {11, "6"},
        {11, ":1"},
        {11, "7:1"},
        {11, "-1:1"},
        {11, "6:nan"},
        {11, "6:1x"},
        {15, "2:1 1:1"},
    };
    CHECK(!is_damaged_by(-1, ""));
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        if (!is_damaged_by(wrong[i].at, wrong[i].with)) {
            check_failed(__FILE__, __LINE__, "refused", wrong[i].with);
        }
    }
    CHECK(is_damaged_by(10, "Gaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
}

/* Lines of other kinds than records, word by word. */
static bool takes(enum eval_line_kind kind, const char *words, struct eval_description *d) {
    char text[200];
    struct eval_line line = {kind, text, false};
    struct eval_journal_run run;
    size_t count;
    snprintf(text, sizeof(text), "%s", words);
    switch (kind) {
    case EVAL_LINE_DESCRIPTION:
        return eval_line_get_description(&line, d);
    case EVAL_LINE_NAME:
        return eval_line_get_name(&line, d);
    case EVAL_LINE_HEADER_END:
        return eval_line_get_count(&line, &count);
    case EVAL_LINE_TIME:
        return eval_line_get_run(&line, &run);
    case EVAL_LINE_RECORD:
        break;
    }
    return false;
}

static void journal__lines_that_are_no_records__take_just_their_words(void) {
    static const struct {
        enum eval_line_kind kind;
        bool good;
        const char *words;
    } rows[] = {
        {'D', true, "model a%20b"},
        {'D', true, "classes 7"},
        {'D', false, "model"},
        {'D', false, "model %2"},
        {'D', false, "classes"},
        {'D', false, "classes x"},
        {'D', false, "classes 18446744073709551615"},
        {'D', false, "colour red"},
        {'H', true, "3"},
        {'H', false, "3 4"},
        {'H', false, "18446744073709551615"},
        {'H', false, ":"},
        {'T', true, "1 0.5 3"},
        {'T', false, "1 0.5 3 4"},
        {'T', false, "1 0.5"},
        {'T', false, "1"},
        {'T', false, "x 0.5 3"},
        {'T', false, "1 nan 3"},
        {'T', false, "1 inf 3"},
        {'T', false, "1 -1 3"},
        {'T', false, "1 x 3"},
        {'T', false, "1 0.5 x"},
        {'N', false, "7 a"},
        {'N', false, "x a"},
        {'N', false, "1 %2g"},
        {'N', false, "1"},
        {'N', true, "1 cat"},
    };
    struct eval_description d = {.classes = CLASSES};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (takes(rows[i].kind, rows[i].words, &d) != rows[i].good) {
            check_failed(__FILE__, __LINE__, rows[i].good ? "taken" : "refused", rows[i].words);
        }
    }
    CHECK(!takes(EVAL_LINE_DESCRIPTION, "model x", &d)); /* names are there already */
    CHECK_STR(d.names[1], "cat");
    eval_description_finish(&d);
    d = (struct eval_description){.classes = 0};
    CHECK(!takes(EVAL_LINE_NAME, "0 cat", &d));
    d.classes = INT32_MAX;
    CHECK(!takes(EVAL_LINE_NAME, "0 cat", &d));
}

/* A record that ends too early, wherever that is. */
static void journal__record_cut_after_any_word__is_not_taken(void) {
    char sha[65], whole[400], text[400];
    memset(sha, 'a', 64);
    sha[64] = 0;
    snprintf(whole, sizeof(whole), "4 ok a 1,2 12 %s %% 0.5 1.5 %s 1:1.5", sha, sha);
    for (size_t i = 0; i <= strlen(whole); i++) {
        struct eval_line line = {EVAL_LINE_RECORD, text, false};
        struct eval_record r;
        size_t index;
        if (whole[i] != ' ' && whole[i] != 0) {
            continue;
        }
        snprintf(text, sizeof(text), "%.*s", (int)i, whole);
        bool taken = eval_line_get_record(&line, CLASSES, &index, &r);
        CHECK(taken == !whole[i]);
        if (taken) {
            CHECK(index == 4 && r.n_top == 1 && r.n_labels == 2);
            eval_record_finish(&r);
        }
    }
}

/* A header, and lines of these bodies after it, the checksums right. */
static enum fovea_status read_with(const char *const *bodies, size_t n, bool headed,
                                   struct eval_collection *c, struct eval_journal_state *state,
                                   struct fovea_error *err) {
    const struct eval_description description = {.listed = IMAGES, .classes = CLASSES};
    struct eval_text text = {0};
    char whole[16384];
    int size;
    eval_line_add_header(&text, &description);
    size = headed ? snprintf(whole, sizeof(whole), "%.*s", (int)text.size, text.bytes)
                  : snprintf(whole, sizeof(whole), EVAL_JOURNAL_MAGIC);
    for (size_t i = 0; i < n; i++) {
        size +=
            snprintf(whole + size, sizeof(whole) - (size_t)size, "%016llx %s\n",
                     (unsigned long long)fovea_checksum(bodies[i], strlen(bodies[i])), bodies[i]);
    }
    eval_text_finish(&text);
    return eval_collection_add(c, whole, (size_t)size, state, err);
}

#define SHA "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

#define OTHER "baaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

/* A line is CHECKSUM KIND WORDS, a space between: of each part, what a checksum does not tell. */
static void journal__lines_cut_or_joined__are_none(void) {
    static const char *const bodies[] = {"R 1", "R", "R_1", "Q 1", "R 1\0"};
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        for (int joined = 0; joined < 2; joined++) {
            struct eval_line line;
            char text[64];
            size_t length = strlen(bodies[i]) + (i == 4);
            int head =
                snprintf(text, sizeof(text), "%016llx%c",
                         (unsigned long long)fovea_checksum(bodies[i], length), joined ? '_' : ' ');
            memcpy(text + head, bodies[i], length);
            CHECK(eval_line_parse(text, (size_t)head + length, &line) == (i == 0 && !joined));
            CHECK(i > 0 || joined || (line.kind == EVAL_LINE_RECORD && *line.rest == '1'));
        }
    }
}

/* Of an image, there are never a million labels: no line has memory for them. */
static void journal__record_with_a_million_labels__is_not_taken(void) {
    enum { MANY = 1 << 20, END = 80 };
    char *text = malloc(2 * MANY + 2 * END);
    struct eval_record r;
    size_t index;
    for (int more = 0; text && more < 2; more++) {
        char *to = text + snprintf(text, END, "0 failed a 1");
        for (int i = more; i < MANY; i++, to += 2) {
            memcpy(to, ",1", 2);
        }
        snprintf(to, END, " 1 " SHA " why");
        struct eval_line line = {EVAL_LINE_RECORD, text, false};
        bool taken = eval_line_get_record(&line, CLASSES, &index, &r);
        CHECK(taken == (more == 1));
        if (taken) {
            CHECK(r.n_labels == MANY);
            eval_record_finish(&r);
        }
    }
    CHECK(text != NULL);
    free(text);
}

/* Lines where their kind has no place: those after the header are as damaged ones. */
static void journal__lines_out_of_place__are_not_believed(void) {
    static const char *const before[] = {"R 0 failed a - 1 " SHA " why",
                                         "T 1 0.5 1",
                                         "H 9",
                                         "H x",
                                         "D x",
                                         "N 0 cat",
                                         "Q 1",
                                         "R0 1",
                                         "DNH"};
    static const char *const after[] = {
        "D model x", "T 2 0.5 1", "N 0 cat", "T 3 1 2", "H 3",
        "T 2 1 2",   "T 3 2 3",   "T x 2 3", "T 4 9 4", "R 9 failed a - 1 " SHA " why",
        "T 5 9 4"};
    struct eval_journal_state state;
    struct fovea_error err;
    struct eval_collection c = {0};
    for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
        CHECK(read_with(&before[i], 1, false, &c, &state, &err) == FOVEA_ERR_FORMAT);
        CHECK(strstr(err.message, "line 2, in its header, is damaged") != NULL);
        eval_collection_finish(&c);
    }
    CHECK_OK(read_with(after, sizeof(after) / sizeof(after[0]), true, &c, &state, &err), err);
    CHECK(state.damaged == 6 && state.n_runs == 5 && c.images == 1 + 3 + 4 + 4);
    CHECK(eval_collection_missing(&c, NULL) == IMAGES);
    eval_collection_finish(&c);
}

/* Two answers for one image must be of the same bytes and logits; a failure gives way to one. */
static void journal__two_answers_for_an_image__must_agree(void) {
    static const struct {
        const char *lines[2];
        enum fovea_status status;
    } rows[] = {
        {{"R 0 ok a 1 2 " SHA " % 0.5 1 " SHA " 1:1", "R 0 ok a 1 2 " SHA " % 0.5 1 " SHA " 1:1"},
         FOVEA_OK},
        {{"R 0 failed a 1 2 " SHA " why", "R 0 ok a 1 2 " SHA " % 0.5 1 " SHA " 1:1"}, FOVEA_OK},
        {{"R 0 ok a 1 2 " SHA " % 0.5 1 " SHA " 1:1", "R 0 failed a 1 2 " SHA " why"}, FOVEA_OK},
        {{"R 0 ok a 1 2 " SHA " % 0.5 1 " SHA " 1:1", "R 0 ok a 1 2 " OTHER " % 0.5 1 " SHA " 1:1"},
         FOVEA_ERR_INVALID},
        {{"R 0 ok a 1 2 " SHA " % 0.5 1 " SHA " 1:1", "R 0 ok a 1 2 " SHA " % 0.5 1 " OTHER " 1:1"},
         FOVEA_ERR_INVALID},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct eval_journal_state state;
        struct fovea_error err = {.message = ""};
        struct eval_collection c = {0};
        CHECK(read_with(rows[i].lines, 2, true, &c, &state, &err) == rows[i].status);
        CHECK(!rows[i].status || strstr(err.message, "image 0, 'a', has an answer that differs"));
        CHECK(eval_collection_missing(&c, NULL) == IMAGES - 1 && c.records[0].state == EVAL_OK);
        eval_collection_finish(&c);
    }
}

int main(int argc, char **argv) {
    static const struct test tests[] = {
        TEST(journal__right_checksums_over_wrong_words__are_not_believed),
        TEST(journal__lines_that_are_no_records__take_just_their_words),
        TEST(journal__record_cut_after_any_word__is_not_taken),
        TEST(journal__lines_cut_or_joined__are_none),
        TEST(journal__record_with_a_million_labels__is_not_taken),
        TEST(journal__lines_out_of_place__are_not_believed),
        TEST(journal__two_answers_for_an_image__must_agree),
    };
    return RUN_TESTS(tests, argc, argv);
}
