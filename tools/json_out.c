/* See json_out.h. */
#include "tools/json_out.h"

#include "tools/out_file.h"

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
    enum fovea_status status = out_file_init(&file, path, err);
    if (status) {
        return status;
    }
    if (json_dumpf(root, file.stream, JSON_RESULTS) != 0 || fputc('\n', file.stream) == EOF) {
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
        if (json_dumpf(root, stdout, JSON_RESULTS) != 0 && !ferror(stdout)) {
            status = fovea_fail(err, FOVEA_ERR_MEMORY, "out of memory for the JSON results");
        }
        putchar('\n');
    }
    json_decref(root);
    return status;
}
