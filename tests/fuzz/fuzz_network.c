/*
 * Fuzzing what checkpoints are taken for: tensors, by their names and shapes,
 * config.json beside them and options become a network of some kind, or are
 * refused with words. What loads plans and runs, with passes as without, and
 * what it is converted to does so, too.
 *
 * The input is text. A line that begins with { is config.json, one that begins
 * with = an option and its value, one that begins with arch: the name of a
 * network to be made up instead, and any other a tensor (tensor_lines.h).
 */
#include "loaders/arch.h"
#include "loaders/onnx_save.h"
#include "runtime/model.h"
#include "runtime/tensor.h"
#include "tests/fuzz/both_ways.h"
#include "tests/fuzz/fuzz_model.h"
#include "tests/fuzz/line_mutator.h"
#include "tests/temp_dir.h"
#include "tests/tensor_lines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_BYTES = 1 << 18, MEMORY = 16 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed);

/* ---- the checkpoint --------------------------------------------------------- */

/* What the lines of an input say. */
struct draft {
    struct tensor_lines tensors;
    bool convert;
    const char *config, *name; /* lent: lines */
    struct fovea_load_options options;
};

/* `line`: a key, a space, a value, which is lent. */
static void set_option(struct draft *d, char *line) {
    const struct {
        const char *key;
        const char **value;
    } texts[] = {
        {"ws", &d->options.ws_eps},
        {"gelu", &d->options.gelu},
        {"head", &d->options.head_type},
        {"positions", &d->options.positions},
    };
    char *value = strchr(line, ' ');
    if (value) {
        *value++ = 0;
    }
    for (size_t i = 0; value && i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (strcmp(line, texts[i].key) == 0) {
            *texts[i].value = value;
        }
    }
    d->convert = d->convert || strcmp(line, "convert") == 0;
    if (value && strcmp(line, "size") == 0) {
        d->options.size = atoi(value);
    }
    if (value && strcmp(line, "heads") == 0) {
        d->options.heads = atoi(value);
    }
}

/* `text` is cut into lines, which the draft goes on to lend. */
static void read_lines(struct draft *d, char *text) {
    for (char *line = text, *next; line; line = next) {
        next = strchr(line, '\n');
        if (next) {
            *next++ = 0;
        }
        if (*line == '{') {
            d->config = line;
        } else if (fovea_arch_is_name(line)) {
            d->name = line;
        } else if (*line == '=') {
            set_option(d, line + 1);
        } else if (*line) {
            tensor_lines_add(&d->tensors, line);
        }
    }
}

/* ---- the network -------------------------------------------------------------- */

static void read_words(void *context, const char *how, const char *what) {
    *(size_t *)context += strlen(how) + strlen(what);
}

/* Save it as ONNX, and compare with what that file holds, if there is one. */
static void convert(const struct fovea_model *model) {
    const struct fovea_onnx_save_options options = {
        .fold = true, .inline_most = FOVEA_ONNX_INLINE_MOST, .max_memory = MEMORY};
    const char *path = temp_path("converted.onnx");
    struct fovea_error err = {.message = ""};
    struct fovea_model *converted;
    uint64_t bytes;
    enum fovea_status st = fovea_onnx_save(model, path, &options, &bytes, &err);
    fuzz_check_error(st, &err);
    if (st) {
        return;
    }
    if (fovea_model_load(path, NULL, &converted, &err)) {
        fprintf(stderr, "%s\n", err.message);
        abort(); /* what we write, we read */
    }
    both_ways(model, converted, MEMORY, true);
    fovea_model_destroy(converted);
}

static void try_network(struct draft *d, const void *file, size_t size) {
    struct fovea_model *model;
    struct fovea_error err = {.message = ""};
    enum fovea_status st;
    if (d->name) {
        st = fovea_model_load(d->name, &d->options, &model, &err);
    } else if (d->config) {
        temp_write("config.json", d->config, strlen(d->config));
        st = fovea_model_load(temp_write("model.safetensors", file, size), &d->options, &model,
                              &err);
    } else {
        st = fovea_model_load_memory(file, size, &d->options, &model, &err);
    }
    fuzz_check_error(st, &err);
    if (st) {
        return;
    }
    both_ways(model, model, MEMORY, true);
    if (d->convert) {
        convert(model);
    }
    fovea_model_destroy(model);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    size_t words = 0;
    struct draft d = {0};
    fovea_load_options_default(&d.options);
    d.options.max_memory = MEMORY;
    d.options.explain = read_words;
    d.options.explain_context = &words;
    tensor_lines_init(&d.tensors, MOST_BYTES);
    char *text = strndup((const char *)data, size);
    if (!text) {
        abort();
    }
    read_lines(&d, text);
    size_t file_size = 0;
    uint8_t *file = tensor_lines_finish(&d.tensors, &file_size);
    if (file) {
        try_network(&d, file, file_size);
    }
    free(file);
    free(text);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed) {
    return mutate_lines(data, size, most, seed);
}
