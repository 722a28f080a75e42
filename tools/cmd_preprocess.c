/*
 * fovea preprocess: the exact pixels a model would see, stage by stage, so that
 * "is it my model or my preprocessing?" has an answer.
 */
#include "loaders/file.h"
#include "loaders/preprocess.h"
#include "tools/commands.h"
#include "tools/image_files.h"
#include "tools/preprocess_options.h"
#include "tools/preprocess_result.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct command {
    struct fovea_preprocess_options options;
    struct fovea_recipe recipe;
    bool json;
    const char *json_path;  /* NULL: stdout */
    const char *out_dir;    /* NULL: write nothing */
    bool write_npy;         /* else PPM */
    enum fovea_stage stage; /* the one written as PPM, and compared */
    const char *against_path;
    struct fovea_image against;
    char **paths;
    int n_paths;
};

static const char help_text[] =
    "usage: fovea preprocess [OPTION]... IMAGE...\n"
    "\n"
    "Print size and SHA-256 of each image's pixels (8-bit RGB, row by row) after\n"
    "decoding, resizing and cropping.\n"
    "\n"
    "      --json[=FILE]         JSON to stdout or FILE: [{path, decoded: {size: [w, h],\n"
    "                            sha256}, resized, cropped, error}]\n"
    "  -o, --output DIR          write DIR/NAME.ppm for each image, or what --write says\n"
    "      --write ppm|npy       ppm: pixels of --stage; npy: the normalised f32 tensor,\n"
    "                            shape (1, 3, H, W)\n"
    "      --against FILE.ppm    compare the one IMAGE at --stage with this file; exit 1\n"
    "                            if a pixel differs\n"
    "      --stage NAME          decoded, resized or cropped (default)\n"
    "  -h, --help\n"
    "\n";

static const char examples_text[] =
    "\n"
    "Examples:\n"
    "  fovea preprocess --resize squash --size 480 --crop-pct 0.9375 cat.jpg\n"
    "  fovea preprocess --preset imagenet --json=pixels.json val/*/*.JPEG\n"
    "  fovea preprocess --recipe model.json -o tensors --write npy cat.jpg\n"
    "  fovea preprocess --preset timm --against from_pillow.ppm cat.jpg\n"
    "\n"
    "Exit status: 0 done, 1 failed or different, 2 usage, 3 some images failed.\n";

static int usage_error(const char *message) {
    if (message) {
        fprintf(stderr, "fovea preprocess: %s\n", message);
    }
    fprintf(stderr, "fovea preprocess --help has the options\n");
    return 2;
}

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

/* Two inputs of one name would overwrite each other's output. */
static int check_names(const struct command *command) {
    size_t n = (size_t)command->n_paths;
    char **sorted = malloc(n * sizeof(*sorted));
    if (!sorted) {
        fprintf(stderr, "fovea preprocess: out of memory\n");
        return 1;
    }
    memcpy(sorted, command->paths, n * sizeof(*sorted));
    qsort(sorted, n, sizeof(*sorted), compare_names);
    int status = 0;
    for (size_t i = 1; i < n && !status; i++) {
        if (same_stem(sorted[i - 1], sorted[i])) {
            fprintf(stderr, "fovea preprocess: %s and %s would be written to one file in %s\n",
                    sorted[i - 1], sorted[i], command->out_dir);
            status = 2;
        }
    }
    free(sorted);
    return status;
}

static enum fovea_status write_tensor(const struct command *command, const char *path,
                                      const struct fovea_image *cropped, struct fovea_error *err) {
    size_t n_bytes = fovea_image_size(cropped) * sizeof(float);
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
    const char *extension = command->write_npy ? "npy" : "ppm";
    char *path;
    if (asprintf(&path, "%s/%.*s.%s", command->out_dir, (int)stem_length(name), name, extension) <
        0) {
        return fovea_fail_memory(err, strlen(input), "a path");
    }
    enum fovea_status status;
    if (command->write_npy) {
        status = write_tensor(command, path, &result->images[FOVEA_CROPPED], err);
    } else {
        status = fovea_ppm_write(path, &result->images[command->stage], err);
    }
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
        fovea_file_read(path, FOVEA_IMAGE_FILE_MAX, &bytes, &size, NULL, err);
    if (status) {
        return status;
    }
    status = fovea_jpeg_decode(bytes, size, &command->options.jpeg, &result->images[FOVEA_DECODED],
                               &result->report, err);
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
    if (!status && command->against_path) {
        status = fovea_preprocess_result_compare(result, command->stage, &command->against, err);
    }
    return status;
}

/* ---- all of them ------------------------------------------------------------------- */

/* 0; 1: stop, failed; 3: this image failed. `list` is NULL without --json. */
static int process(const struct command *command, const char *path, json_t *list) {
    struct fovea_preprocess_result result = {0};
    struct fovea_error err = {.status = FOVEA_OK};
    int exit_status = run_stages(command, path, &result, &err) ? 3 : 0;
    bool failed = exit_status != 0;

    if (failed) {
        fprintf(stderr, "%s: %s\n", path, err.message);
    } else {
        fovea_preprocess_result_print_notes(&result, path);
    }
    if (list) {
        json_t *object = fovea_preprocess_result_json(&result, path, failed ? err.message : NULL);
        if (!object || json_array_append_new(list, object) != 0) {
            fprintf(stderr, "fovea preprocess: out of memory\n");
            exit_status = 1;
        }
    } else if (!failed) {
        fovea_preprocess_result_print(&result, path);
    }
    if (!failed && command->out_dir && write_result(command, path, &result, &err)) {
        fprintf(stderr, "fovea preprocess: %s\n", err.message);
        exit_status = 1;
    }
    if (result.n_differing) {
        exit_status = 1;
    }
    fovea_preprocess_result_finish(&result);
    return exit_status;
}

static int write_json(const struct command *command, const json_t *list) {
    FILE *to = command->json_path ? fopen(command->json_path, "w") : stdout;
    bool good = to && json_dumpf(list, to, JSON_INDENT(1)) == 0 && fputc('\n', to) != EOF;
    if (to && command->json_path) {
        good = fclose(to) == 0 && good;
    }
    if (!good) {
        fprintf(stderr, "fovea preprocess: cannot write %s: %s\n",
                command->json_path ? command->json_path : "to stdout", strerror(errno));
    }
    return good ? 0 : 1;
}

static int process_all(const struct command *command) {
    json_t *list = command->json ? json_array() : NULL;
    int exit_status = 0;
    for (int i = 0; i < command->n_paths && exit_status != 1; i++) {
        int status = process(command, command->paths[i], list);
        exit_status = status ? status : exit_status;
    }
    if (list && write_json(command, list) != 0) {
        exit_status = 1;
    }
    json_decref(list);
    if (fflush(stdout) != 0) {
        fprintf(stderr, "fovea preprocess: cannot write to stdout: %s\n", strerror(errno));
        exit_status = 1;
    }
    return exit_status;
}

static int run(struct command *command) {
    struct fovea_error err;
    enum fovea_status status =
        fovea_preprocess_options_resolve(&command->options, NULL, &command->recipe, &err);
    if (!status && command->against_path) {
        status = fovea_ppm_read(command->against_path, &command->against, &err);
    }
    if (status) {
        fprintf(stderr, "fovea preprocess: %s\n", err.message);
        return 1;
    }
    if (command->out_dir && mkdir(command->out_dir, 0777) != 0 && errno != EEXIST) {
        fprintf(stderr, "fovea preprocess: cannot make %s: %s\n", command->out_dir,
                strerror(errno));
        return 1;
    }
    fovea_preprocess_recipe_print(&command->recipe, stderr);
    int exit_status = process_all(command);
    fovea_image_finish(&command->against);
    return exit_status;
}

/* ---- the command line ---------------------------------------------------------------- */

enum { OPT_JSON = 1000, OPT_WRITE, OPT_AGAINST, OPT_STAGE };

/* One option; 0, or the exit status after a message. */
static int take_option(struct command *command, int code, const char *value) {
    struct fovea_error err;
    switch (code) {
    case OPT_JSON:
        command->json = true;
        command->json_path = value;
        return 0;
    case 'o':
        command->out_dir = value;
        return 0;
    case OPT_WRITE:
        command->write_npy = strcmp(value, "npy") == 0;
        return command->write_npy || strcmp(value, "ppm") == 0
                   ? 0
                   : usage_error("--write must be ppm or npy");
    case OPT_AGAINST:
        command->against_path = value;
        return 0;
    case OPT_STAGE:
        return fovea_stage_find(value, &command->stage)
                   ? 0
                   : usage_error("--stage must be decoded, resized or cropped");
    case '?': /* getopt_long has said what is wrong */
        return usage_error(NULL);
    default:
        return fovea_preprocess_options_take(&command->options, code, value, &err)
                   ? usage_error(err.message)
                   : 0;
    }
}

static int check_usage(const struct command *command, bool write_given) {
    if (command->n_paths == 0) {
        return usage_error("no IMAGE given");
    }
    if (write_given && !command->out_dir) {
        return usage_error("--write needs -o DIR");
    }
    if (command->against_path && command->n_paths != 1) {
        return usage_error("--against compares exactly one IMAGE");
    }
    return command->out_dir ? check_names(command) : 0;
}

int cmd_preprocess(int argc, char **argv) {
    static const struct option long_options[] = {
        {"json", optional_argument, NULL, OPT_JSON},
        {"output", required_argument, NULL, 'o'},
        {"write", required_argument, NULL, OPT_WRITE},
        {"against", required_argument, NULL, OPT_AGAINST},
        {"stage", required_argument, NULL, OPT_STAGE},
        {"help", no_argument, NULL, 'h'},
        FOVEA_PREPROCESS_LONG_OPTIONS,
        {NULL, 0, NULL, 0},
    };
    struct command command = {.stage = FOVEA_CROPPED};
    bool write_given = false;
    int code;

    fovea_preprocess_options_init(&command.options);
    while ((code = getopt_long(argc, argv, "o:h", long_options, NULL)) != -1) {
        if (code == 'h') {
            printf("%s%s%s", help_text, fovea_preprocess_options_help, examples_text);
            return 0;
        }
        int status = take_option(&command, code, optarg);
        if (status) {
            return status;
        }
        write_given |= code == OPT_WRITE;
    }
    command.paths = argv + optind;
    command.n_paths = argc - optind;
    int status = check_usage(&command, write_given);
    return status ? status : run(&command);
}
