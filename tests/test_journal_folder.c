/*
 * Journals of a folder, and what is said of the images that none of them has.
 */
#include "evaluation/journal.h"
#include "evaluation/journal_line.h"
#include "evaluation/journal_read.h"

#include "tests/check.h"
#include "tests/eval_records.h"
#include "tests/temp_dir.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static struct fovea_error err;

/* "journal", "journal.N" and nothing that only begins alike, in the order of the numbers. */
static void journals__in_a_folder__by_their_names(void) {
    static const char *const names[] = {"journal.10", "journals", "journal.2", "journal",
                                        "journa",     "a",        "journal2",  "report.json"};
    static const char *const wanted[] = {"journal", "journal.2", "journal.10"};
    char **paths, folder[600], path[700];
    size_t count = 0;
    snprintf(folder, sizeof(folder), "%s", temp_path("folder"));
    mkdir(folder, 0777);
    CHECK_OK(eval_journals_find(folder, &paths, &count, &err), err);
    CHECK(count == 0);
    eval_journals_free(paths, count);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(path, sizeof(path), "folder/%s", names[i]);
        temp_write(path, "", 0);
    }
    CHECK_OK(eval_journals_find(folder, &paths, &count, &err), err);
    CHECK(count == 3);
    for (size_t i = 0; i < count && i < 3; i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, wanted[i]);
        CHECK_STR(paths[i], path);
    }
    eval_journals_free(paths, count);
}

/* Before the first run there is no folder; what is there and is none is told. */
static void journals__no_folder__none_and_a_file__an_error(void) {
    char **paths = NULL;
    size_t count = 1;
    CHECK_OK(eval_journals_find(temp_path("nowhere"), &paths, &count, &err), err);
    CHECK(count == 0 && paths);
    eval_journals_free(paths, count);
    paths = NULL;
    CHECK(eval_journals_find(temp_write("file", "", 0), &paths, &count, &err) == FOVEA_ERR_IO);
    CHECK(strstr(err.message, "file: cannot be listed: Not a directory") && !paths);
}

/* A collection of a journal of `listed` images, with records of failures `first` and `second`. */
static void collect(size_t listed, size_t first, size_t second, struct eval_collection *c) {
    const struct eval_description description = {.listed = listed, .classes = 7};
    struct eval_record r = {.path = "a.jpg", .state = EVAL_FAILED, .message = "why"};
    struct eval_journal_state state;
    struct eval_text text = {0};
    eval_line_add_header(&text, &description);
    eval_line_add_record(&text, first, &r);
    eval_line_add_record(&text, second, &r);
    CHECK_OK(eval_collection_add(c, text.bytes, text.size, &state, &err), err);
    eval_text_finish(&text);
}

static void missing__counted__and_the_first_named(void) {
    struct eval_collection c = {0};
    size_t first = 99;
    collect(5, 0, 2, &c);
    CHECK(eval_collection_missing(&c, &first) == 3 && first == 1);
    CHECK(eval_collection_missing(&c, NULL) == 3);
    eval_collection_finish(&c);
    first = 99;
    collect(2, 0, 1, &c);
    CHECK(eval_collection_missing(&c, &first) == 0 && first == 99);
    eval_collection_finish(&c);
}

/* A list without images is whole from the first; room for a journal is bounded by its bytes. */
static void collection__of_a_list_of_none_or_too_many__whole_or_refused(void) {
    struct eval_collection c = {0};
    struct eval_made made;
    eval_made_init(&made, 7);
    made.description.options = strdup("");
    CHECK_OK(eval_collection_expect(&c, &made.description, &err), err);
    CHECK(c.described && c.n_records == 0 && eval_collection_missing(&c, NULL) == 0);
    eval_collection_finish(&c);
    made.description.listed = 3;
    eval_collection_bound(&c, 300);
    CHECK_OK(eval_collection_expect(&c, &made.description, &err), err);
    eval_collection_finish(&c);
    eval_collection_bound(&c, 299);
    CHECK(eval_collection_expect(&c, &made.description, &err) == FOVEA_ERR_LIMIT);
    CHECK(strstr(err.message, "of a list of 3 images, of which there can be records of 2 at most"));
    eval_collection_finish(&c);
    eval_made_finish(&made);
}

int main(int argc, char **argv) {
    static const struct test tests[] = {
        TEST(journals__in_a_folder__by_their_names),
        TEST(journals__no_folder__none_and_a_file__an_error),
        TEST(missing__counted__and_the_first_named),
        TEST(collection__of_a_list_of_none_or_too_many__whole_or_refused),
    };
    return RUN_TESTS(tests, argc, argv);
}
