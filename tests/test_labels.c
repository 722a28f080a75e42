/*
 * Names of classes, from lines, JSON and models: what is taken, what holds none. Maps from one
 * set of classes to another, and lists of right classes.
 */
#include "loaders/compiled.h"
#include "loaders/json_label_lists.h"
#include "loaders/label_map.h"
#include "loaders/labels.h"
#include "runtime/limits.h"
#include "runtime/model.h"
#include "tests/check.h"
#include "tests/temp_dir.h"

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
        {"[\"a\", null]", 2}, /* a class without a name */
        {"[null]", 0},
        {"{\"0\": \"a\", \"2\": \"c\"}", 3},
        {"{\"0\": \"LABEL_0\", \"1\": \"LABEL_1\"}", 0},
        {"{\"0\": \"LABEL_0\", \"1\": \"cat\"}", 2},
        {"{\"0\": 3}", 0},
        {"{\"2\": \"c\", \"0\": \"a\"}", 3},
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

static void labels__a_class_named_twice__refused_by_its_number(void) {
    static const char text[] = "{\"0\": \"c\", \"1\": \"a\", \"01\": \"b\"}";
    struct fovea_labels labels = {0};
    struct fovea_error err;
    CHECK(fovea_labels_parse(text, strlen(text), "x", &labels, &err) == FOVEA_ERR_INVALID);
    CHECK_STR(err.message, "x: class 1 is named twice");
    CHECK(labels.count == 0);
}

static void labels__looked_up__by_index_and_by_name(void) {
    static const char *const texts[] = {"{\"0\": \"a\", \"2\": \"b\", \"3\": \"a\"}",
                                        "[\"a\", null, \"b\", \"a\"]"}; /* as convert writes it */
    for (int i = 0; i < 2; i++) {
        struct fovea_labels labels = {0};
        struct fovea_error err;
        CHECK_OK(fovea_labels_parse(texts[i], strlen(texts[i]), "x", &labels, &err), err);
        CHECK_STR(fovea_labels_get(&labels, 2), "b");
        CHECK(!fovea_labels_get(&labels, 1) && !fovea_labels_get(&labels, -1));
        CHECK(!fovea_labels_get(&labels, 4));
        CHECK(fovea_labels_find(&labels, "b") == 2);
        CHECK(fovea_labels_find(&labels, "a") == -1 && fovea_labels_find(&labels, "c") == -1);
        fovea_labels_finish(&labels);
    }
}

/* Of one model, by what its metadata has under a key. */
static void labels__of_a_model__from_the_first_place_that_has_some(void) {
    static const struct {
        const char *key, *value;
        const char *name, *source; /* of class 0 */
    } rows[] = {
        {"labels", "[\"cat\"]", "cat", "the model's metadata"},
        {"classes", "{\"0\": \"dog\"}", "dog", "the model's metadata"},
        {"names", "cat", NULL, ""}, /* JSON only */
        {FOVEA_CONFIG_KEY, "{\"label_names\": [\"emu\"], \"id2label\": {\"0\": \"x\"}}", "emu",
         "config.json"},
        {FOVEA_CONFIG_KEY, "{\"pretrained_cfg\": {\"label_names\": [\"fox\"]}}", "fox",
         "config.json"},
        {FOVEA_CONFIG_KEY, "{\"label_names\": [], \"id2label\": {\"0\": \"gnu\"}}", "gnu",
         "config.json"},
        {FOVEA_CONFIG_KEY, "{}", NULL, ""},
        {FOVEA_CONFIG_KEY, "not JSON", NULL, ""},
        {"other", "[\"cat\"]", NULL, ""},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fovea_metadata metadata = {rows[i].key, rows[i].value};
        const struct fovea_model model = {
            .path = "a model", .placeless = true, .metadata = &metadata, .n_metadata = 1};
        struct fovea_labels labels;
        struct fovea_error err;
        CHECK_OK(fovea_labels_load(&model, NULL, &labels, &err), err);
        const char *name = fovea_labels_get(&labels, 0);
        CHECK(labels.count == (rows[i].name ? 1 : 0) && !name == !rows[i].name);
        CHECK_STR(name ? name : "", rows[i].name ? rows[i].name : "");
        CHECK_STR(labels.source, rows[i].source);
        fovea_labels_finish(&labels);
    }
}

/* A model of a file: what is beside it is looked at, and what cannot be read is as good as none. */
static void labels__of_a_model_in_a_file__from_beside_it(void) {
    static const struct {
        const char *text; /* of config.json; NULL: there is none */
        size_t count;
    } rows[] = {{NULL, 0}, {"{\"id2label\": {\"0\": \"cat\", \"1\": \"dog\"}}", 2}, {"{", 0}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fovea_labels labels;
        struct fovea_error err;
        const struct fovea_model model = {.path = temp_path("x.onnx")};
        if (rows[i].text) {
            temp_write("config.json", rows[i].text, strlen(rows[i].text));
        }
        CHECK_OK(fovea_labels_of_model(&model, &labels, &err), err);
        CHECK(labels.count == rows[i].count);
        fovea_labels_finish(&labels);
    }
}

/* ---- maps and lists ----------------------------------------------------------------------- */

static enum fovea_status load_map(const char *text, struct fovea_label_map *map,
                                  struct fovea_error *err) {
    return fovea_label_map_load(temp_write("map", text, strlen(text)), map, err);
}

static void label_map__pairs_or_words__looked_up(void) {
    struct fovea_label_map map;
    struct fovea_error err;
    CHECK_OK(load_map("n02 2\nn01, 1\n\nbig cat\t3\nn00 0\n", &map, &err), err);
    CHECK(map.count == 4);
    CHECK_STR(fovea_label_map_get(&map, "n01"), "1");
    CHECK_STR(fovea_label_map_get(&map, "big cat"), "3");
    CHECK_STR(fovea_label_map_get(&map, "n00"), "0");
    CHECK(!fovea_label_map_get(&map, "a") && !fovea_label_map_get(&map, "n03"));
    fovea_label_map_finish(&map);
    CHECK_OK(load_map("7\n5\n", &map, &err), err); /* of class 0, of class 1 */
    CHECK_STR(fovea_label_map_get(&map, "1"), "5");
    fovea_label_map_finish(&map);
}

static void label_map__broken__is_refused_in_words(void) {
    static const struct {
        const char *text, *words;
        enum fovea_status status;
    } rows[] = {
        {"", "maps no class: a line is 'FROM TO'", FOVEA_ERR_FORMAT},
        {"a 1\nb\n", "line 2 does not have two classes, as the first line has", FOVEA_ERR_FORMAT},
        {"a\nb 1\n", "line 2 does not have one word, as the first line has", FOVEA_ERR_FORMAT},
        {"a,\n", "line 1 does not have two classes", FOVEA_ERR_FORMAT},
        {"a 1\nb 2\na 3\n", "class 'a' is mapped twice", FOVEA_ERR_INVALID},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fovea_label_map map;
        struct fovea_error err = {.message = ""};
        CHECK(load_map(rows[i].text, &map, &err) == rows[i].status);
        if (!strstr(err.message, rows[i].words)) {
            check_failed(__FILE__, __LINE__, rows[i].words, err.message);
        }
    }
}

static void label_lists__of_ten_classes__taken_or_refused(void) {
    static const struct {
        const char *text, *words; /* NULL: it is taken */
    } rows[] = {
        {"[[0, 9], []]", NULL},
        {"[]", NULL},
        {"{}", "is not a JSON list of lists of labels"},
        {"[[0], {}]", "entry 1 is not a list of labels"},
        {"[[0], [1, 10]]", "entry 1: label 1 is no whole number in 0..9"},
        {"[[0], [\"1\"]]", "entry 1: label 0 is no whole number in 0..9"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fovea_label_lists lists = {0};
        struct fovea_error err = {.message = ""};
        const char *path = temp_write("lists", rows[i].text, strlen(rows[i].text));
        enum fovea_status st = fovea_label_lists_load(path, 10, &lists, &err);
        CHECK(st == (rows[i].words ? FOVEA_ERR_FORMAT : FOVEA_OK));
        if (rows[i].words && !strstr(err.message, rows[i].words)) {
            check_failed(__FILE__, __LINE__, rows[i].words, err.message);
        }
        CHECK(i > 0 || (lists.n_lists == 2 && lists.first[1] == 2 && lists.labels[1] == 9));
        fovea_label_lists_finish(&lists);
    }
}

int main(int argc, char **argv) {
    static const struct test tests[] = {
        TEST(labels__of_many_texts__count),
        TEST(labels__a_class_named_twice__refused_by_its_number),
        TEST(labels__looked_up__by_index_and_by_name),
        TEST(labels__of_a_model__from_the_first_place_that_has_some),
        TEST(labels__of_a_model_in_a_file__from_beside_it),
        TEST(label_map__pairs_or_words__looked_up),
        TEST(label_map__broken__is_refused_in_words),
        TEST(label_lists__of_ten_classes__taken_or_refused),
    };
    return RUN_TESTS(tests, argc, argv);
}
