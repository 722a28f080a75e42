/* The limits in docs/limits.md are those of runtime/limits.h, all of them. */
#include "runtime/limits.h"

#include "tests/check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT(name)                                                                                \
    { #name, (uint64_t)(name) }

static const struct {
    const char *name;
    uint64_t value;
} limits[] = {
    LIMIT(FOVEA_LIMIT_AMPLIFICATION),
    LIMIT(FOVEA_LIMIT_AMPLIFICATION_ALLOWANCE),
    LIMIT(FOVEA_LIMIT_CHECKPOINT_FILES),
    LIMIT(FOVEA_LIMIT_CHECKPOINT_TENSORS),
    LIMIT(FOVEA_LIMIT_CLASSES),
    LIMIT(FOVEA_LIMIT_DECODER_BYTES),
    LIMIT(FOVEA_LIMIT_EXTERNAL_FILES),
    LIMIT(FOVEA_LIMIT_IMAGE_BYTES),
    LIMIT(FOVEA_LIMIT_INLINED_BYTES),
    LIMIT(FOVEA_LIMIT_INLINED_WORK),
    LIMIT(FOVEA_LIMIT_INPUT_SIDE),
    LIMIT(FOVEA_LIMIT_JOURNAL_BYTES),
    LIMIT(FOVEA_LIMIT_JSON_BYTES),
    LIMIT(FOVEA_LIMIT_JSON_DEPTH),
    LIMIT(FOVEA_LIMIT_JSON_VALUES),
    LIMIT(FOVEA_LIMIT_LABEL_BYTES),
    LIMIT(FOVEA_LIMIT_LISTED),
    LIMIT(FOVEA_LIMIT_LIST_BYTES),
    LIMIT(FOVEA_LIMIT_NAME),
    LIMIT(FOVEA_LIMIT_NESTING),
    LIMIT(FOVEA_LIMIT_NODES),
    LIMIT(FOVEA_LIMIT_NODE_ATTRS),
    LIMIT(FOVEA_LIMIT_NODE_VALUES),
    LIMIT(FOVEA_LIMIT_NPY_HEADER),
    LIMIT(FOVEA_LIMIT_PICKLE_DEPTH),
    LIMIT(FOVEA_LIMIT_PICKLE_OBJECTS),
    LIMIT(FOVEA_LIMIT_PIXELS),
    LIMIT(FOVEA_LIMIT_PREDICTIONS_BYTES),
    LIMIT(FOVEA_LIMIT_PROTOBUF_BYTES),
    LIMIT(FOVEA_LIMIT_RECIPE_BYTES),
    LIMIT(FOVEA_LIMIT_SCANNED_PIXELS),
    LIMIT(FOVEA_LIMIT_SCANS),
    LIMIT(FOVEA_LIMIT_SUBGRAPH_NESTING),
    LIMIT(FOVEA_LIMIT_TAR_ENTRIES),
    LIMIT(FOVEA_LIMIT_TENSORS),
    LIMIT(FOVEA_LIMIT_TENSOR_BYTES),
    LIMIT(FOVEA_LIMIT_THREADS),
    LIMIT(FOVEA_LIMIT_WINDOW_PADDING),
};

enum { COUNT = sizeof(limits) / sizeof(limits[0]) };

/* A file of the tree, from malloc; NULL if it cannot be read. */
static char *read_text(const char *name) {
    char path[512];
    snprintf(path, sizeof(path), "%s/%s", FOVEA_SOURCE_ROOT, name);
    FILE *file = fopen(path, "r");
    char *text = calloc(1, 1 << 16);
    if (file && text) {
        CHECK(fread(text, 1, (1 << 16) - 1, file) > 0);
    }
    if (file) {
        fclose(file);
        return text;
    }
    free(text);
    return NULL;
}

static int find(const char *name, size_t length) {
    for (int i = 0; i < COUNT; i++) {
        if (strlen(limits[i].name) == length && strncmp(limits[i].name, name, length) == 0) {
            return i;
        }
    }
    return -1;
}

static void limits__header__has_those_of_this_test(void) {
    static const char define[] = "#define FOVEA_LIMIT_";
    char *text = read_text("runtime/limits.h");
    int found = 0;
    CHECK(text != NULL);
    for (char *at = text ? strstr(text, define) : NULL; at; at = strstr(at, define)) {
        at += strlen("#define ");
        char *name = strndup(at, strcspn(at, " "));
        if (find(name, strlen(name)) < 0) {
            check_failed(__FILE__, __LINE__, "is not tested", name);
        }
        free(name);
        found++;
    }
    CHECK(found == COUNT);
    free(text);
}

/* The number of a row "| words | 1,234 | `NAME` |" that ends at `name`. */
static uint64_t number_before(const char *row, const char *name) {
    uint64_t value = 0;
    const char *bar = name;
    int bars = 0;
    for (; bar > row && bars < 2; bar--) {
        bars += bar[-1] == '|';
    }
    for (; bar < name; bar++) {
        if (*bar >= '0' && *bar <= '9') {
            value = value * 10 + (uint64_t)(*bar - '0');
        }
    }
    return value;
}

static void limits__documentation__says_the_same(void) {
    char *text = read_text("docs/limits.md");
    bool seen[COUNT] = {false};
    CHECK(text != NULL);
    for (char *row = text ? strtok(text, "\n") : NULL; row; row = strtok(NULL, "\n")) {
        char *name = row[0] == '|' ? strstr(row, "`FOVEA_LIMIT_") : NULL;
        int i = name ? find(name + 1, strcspn(name + 1, "`")) : -1;
        if (name && (i < 0 || seen[i] || number_before(row, name) != limits[i].value)) {
            check_failed(__FILE__, __LINE__, "is not so", row);
        }
        if (i >= 0) {
            seen[i] = true;
        }
    }
    for (int i = 0; i < COUNT; i++) {
        if (!seen[i]) {
            check_failed(__FILE__, __LINE__, "is not documented", limits[i].name);
        }
    }
    free(text);
}

static const struct test tests[] = {
    TEST(limits__documentation__says_the_same),
    TEST(limits__header__has_those_of_this_test),
};

int main(int argc, char **argv) {
    return RUN_TESTS(tests, argc, argv);
}
