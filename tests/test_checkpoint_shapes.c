/*
 * Checkpoints whose shapes ask for what no file of their size can be: refused, with words, and
 * before anything large is computed.
 */
#include "tests/check.h"
#include "tests/tensor_lines.h"

#include "loaders/file.h"
#include "runtime/fovea.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define SEEDS FOVEA_SOURCE_ROOT "/tests/fuzz/seeds/network/"

enum { MOST_BYTES = 1 << 20 };

/* Load the tensors of a seed, those named in `instead` (lines, or NULL) with other shapes. */
static enum fovea_status load(const char *seed, const char *const instead[2], size_t max_memory,
                              struct fovea_error *err) {
    struct tensor_lines lines;
    struct fovea_load_options options;
    struct fovea_model *model;
    uint8_t *text;
    size_t size;
    CHECK_OK(fovea_file_read(seed, 1 << 16, &text, &size, NULL, err), *err);
    text[size - 1] = 0; /* the last newline */
    tensor_lines_init(&lines, MOST_BYTES);
    fovea_load_options_default(&options);
    options.max_memory = max_memory;
    for (char *line = strtok((char *)text, "\n"); line; line = strtok(NULL, "\n")) {
        const char *other = NULL;
        size_t name = strcspn(line, " ") + 1;
        for (int i = 0; i < 2; i++) {
            other = instead[i] && strncmp(line, instead[i], name) == 0 ? instead[i] : other;
        }
        if (*line == '=') {
            options.heads = strcmp(line, "=heads 2") == 0 ? 2 : options.heads;
        } else if (*line != '{') {
            tensor_lines_add(&lines, other ? other : line);
        }
    }
    free(text);
    uint8_t *file = tensor_lines_finish(&lines, &size);
    CHECK(file != NULL);
    enum fovea_status st = fovea_model_load_memory(file, size, &options, &model, err);
    if (!st) {
        fovea_model_destroy(model);
    }
    free(file);
    return st;
}

static void shapes__of_no_elements__decide_nothing(void) {
    static const struct {
        const char *seed, *instead[2], *part;
    } cases[] = {
        {"timm_token", {"patch_embed.proj.weight 2147483648,0,4,4"}, "without a patch embedding"},
        {"timm_token", {"blocks.0.mlp.fc2.weight 0,17592186044416"}, "without blocks.0.mlp.fc2"},
        {"timm_token",
         {"pos_embed 1,17592186044416,0"},
         "pos_embed: shape [1,17592186044416,8] is"},
        {"timm_nfnet", {"stages.3.0.conv1.weight 0,12,1,1"}, "stage 3: 0 channels do not divide"},
        {"timm_nfnet", {"stages.2.0.conv2.weight 6,0,3,3"}, "do not divide into groups of 0"},
        {"timm_nfnet", {"stem.conv4.weight 1099511627776,0,3,3"}, "convolutions of its stem"},
        {"timm_nfnet", {"final_conv.weight 17592186044416,0,1,1"}, "final_conv"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fovea_error err = {.message = ""};
        char path[256];
        snprintf(path, sizeof(path), SEEDS "%s", cases[i].seed);
        enum fovea_status st = load(path, cases[i].instead, 0, &err);
        CHECK(st == FOVEA_ERR_INVALID || st == FOVEA_ERR_LIMIT);
        if (!strstr(err.message, cases[i].part)) {
            check_failed(__FILE__, __LINE__, cases[i].part, err.message);
        }
    }
}

static long peak_kib(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

/* A table of 224x224 positions for 24 KB of a patch embedding. */
static void shapes__of_a_wide_embedding__compute_no_table(void) {
    const char *wide[2] = {"embedding/kernel 1,1,3,2000", "embedding/bias 2000"};
    struct fovea_error err = {.message = ""};
    long before = peak_kib();
    CHECK(load(SEEDS "big_vision_sincos", wide, (size_t)1 << 30, &err) == FOVEA_ERR_INVALID);
    CHECK(strstr(err.message, "the checkpoint does not fit"));
    CHECK(peak_kib() - before < 128 << 10);
    CHECK(load(SEEDS "big_vision_sincos", wide, 100 << 20, &err) == FOVEA_ERR_LIMIT);
    CHECK(strstr(err.message, "position embeddings for 224x224 patches take 401408000 bytes; the "
                              "memory limit is 104857600"));
}

int main(int argc, char **argv) {
    static const struct test tests[] = {
        TEST(shapes__of_no_elements__decide_nothing),
        TEST(shapes__of_a_wide_embedding__compute_no_table),
    };
    return RUN_TESTS(tests, argc, argv);
}
