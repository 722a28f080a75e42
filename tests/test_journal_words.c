/*
 * The words of a journal's lines: what has the right checksum, so that nothing
 * but another program's mistake, or malice, has written it, is read with the same care.
 */
#include "evaluation/journal.h"
#include "evaluation/journal_line.h"
#include "runtime/checksum.h"

#include "tests/check.h"

#include <stdio.h>
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
        {1, "x"},     {1, "-1"},       {1, "5"},     {1, "18446744073709551616"},
        {2, "done"},  {3, "%2"},       {3, "%2g"},   {3, "%00"},
        {4, "1,,2"},  {4, "x"},        {4, "1x"},    {5, "12x"},
        {5, "-12"},   {6, "ab"},       {7, "%4"},    {8, "x"},
        {8, "1.5x"},  {9, "1.5x"},     {10, "zz"},   {11, "6"},
        {11, ":1"},   {11, "7:1"},     {11, "-1:1"}, {11, "6:nan"},
        {11, "6:1x"}, {15, "2:1 1:1"},
    };
    CHECK(!is_damaged_by(-1, ""));
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        if (!is_damaged_by(wrong[i].at, wrong[i].with)) {
            check_failed(__FILE__, __LINE__, "refused", wrong[i].with);
        }
    }
    CHECK(is_damaged_by(10, "Gaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
}

int main(int argc, char **argv) {
    static const struct test tests[] = {
        TEST(journal__right_checksums_over_wrong_words__are_not_believed),
    };
    return RUN_TESTS(tests, argc, argv);
}
