/*
 * fovea preprocess: the exact pixels a model would see, stage by stage, so that
 * "is it my model or my preprocessing?" has an answer.
 */
#include "tools/commands.h"

#include "loaders/file.h"
#include "loaders/preprocess.h"
#include "runtime/limits.h"
#include "tools/exit_codes.h"
#include "tools/image_files.h"
#include "tools/json_out.h"
#include "tools/preprocess_result.h"
#include "tools/preprocess_rows.h"
#include "tools/say.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* What -o writes; AS_DEFAULT is PPM that nobody asked for. */
enum format { AS_DEFAULT, AS_PPM, AS_PNG, AS_NPY };

static const char *const format_names[] = {"ppm", "ppm", "png", "npy"};

struct command {
    struct json_target json;
    struct fovea_preprocess_options options;
    struct fovea_recipe recipe;
    const char *out_dir; /* NULL: write nothing */
    enum format format;
    enum fovea_stage stage; /* the one whose pixels are written, and compared */
    const char *against_path;
    struct fovea_image against;
    struct operands images;
};

/* ---- output files ------------------------------------------------------------ */

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* Length of the name without its extension. */
static size_t stem_length(const char *name) {
    const char *dot = strrchr(name, '.');
    return dot && dot != name ? (size_t)(dot - name) : strlen(name);
}

static bool same_stem(const char *a, const char *b) {
    a = base_name(a);
    b = base_name(b);
    size_t n = stem_length(a);
    return n == stem_length(b) && memcmp(a, b, n) == 0;
}

static int compare_names(const void *a, const void *b) {
    const char *left = base_name(*(char *const *)a), *right = base_name(*(char *const *)b);
    size_t n = stem_length(left), m = stem_length(right);
    int order = memcmp(left, right, n < m ? n : m);
    return order ? order : (n > m) - (n < m);
}

/* Two inputs of one name would overwrite each other's output. An exit code. */
static int check_names(const struct command *command) {
    size_t n = command->images.count;
    char **sorted = malloc(n * sizeof(*sorted));
    if (!sorted) {
        struct fovea_error err;
        fovea_fail_memory(&err, n * sizeof(*sorted), "the names of the images");
        return say_failure("preprocess", &err);
    }
    memcpy(sorted, command->images.words, n * sizeof(*sorted));
    qsort(sorted, n, sizeof(*sorted), compare_names);
    int code = EXIT_DONE;
    for (size_t i = 1; i < n && code == EXIT_DONE; i++) {
        if (same_stem(sorted[i - 1], sorted[i])) {
            code = say_usage("preprocess", "%s and %s would be written to one file in %s",
                             sorted[i - 1], sorted[i], command->out_dir);
        }
    }
    free(sorted);
    return code;
}

static enum fovea_status write_tensor(const struct command *command, const char *path,
                                      const struct fovea_image *cropped, struct fovea_error *err) {
    size_t n_bytes = (size_t)cropped->width * (size_t)cropped->height * 3 * sizeof(float);
    float *planes = malloc(n_bytes);
    if (!planes) {
        return fovea_fail_memory(err, n_bytes, "a tensor");
    }
    fovea_preprocess_normalize(&command->recipe, cropped, planes);
    enum fovea_status status = fovea_npy_write(path, planes, cropped->height, cropped->width, err);
    free(planes);
    return status;
}

static enum fovea_status write_result(const struct command *command, const char *input,
                                      const struct fovea_preprocess_result *result,
                                      struct fovea_error *err) {
    const char *name = base_name(input);
    const struct fovea_image *pixels = &result->images[command->stage];
    char *path;
    if (asprintf(&path, "%s/%.*s.%s", command->out_dir, (int)stem_length(name), name,
                 format_names[command->format]) < 0) {
        return fovea_fail_memory(err, strlen(input), "a path");
    }
    enum fovea_status status =
        command->format == AS_NPY ? write_tensor(command, path, &result->images[FOVEA_CROPPED], err)
        : command->format == AS_PNG ? fovea_png_save(path, pixels, err)
                                    : fovea_ppm_write(path, pixels, err);
    free(path);
    return status;
}

/* ---- one image ----------------------------------------------------------------- */

static enum fovea_status decode_file(const struct command *command, const char *path,
                                     struct fovea_preprocess_result *result,
                                     struct fovea_error *err) {
    uint8_t *bytes;
    size_t size;
    enum fovea_status status =
        fovea_file_read(path, FOVEA_LIMIT_IMAGE_BYTES, &bytes, &size, NULL, err);
    if (status) {
        return status;
    }
    struct fovea_jpeg_options jpeg;
    fovea_preprocess_jpeg_options(&command->recipe, &command->options.jpeg, &jpeg);
    status =
        fovea_jpeg_decode(bytes, size, &jpeg, &result->images[FOVEA_DECODED], &result->report, err);
    free(bytes);
    return status;
}

static enum fovea_status run_stages(const struct command *command, const char *path,
                                    struct fovea_preprocess_result *result,
                                    struct fovea_error *err) {
    struct fovea_image *images = result->images;
    enum fovea_status status = decode_file(command, path, result, err);
    if (!status) {
        status = fovea_preprocess_resize(&command->recipe, &images[FOVEA_DECODED],
                                         &images[FOVEA_RESIZED], err);
    }
    if (!status) {
        status = fovea_preprocess_crop(&command->recipe, &images[FOVEA_DECODED],
                                       &images[FOVEA_RESIZED], &images[FOVEA_CROPPED], err);
    }
    return status;
}

/* ---- all of them ------------------------------------------------------------------- */

/* An exit code; EXIT_FAILED also stops. `list` is NULL without --json. */
static int process(const struct command *command, const char *path, json_t *list) {
    struct fovea_preprocess_result result = {0};
    struct fovea_error err = {.status = FOVEA_OK};
    bool failed = run_stages(command, path, &result, &err) != FOVEA_OK;
    int code = failed ? EXIT_SOME_FAILED : EXIT_DONE;
    if (!failed && command->against_path) {
        failed = fovea_preprocess_result_compare(&result, command->stage, &command->against,
                                                 &err) != FOVEA_OK;
        code = failed ? EXIT_FAILED : EXIT_DONE;
    }

    if (failed) {
        say("%s: %s", path, err.message);
    } else {
        fovea_preprocess_result_print_notes(&result, path);
    }
    if (list) {
        json_t *object = fovea_preprocess_result_json(&result, path, failed ? err.message : NULL);
        if (json_array_append_new(list, object) != 0) {
            fovea_fail(&err, FOVEA_ERR_MEMORY, "out of memory for the JSON results");
            code = say_failure("preprocess", &err);
        }
    }
    if (!failed && json_target_wants_text(&command->json)) {
        fovea_preprocess_result_print(&result, path);
    }
    if (!failed && command->out_dir && write_result(command, path, &result, &err)) {
        code = say_failure("preprocess", &err);
    }
    if (result.n_differing) {
        code = EXIT_FAILED;
    }
    fovea_preprocess_result_finish(&result);
    return code;
}

static int process_all(const struct command *command) {
    struct fovea_error err;
    json_t *list = command->json.on ? json_array() : NULL;
    int code = EXIT_DONE;
    for (size_t i = 0; i < command->images.count && code != EXIT_FAILED; i++) {
        int one = process(command, command->images.words[i], list);
        code = one ? one : code;
    }
    return json_target_write(&command->json, list, &err) ? say_failure("preprocess", &err) : code;
}

static enum fovea_status prepare(struct command *command, struct fovea_error *err) {
    enum fovea_status status =
        fovea_preprocess_options_resolve(&command->options, NULL, &command->recipe, err);
    if (!status && command->against_path) {
        status = fovea_pixels_read(command->against_path, &command->against, err);
    }
    if (!status && command->out_dir && mkdir(command->out_dir, 0777) != 0 && errno != EEXIST) {
        status = fovea_fail(err, FOVEA_ERR_IO, "cannot make '%s': %s",
                            fovea_quote(command->out_dir).text, strerror(errno));
    }
    return status;
}

static int preprocess_all(struct command *command) {
    struct fovea_error err;
    int code;
    if (prepare(command, &err)) {
        code = say_failure("preprocess", &err);
    } else {
        fovea_preprocess_recipe_print(&command->recipe, stderr);
        code = process_all(command);
    }
    fovea_image_finish(&command->against);
    return code;
}

/* ---- the command line ---------------------------------------------------------------- */

static enum fovea_status parse_format(const char *text, void *target, struct fovea_error *err) {
    for (enum format format = AS_PPM; format <= AS_NPY; format++) {
        if (strcmp(text, format_names[format]) == 0) {
            *(enum format *)target = format;
            return FOVEA_OK;
        }
    }
    return fovea_fail(err, FOVEA_ERR_INVALID, "'%s': must be ppm, png or npy",
                      fovea_quote(text).text);
}

static enum fovea_status parse_stage(const char *text, void *target, struct fovea_error *err) {
    enum fovea_stage *stage = target;
    return fovea_stage_find(text, stage)
               ? FOVEA_OK
               : fovea_fail(err, FOVEA_ERR_INVALID, "'%s': must be decoded, resized or cropped",
                            fovea_quote(text).text);
}

static int check_usage(const struct command *command) {
    if (command->images.count == 0) {
        return say_usage("preprocess", "which images?");
    }
    if (command->format != AS_DEFAULT && !command->out_dir) {
        return say_usage("preprocess", "--write needs -o DIR");
    }
    if (command->against_path && command->images.count != 1) {
        return say_usage("preprocess", "--against compares one image, but got %zu",
                         command->images.count);
    }
    return command->out_dir ? check_names(command) : EXIT_DONE;
}

int cmd_preprocess(int argc, char **argv) {
    struct command command = {.stage = FOVEA_CROPPED};
    struct preprocess_rows preprocess;
    preprocess_rows_init(&preprocess, &command.options);
    const struct option_spec own[] = {
        {"output", "DIR", "write DIR/NAME.ppm for each image, or what --write says", option_text,
         &command.out_dir, 'o'},
        {"write", "ppm|png|npy",
         "ppm, png: pixels of --stage; npy: the normalised f32\ntensor, shape (1, 3, H, W)",
         parse_format, &command.format, 0},
        {"against", "FILE",
         "compare the one IMAGE at --stage with this PPM or PNG;\nexit 1 if a pixel differs",
         option_text, &command.against_path, 0},
        {"stage", "NAME", "decoded, resized or cropped (default)", parse_stage, &command.stage, 0},
        json_option_spec(&command.json),
        {0},
    };
    const struct option_group groups[] = {
        {"options", own},
        preprocess_rows_group(&preprocess),
        {0},
    };
    const struct usage usage = {
        "preprocess",
        "IMAGE...",
        "Print size and SHA-256 of each image's pixels (8-bit RGB, row by row) after\n"
        "decoding, resizing and cropping. Images that cannot be read are named on stderr,\n"
        "and the exit status is 3.",
        "  fovea preprocess --resize squash --size 480 --crop-pct 0.9375 cat.jpg\n"
        "  fovea preprocess --preset imagenet --json=pixels.json val/*/*.JPEG\n"
        "  fovea preprocess --recipe model.json -o tensors --write npy cat.jpg\n"
        "  fovea preprocess --preset timm --against from_pillow.png cat.jpg\n",
        groups,
    };
    int end = options_parse(&usage, argc, argv, &command.images);
    if (end != OPTIONS_GO_ON) {
        return end;
    }
    int code = check_usage(&command);
    return code ? code : preprocess_all(&command);
}
