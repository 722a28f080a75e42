/*
 * The whole test framework: checks that report and go on, and a runner that
 * closes on "N passed, N failed".
 */
#ifndef FOVEA_TESTS_CHECK_H
#define FOVEA_TESTS_CHECK_H

#include <stdbool.h>
#include <stddef.h>

struct test {
    const char *name;
    void (*run)(void);
};

#define TEST(function)                                                                             \
    { #function, function }

/* Record a failed check; the test goes on. */
void check_failed(const char *file, int line, const char *what, const char *detail);

/* End the running test as skipped, with the reason; then return from it. */
void check_skip(const char *why);

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            check_failed(__FILE__, __LINE__, #condition, "");                                      \
        }                                                                                          \
    } while (0)

/* `call` returns a fovea_status and fills `error`; a failure prints its message. */
#define CHECK_OK(call, error)                                                                      \
    do {                                                                                           \
        (error).message[0] = 0;                                                                    \
        if ((call) != FOVEA_OK) {                                                                  \
            check_failed(__FILE__, __LINE__, #call, (error).message);                              \
        }                                                                                          \
    } while (0)

#define CHECK_STR(got, want) check_str(__FILE__, __LINE__, #got, (got), (want))
void check_str(const char *file, int line, const char *what, const char *got, const char *want);

/* Run all tests, or those whose name contains argv[1]. Returns the exit status. */
int run_tests(const struct test *tests, size_t count, int argc, char **argv);

#define RUN_TESTS(tests, argc, argv)                                                               \
    run_tests((tests), sizeof(tests) / sizeof((tests)[0]), (argc), (argv))

#endif
