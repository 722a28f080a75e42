/*
 * Fuzzing our reader of JSON. It takes what jansson's own parser takes, another
 * reader of the same language, and gives the same values in the same order;
 * but for bounds that jansson has not (depth, values, digits of a number), and
 * a NUL after a word, which jansson 2.14 loses.
 */
#include "loaders/json.h"
#include "tests/fuzz/fuzz_model.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* A shorter text has no number that is too long for us. */
enum { WITHIN_BOUNDS = 1000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_same(const json_t *ours, const json_t *other) {
    char *a = json_dumps(ours, JSON_COMPACT), *b = json_dumps(other, JSON_COMPACT);
    if (!a || !b || strcmp(a, b) != 0) {
        abort();
    }
    free(a);
    free(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct fovea_error err = {.message = ""};
    json_t *ours = NULL;
    json_t *other = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
    enum fovea_status st = fovea_json_parse((const char *)data, size, 0, &ours, &err);
    fuzz_check_error(st, &err);
    if (!st) {
        if (!other) {
            abort();
        }
        check_same(ours, other);
    } else if (other && st != FOVEA_ERR_LIMIT && size < WITHIN_BOUNDS && !memchr(data, 0, size)) {
        abort();
    }
    json_decref(ours);
    json_decref(other);
    return 0;
}
