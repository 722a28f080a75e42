/* Names of classes, from lines and from JSON: what is taken, what holds none. */
#include "loaders/labels.h"
#include "runtime/limits.h"
#include "tests/check.h"

#include <stdio.h>
#include <string.h>

/* Texts, and how many names there are; 0: it is refused. */
static void labels__of_many_texts__count(void) {
    static const struct {
        const char *text;
        size_t count;
    } rows[] = {
        {"", 0},
        {"a\nb\n", 2},
        {"a\r\nb", 2},
        {"\xef\xbb\xbf", 0},
        {"\xef\xbb\xbf[\"a\"]", 1},
        {"\xef\xbbx", 1},
        {"[]", 0},
        {"[\"a\", 3]", 0},
        {"[\"a\", null]", 0},
        {"[null]", 0},
        {"{\"0\": \"a\", \"2\": \"c\"}", 3},
        {"{\"0\": \"LABEL_0\", \"1\": \"LABEL_1\"}", 0},
        {"{\"0\": \"LABEL_0\", \"1\": \"cat\"}", 2},
        {"{\"0\": 3}", 0},
        {"{\"x\": \"a\"}", 0},
        {"{\"\": \"a\"}", 0},
        {"{\"1x\": \"a\"}", 0},
        {"{\"-1\": \"a\"}", 0},
        {"{\"-18446744073709551615\": \"a\"}", 0}, /* modulo 2^64, that is 1 */
        {"{\" 1\": \"a\"}", 0},
        {"{\"99999999\": \"a\"}", 0},
        {"{\"99999999999999999999\": \"a\"}", 0},
        {"{}", 0},
        {"3", 1}, /* JSON texts are lists and objects only: a line */
        {"\"a\"", 1},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fovea_labels labels = {0};
        struct fovea_error err = {.message = ""};
        enum fovea_status st =
            fovea_labels_parse(rows[i].text, strlen(rows[i].text), "x", &labels, &err);
        if (labels.count != rows[i].count || !st != (rows[i].count > 0) ||
            (st && strstr(err.message, "x: holds no labels") != err.message)) {
            check_failed(__FILE__, __LINE__, rows[i].text, err.message);
        }
        fovea_labels_finish(&labels);
    }
}

static void labels__looked_up__by_index_and_by_name(void) {
    static const char text[] = "{\"0\": \"a\", \"2\": \"b\", \"3\": \"a\"}";
    struct fovea_labels labels = {0};
    struct fovea_error err;
    CHECK_OK(fovea_labels_parse(text, strlen(text), "x", &labels, &err), err);
    CHECK_STR(fovea_labels_get(&labels, 2), "b");
    CHECK(!fovea_labels_get(&labels, 1) && !fovea_labels_get(&labels, -1));
    CHECK(!fovea_labels_get(&labels, 4));
    CHECK(fovea_labels_find(&labels, "b") == 2);
    CHECK(fovea_labels_find(&labels, "a") == -1 && fovea_labels_find(&labels, "c") == -1);
    fovea_labels_finish(&labels);
}

int main(int argc, char **argv) {
    static const struct test tests[] = {
        TEST(labels__of_many_texts__count),
        TEST(labels__looked_up__by_index_and_by_name),
    };
    return RUN_TESTS(tests, argc, argv);
}
