/* Messages: prefixes, truncation, and text from files made printable. */
#include "runtime/error.h"
#include "tests/check.h"

#include <string.h>

static void prefix__nested__reads_outside_in(void) {
    struct fovea_error err;
    fovea_fail(&err, FOVEA_ERR_INVALID, "axis %d is outside a rank-%d input", 5, 2);
    fovea_error_prefix(&err, "node '%s' (%s)", "probs", "Softmax");
    fovea_error_prefix(&err, "resnet.onnx");
    CHECK_STR(err.message, "resnet.onnx: node 'probs' (Softmax): axis 5 is outside a rank-2 input");
    CHECK(err.status == FOVEA_ERR_INVALID);
}

static void prefix__longer_than_a_message__is_cut(void) {
    struct fovea_error err;
    char longer[2000];
    memset(longer, 'x', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = 0;
    fovea_fail(&err, FOVEA_ERR_IO, "gone");
    fovea_error_prefix(&err, "%s", longer);
    CHECK(strlen(err.message) == sizeof(err.message) - 1);
}

static void quote__control_and_high_bytes__are_escaped(void) {
    CHECK_STR(fovea_quote("a\x1b[31m\xff").text, "a\\x1b[31m\\xff");
}

static void quote__long_text__is_cut_at_64(void) {
    char longer[300];
    memset(longer, 'n', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = 0;
    struct fovea_quoted quoted = fovea_quote(longer);
    CHECK(strlen(quoted.text) == 67);
    CHECK_STR(quoted.text + 64, "...");
}

static const struct test tests[] = {
    TEST(prefix__nested__reads_outside_in),
    TEST(prefix__longer_than_a_message__is_cut),
    TEST(quote__control_and_high_bytes__are_escaped),
    TEST(quote__long_text__is_cut_at_64),
};

int main(int argc, char **argv) {
    return RUN_TESTS(tests, argc, argv);
}
