/* The test runner behind check.h. */
#include "tests/check.h"

#include <stdio.h>
#include <string.h>

static int failures;
static bool skipped;

void check_failed(const char *file, int line, const char *what, const char *detail) {
    failures++;
    printf("  %s:%d: failed: %s%s%s\n", file, line, what, detail[0] ? ": " : "", detail);
}

void check_skip(const char *why) {
    skipped = true;
    printf("  skipped: %s\n", why);
}

void check_str(const char *file, int line, const char *what, const char *got, const char *want) {
    if (!got || strcmp(got, want) != 0) {
        failures++;
        printf("  %s:%d: %s is\n    \"%s\"\n  not\n    \"%s\"\n", file, line, what,
               got ? got : "(null)", want);
    }
}

int run_tests(const struct test *tests, size_t count, int argc, char **argv) {
    int n_passed = 0, n_failed = 0, n_skipped = 0;

    for (size_t i = 0; i < count; i++) {
        if (argc > 1 && !strstr(tests[i].name, argv[1])) {
            continue;
        }
        failures = 0;
        skipped = false;
        tests[i].run();
        if (failures) {
            n_failed++;
            printf("FAIL %s\n", tests[i].name);
        } else if (skipped) {
            n_skipped++;
            printf("SKIP %s\n", tests[i].name);
        } else {
            n_passed++;
        }
        fflush(stdout);
    }
    printf("%d passed, %d failed", n_passed, n_failed);
    printf(n_skipped ? ", %d skipped\n" : "\n", n_skipped);
    return n_failed ? 1 : 0;
}
