/* See json_out.h. */
#include "tools/json_out.h"

#include "tools/out_file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* 15 digits: every decimal of that length comes back as it was, 0.605 as 0.605. */
static const size_t dump_flags = JSON_INDENT(2) | JSON_REAL_PRECISION(15);

static enum fovea_status parse_json(const char *text, void *target, struct fovea_error *err) {
    (void)err;
    *(struct json_target *)target = (struct json_target){.on = true, .path = text};
    return FOVEA_OK;
}

struct option_spec json_option_spec(struct json_target *target) {
    return (struct option_spec){
        .name = "json",
        .arg = "[FILE]",
        .help = "results as JSON on stdout instead of text, or into FILE beside it\n"
                "(also --json FILE where FILE ends in .json)",
        .parse = parse_json,
        .target = target,
    };
}

bool json_target_wants_text(const struct json_target *target) {
    return !target->on || target->path;
}

static enum fovea_status write_file(const char *path, const json_t *root, struct fovea_error *err) {
    struct out_file file;
    if (out_file_init(&file, path, err)) {
        return FOVEA_ERR_IO;
    }
    if (json_dumpf(root, file.stream, dump_flags) != 0 || fputc('\n', file.stream) == EOF) {
        out_file_finish(&file);
        return fovea_fail(err, FOVEA_ERR_IO, "cannot write JSON to '%s'", fovea_quote(path).text);
    }
    return out_file_commit(&file, err);
}

enum fovea_status json_target_write(const struct json_target *target, json_t *root,
                                    struct fovea_error *err) {
    enum fovea_status status = FOVEA_OK;
    if (!target->on) {
        json_decref(root);
        return FOVEA_OK;
    }
    if (!root) {
        return fovea_fail(err, FOVEA_ERR_MEMORY, "out of memory for the JSON results");
    }
    if (target->path) {
        status = write_file(target->path, root, err);
    } else {
        /* a failing stdout is reported once, by main */
        json_dumpf(root, stdout, dump_flags);
        putchar('\n');
    }
    json_decref(root);
    return status;
}

json_t *json_double(double value) {
    return isfinite(value) ? json_real(value) : json_null();
}

json_t *json_float(float value) {
    char digits[32];
    snprintf(digits, sizeof(digits), "%.9g", (double)value);
    return json_double(strtod(digits, NULL));
}

json_t *json_text(const char *text) {
    json_t *string = json_string(text);
    if (string) {
        return string;
    }
    char *plain = strdup(text);
    if (!plain) {
        return NULL;
    }
    for (char *c = plain; *c; c++) {
        *c = (unsigned char)*c < 0x80 ? *c : '?';
    }
    string = json_string(plain);
    free(plain);
    return string;
}
