/*
 * What the library makes of image files, each in a child of its own:
 *
 *     probe FILE... prints for each, separated by tabs:
 *         STATUS PHASE MILLISECONDS KIB_ABOVE_IDLE WxH CRC32 ORIENTATION MESSAGE
 *     STATUS is a status's name, or "crash"; PHASE is "header" until the size of
 *     the image is accepted, then "pixels"; CRC32 is of its RGB pixels,
 *     ORIENTATION what EXIF says.
 *
 * What decoding says, preprocessing must say, too.
 */
#include "loaders/file.h"
#include "loaders/preprocess.h"
#include "runtime/clock.h"
#include "runtime/limits.h"
#include "tests/probe_child.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <zlib.h>

enum { SIDE = 32 };

struct result {
    enum fovea_status status;
    bool accepted; /* the size */
    double ms;
    int width, height;
    unsigned crc;
    int orientation;
    char message[512];
};

/* Takes rows one after another into the checksum. */
struct rows {
    struct result *result;
    uint8_t *row; /* the last one asked for, or NULL */
};

static void sum_last(struct rows *rows) {
    if (rows->row) {
        size_t bytes = 3 * (size_t)rows->result->width;
        rows->result->crc = (unsigned)crc32(rows->result->crc, rows->row, (uInt)bytes);
    }
}

static enum fovea_status begin(void *context, int width, int height, struct fovea_window *wanted,
                               struct fovea_error *err) {
    struct rows *rows = context;
    rows->result->accepted = true;
    rows->result->width = width;
    rows->result->height = height;
    *wanted = (struct fovea_window){.width = width, .height = height};
    rows->row = calloc(3, (size_t)width);
    return rows->row ? FOVEA_OK : fovea_fail(err, FOVEA_ERR_MEMORY, "no row");
}

/* Every row is written to the same place, once the one before is summed up. */
static uint8_t *next_row(void *context, int y) {
    struct rows *rows = context;
    if (y > 0) {
        sum_last(rows);
    }
    return rows->row;
}

static enum fovea_status preprocess(const uint8_t *bytes, size_t size) {
    struct fovea_recipe recipe;
    float *pixels = malloc(3 * SIDE * SIDE * sizeof(float));
    enum fovea_status status = fovea_recipe_preset("timm", FOVEA_FROM_PRESET, &recipe, NULL);
    recipe.width = recipe.height = SIDE;
    if (!status) {
        status = fovea_preprocess_jpeg(&recipe, NULL, bytes, size, pixels, NULL, NULL);
    }
    free(pixels);
    return status;
}

static void work(const char *path, void *out) {
    struct result *result = out;
    struct fovea_error err = {.message = ""};
    struct fovea_jpeg_report report = {0};
    struct rows rows = {.result = result};
    const struct fovea_jpeg_taker taker = {&rows, begin, next_row};
    uint8_t *bytes = NULL;
    size_t size = 0;
    if (!path) {
        return;
    }
    result->status = fovea_file_read(path, FOVEA_LIMIT_IMAGE_BYTES, &bytes, &size, NULL, &err);
    double start = fovea_clock_seconds();
    if (!result->status) {
        result->status = fovea_jpeg_stream(bytes, size, NULL, &taker, &report, &err);
    }
    result->ms = 1e3 * (fovea_clock_seconds() - start);
    if (!result->status) {
        sum_last(&rows);
        result->orientation = report.orientation;
    }
    if (bytes && preprocess(bytes, size) != result->status) {
        snprintf(err.message, sizeof(err.message), "preprocessing says otherwise");
    }
    memcpy(result->message, err.message, sizeof(err.message));
    free(rows.row);
    free(bytes);
}

int main(int argc, char **argv) {
    struct result r;
    long idle = 0, kib = 0;
    int how;
    probe_child(work, NULL, &r, sizeof(r), &idle, &how);
    for (int i = 1; i < argc; i++) {
        bool ok = probe_child(work, argv[i], &r, sizeof(r), &kib, &how);
        if (!ok) {
            snprintf(r.message, sizeof(r.message), "%s %d",
                     WIFSIGNALED(how) ? "signal" : "exit status",
                     WIFSIGNALED(how) ? WTERMSIG(how) : WEXITSTATUS(how));
        }
        printf("%s\t%s\t%.1f\t%ld\t%dx%d\t%08x\t%d\t%s\n",
               ok ? fovea_status_name(r.status) : "crash", r.accepted ? "pixels" : "header", r.ms,
               kib > idle ? kib - idle : 0, r.width, r.height, r.crc, r.orientation, r.message);
    }
    return 0;
}
