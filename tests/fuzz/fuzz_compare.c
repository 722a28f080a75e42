/*
 * Fuzzing what `fovea compare` reads beside predictions: any bytes as the report.json of A, and,
 * from the first NUL on, of B. Whatever they say, the comparison is told, for people and as JSON.
 */
#include "tests/fuzz/fuzz_model.h"
#include "tests/temp_dir.h"
#include "tools/compare_report.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every kind of change, so that every part of the text is written. */
static const char rows_a[] = "path,label,pred\na.jpg,0,0\nb.jpg,0,1\nc.jpg,1,1\nd.jpg,2,7\ne,3,3\n";
static const char rows_b[] = "path,label,pred\na.jpg,0,2\nb.jpg,0,0\nc.jpg,1,1\nd.jpg,2,8\nf,3,3\n";

static const char *side(const char *name, const char *rows, const uint8_t *report, size_t size) {
    char file[64];
    if (mkdir(temp_path(name), 0777) == 0) {
        snprintf(file, sizeof(file), "%s/predictions.csv", name);
        temp_write(file, rows, strlen(rows));
    } else if (errno != EEXIST) {
        abort();
    }
    snprintf(file, sizeof(file), "%s/report.json", name);
    unlink(temp_path(file)); /* some file systems wait for the disk when a file is cut to nothing */
    temp_write(file, report, size);
    return temp_path(name);
}

static void must(enum fovea_status st, const struct fovea_error *err) {
    fuzz_check_error(st, err);
    if (st) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static FILE *nowhere;
    const uint8_t *end = size > 0 ? memchr(data, 0, size) : NULL;
    size_t size_a = end ? (size_t)(end - data) : size, rest = size - size_a;
    struct compare_result result = {.fail_points = 1};
    struct fovea_error err = {.message = ""};
    nowhere = nowhere ? nowhere : fopen("/dev/null", "w");
    FILE *out = stdout;
    if (!nowhere) {
        abort();
    }
    must(compare_side_init(&result.a, side("a", rows_a, data, size_a), &err), &err);
    must(compare_side_init(&result.b, side("b", rows_b, end ? end + 1 : data, end ? rest - 1 : 0),
                           &err),
         &err);
    must(eval_compare(&result.a.predictions, &result.b.predictions, &result.comparison, &err),
         &err);
    stdout = nowhere;
    compare_print(&result);
    stdout = out;
    json_t *json = compare_json(&result);
    if (!json) {
        abort();
    }
    json_decref(json);
    eval_comparison_finish(&result.comparison);
    compare_side_finish(&result.a);
    compare_side_finish(&result.b);
    return 0;
}
