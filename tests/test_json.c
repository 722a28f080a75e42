/*
 * Our reader of JSON: what RFC 8259 has, and what it refuses; and beside jansson's own parser,
 * which is another reader of the same language, on texts that chance has spoilt.
 */
#include "tests/check.h"

#include "loaders/json.h"

#include <jansson.h>
#include <locale.h>
#include <stdint.h>
#include <string.h>

static json_t *parsed(const char *text, size_t size) {
    json_t *value = NULL;
    struct fovea_error err;
    (void)fovea_json_parse(text, size, 0, &value, &err);
    return value;
}

static json_t *by_jansson(const char *text, size_t size) {
    return json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
}

/* The only value of the list that `text` is. */
static json_t *only(const char *text) {
    static json_t *list;
    json_decref(list);
    list = parsed(text, strlen(text));
    return json_array_get(list, 0);
}

static void expect_string(const char *file, int line, const char *text, const char *want) {
    const char *got = json_string_value(only(text));
    if (!got || strcmp(got, want) != 0) {
        check_failed(file, line, text, got ? got : "refused");
    }
}
#define EXPECT_STRING(text, want) expect_string(__FILE__, __LINE__, text, want)

/* UTF-8 by the bytes that the Unicode standard gives as examples: A, copyright, euro, G clef. */
static void strings__escapes__mean_their_characters(void) {
    EXPECT_STRING("[\"\"]", "");
    EXPECT_STRING("[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]", "\"\\/\b\f\n\r\t");
    EXPECT_STRING("[\"\\u0041\\u00a9\\u20AC\"]", "A\xc2\xa9\xe2\x82\xac");
    EXPECT_STRING("[\"\\ud834\\udd1e\"]", "\xf0\x9d\x84\x9e");
    EXPECT_STRING("[\"\\uD7FF\\uE000\\uffff\"]", "\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf");
    EXPECT_STRING("[\"\xf4\x8f\xbf\xbf\x7f\"]", "\xf4\x8f\xbf\xbf\x7f");
    only("[]");
}

static void numbers__in_any_locale__have_their_value(void) {
    const char *former = setlocale(LC_NUMERIC, "de_DE.UTF-8");
    CHECK(json_integer_value(only("[-0]")) == 0);
    CHECK(json_integer_value(only("[9223372036854775807]")) == INT64_MAX);
    CHECK(json_integer_value(only("[-9223372036854775808]")) == INT64_MIN);
    CHECK(json_real_value(only("[0.5]")) == 0.5);
    CHECK(json_real_value(only("[-12.25e+2]")) == -1225);
    CHECK(json_real_value(only("[1E-3]")) == 0.001);
    CHECK(json_real_value(only("[4e-400]")) == 0);
    CHECK(json_is_real(only("[1e0]")) && json_is_integer(only("[1]")));
    only("[]");
    if (former) {
        setlocale(LC_NUMERIC, "C");
    }
}

static void documents__well_formed__are_read(void) {
    const char *text = " {\"b\" : [1, true,false , null,{}, []],\r\n\t\"a\":{\"\":\"x\"} } \n";
    json_t *root = parsed(text, strlen(text));
    CHECK(json_object_size(root) == 2 && json_array_size(json_object_get(root, "b")) == 6);
    CHECK(json_is_true(json_array_get(json_object_get(root, "b"), 1)));
    CHECK(json_is_false(json_array_get(json_object_get(root, "b"), 2)));
    CHECK(json_is_null(json_array_get(json_object_get(root, "b"), 3)));
    CHECK_STR(json_string_value(json_object_get(json_object_get(root, "a"), "")), "x");
    CHECK_STR(json_object_iter_key(json_object_iter(root)), "b"); /* as they were given */
    json_decref(root);
}

static const struct {
    const char *text, *words;
} ill_formed[] = {
    {"", "line 1, column 1: not JSON: neither '{' nor '[' at its beginning"},
    {"true", "line 1, column 1: not JSON: neither"},
    {"[1,]", "column 4: not JSON: a value is missing"},
    {"[,1]", "column 2: not JSON: a value is missing"},
    {"[1 2]", "column 4: not JSON: neither ',' nor ']' after a value"},
    {"[1", "column 3: not JSON: neither ',' nor ']' after a value"},
    {"[1}", "column 3: not JSON: neither ',' nor ']' after a value"},
    {"[[]", "column 4: not JSON: neither ',' nor ']' after a value"},
    {"[]]", "column 3: not JSON: something after its end"},
    {"{\"a\":1,}", "column 8: not JSON: a key is missing"},
    {"{a:1}", "column 2: not JSON: a key is missing"},
    {"{\"a\" 1}", "column 6: not JSON: no ':' after a key"},
    {"{\"a\":}", "column 6: not JSON: a value is missing"},
    {"{\"a\":1 \"b\":2}", "column 8: not JSON: neither ',' nor '}' after a member"},
    {"{\"a\":1,\n\"\\u0061\":2}", "line 2, column 1: not JSON: a duplicate key"},
    {"[\"a]", "column 5: not JSON: a string without its end"},
    {"[\"\\", "not JSON: a backslash with nothing to escape"},
    {"[\"\\x\"]", "not JSON: a backslash with nothing to escape"},
    {"[\"\\u12g4\"]", "not JSON: four hexadecimal digits do not follow"},
    {"[\"\\u123", "not JSON: four hexadecimal digits do not follow"},
    {"[\"\\u0000\"]", "not JSON: a string with a NUL in it"},
    {"[\"\\udd1e\"]", "not JSON: half of a surrogate pair"},
    {"[\"\\ud834\"]", "not JSON: half of a surrogate pair"},
    {"[\"\\ud834\\u0041\"]", "not JSON: half of a surrogate pair"},
    {"[\"\n\"]", "not JSON: a control character in a string"},
    {"[\"\xc0\xaf\"]", "not JSON: bytes that are no UTF-8"},
    {"[\"\xe0\x9f\xbf\"]", "not JSON: bytes that are no UTF-8"},
    {"[\"\xf0\x8f\xbf\xbf\"]", "not JSON: bytes that are no UTF-8"},
    {"[\"\xed\xa0\x80\"]", "not JSON: bytes that are no UTF-8"},
    {"[\"\xf4\x90\x80\x80\"]", "not JSON: bytes that are no UTF-8"},
    {"[\"\xe2\x82\"]", "not JSON: bytes that are no UTF-8"},
    {"[\"\xe2\x82", "not JSON: bytes that are no UTF-8"},
    {"[\"\x80\"]", "not JSON: bytes that are no UTF-8"},
    {"[01]", "not JSON: a number that is none"},
    {"[-]", "not JSON: a number that is none"},
    {"[1.]", "not JSON: a number that is none"},
    {"[1.e3]", "not JSON: a number that is none"},
    {"[1e]", "not JSON: a number that is none"},
    {"[1e+]", "not JSON: a number that is none"},
    {"[.5]", "not JSON: a value is missing"},
    {"[+1]", "not JSON: a value is missing"},
    {"[1e400]", "not JSON: a number that is too big"},
    {"[9223372036854775808]", "not JSON: an integer that is too big"},
    {"[nul]", "not JSON: a value is missing"},
    {"[nullx]", "not JSON: neither"},
    {"[NaN]", "not JSON: a value is missing"},
    {"[True]", "not JSON: a value is missing"},
    {"\xef\xbb\xbf[]", "column 1: not JSON: neither '{' nor '[' at its beginning"},
};

static void documents__ill_formed__are_refused_with_their_place(void) {
    for (size_t i = 0; i < sizeof(ill_formed) / sizeof(ill_formed[0]); i++) {
        struct fovea_error err = {0};
        json_t *value = NULL;
        CHECK(fovea_json_parse(ill_formed[i].text, strlen(ill_formed[i].text), 0, &value, &err) ==
              FOVEA_ERR_FORMAT);
        CHECK(!value);
        if (!strstr(err.message, ill_formed[i].words)) {
            check_failed(__FILE__, __LINE__, ill_formed[i].words, err.message);
        }
    }
}

static void documents__nul_and_long_numbers__are_refused(void) {
    static char digits[2000];
    struct fovea_error err;
    json_t *value = NULL;
    CHECK(fovea_json_parse("[]\0\0", 4, 0, &value, &err) == FOVEA_ERR_FORMAT);
    CHECK(fovea_json_parse("[\0]", 3, 0, &value, &err) == FOVEA_ERR_FORMAT);
    CHECK(fovea_json_parse("[\"\0\"]", 5, 0, &value, &err) == FOVEA_ERR_FORMAT);
    memset(digits, '1', sizeof(digits));
    memcpy(digits, "[0.", 3);
    digits[sizeof(digits) - 1] = ']';
    CHECK(fovea_json_parse(digits, sizeof(digits), 7, &value, &err) == FOVEA_ERR_FORMAT);
    CHECK_STR(err.message, "byte 8: not JSON: a number of a thousand digits or more");
    CHECK(fovea_json_parse("[[[[[[[[[1]]]]]]]]]", 19, 0, &value, &err) == FOVEA_ERR_LIMIT);
    CHECK(!value);
}

static void documents__spoilt__read_as_jansson_does(void) {
    static const char *const seeds[] = {
        "{\"a\": [1, -2.5e3, true, null, \"\\u00e9\\ud834\\udd1e\\n\"], \"b\\\"\": {\"c\": {}}}",
        "[[], {}, [[\"\xc3\xa9\xe2\x82\xac\xf0\x9d\x84\x9e\"]], 0, -0.0, 1E+2, false]",
        " [ \"x\" , { \"y\" : \"z\" , \"w\" : 123456789012345678 } ] ",
    };
    static const char alphabet[] = "{}[]\",:\\ueE+-.0129abtfn \n/d8D\xc3\xa9\xe2\x82\xed\xa0";
    uint64_t state = 1;
    size_t accepted = 0;
    for (int i = 0; i < 60000; i++) {
        char text[128];
        const char *seed = seeds[i % 3];
        size_t size = strlen(seed);
        memcpy(text, seed, size);
        for (int changes = 1 + i % 2; changes > 0; changes--) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            text[(state >> 33) % size] = alphabet[(state >> 20) % (sizeof(alphabet) - 1)];
        }
        size -= i % 7 == 0 ? (state >> 45) % size : 0;
        json_t *ours = parsed(text, size), *theirs = by_jansson(text, size);
        accepted += theirs != NULL;
        if (!ours != !theirs || (ours && !json_equal(ours, theirs))) {
            text[size] = 0;
            check_failed(__FILE__, __LINE__, "read otherwise than jansson does", text);
        }
        json_decref(ours);
        json_decref(theirs);
    }
    CHECK(accepted > 3000 && accepted < 57000); /* both happen */
}

int main(int argc, char **argv) {
    static const struct test tests[] = {
        TEST(strings__escapes__mean_their_characters),
        TEST(numbers__in_any_locale__have_their_value),
        TEST(documents__well_formed__are_read),
        TEST(documents__ill_formed__are_refused_with_their_place),
        TEST(documents__nul_and_long_numbers__are_refused),
        TEST(documents__spoilt__read_as_jansson_does),
    };
    return RUN_TESTS(tests, argc, argv);
}
