/*
 * Fuzzing what checkpoints are taken for: tensors, by their names and shapes,
 * config.json beside them and options become a network of some kind, or are
 * refused with words. What loads plans and runs, with passes as without, and
 * what it is converted to does so, too.
 *
 * The input is text. A line that begins with { is config.json, one that begins
 * with = an option and its value, one that begins with arch: the name of a
 * network to be made up instead, and any other a tensor of f32: its name, a
 * space, its dimensions with commas between them.
 */
#include "loaders/arch.h"
#include "loaders/onnx_save.h"
#include "runtime/model.h"
#include "runtime/tensor.h"
#include "tests/fuzz/both_ways.h"
#include "tests/fuzz/fuzz_model.h"
#include "tests/fuzz/line_mutator.h"
#include "tests/temp_dir.h"

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
    FILE *header; /* of a safetensors file, as it grows */
    char *header_text;
    size_t header_size, data_size;
    int n_tensors;
    bool too_large, convert;
    const char *config, *name; /* lent: lines */
    struct fovea_load_options options;
};

/* A name as JSON; what is no UTF-8 is left so. */
static void write_name(FILE *out, const char *name, size_t length) {
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)name[i];
        fprintf(out, c < 0x20 || c == '"' || c == '\\' ? "\\u%04x" : "%c", c);
    }
}

/* Dimensions from "1,2,3" into `dims`, which are as many as are returned. */
static int read_dims(const char *text, int64_t dims[FOVEA_MAX_RANK]) {
    int rank = 0;
    for (const char *at = text; at && *at && rank < FOVEA_MAX_RANK; at = strchr(at, ',')) {
        at += *at == ',';
        dims[rank++] = llabs(atoll(at));
    }
    return rank;
}

/* Bytes of a tensor of f32; more than MOST_BYTES if they are too many. One without is any size. */
static int64_t bytes_of(const int64_t *dims, int rank) {
    int64_t bytes = sizeof(float);
    bool none = false;
    for (int i = 0; i < rank; i++) {
        none = none || dims[i] == 0;
        bytes = bytes > MOST_BYTES || dims[i] > MOST_BYTES ? INT64_MAX : bytes * dims[i];
    }
    return none ? 0 : bytes;
}

static void add_tensor(struct draft *d, const char *line) {
    const char *space = strrchr(line, ' ');
    size_t length = space ? (size_t)(space - line) : strlen(line);
    int64_t dims[FOVEA_MAX_RANK];
    int rank = read_dims(space ? space + 1 : NULL, dims);
    int64_t bytes = bytes_of(dims, rank);
    fputs(d->n_tensors++ > 0 ? ",\"" : "{\"", d->header);
    write_name(d->header, line, length);
    fputs("\":{\"dtype\":\"F32\",\"shape\":[", d->header);
    for (int i = 0; i < rank; i++) {
        fprintf(d->header, "%s%lld", i > 0 ? "," : "", (long long)dims[i]);
    }
    d->too_large = d->too_large || bytes > MOST_BYTES - (int64_t)d->data_size;
    size_t end = d->data_size + (d->too_large ? 0 : (size_t)bytes);
    fprintf(d->header, "],\"data_offsets\":[%zu,%zu]}", d->data_size, end);
    d->data_size = end;
}

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
            add_tensor(d, line);
        }
    }
    fputs(d->n_tensors > 0 ? "}" : "{}", d->header);
}

/* Numbers in [-0.25, 0.25), none like the next, the same each time. */
static void fill(float *data, size_t count) {
    uint32_t state = 1;
    for (size_t i = 0; i < count; i++) {
        state = state * 1664525u + 1013904223u;
        data[i] = (float)(state >> 8) * 0x1p-25f - 0.25f;
    }
}

/* The file of the draft, for the caller to free. */
static uint8_t *assemble(struct draft *d, size_t *size) {
    uint64_t header_size = d->header_size;
    *size = 8 + d->header_size + d->data_size;
    uint8_t *file = malloc(*size);
    float *values = malloc(d->data_size + 1);
    if (!file || !values) {
        abort();
    }
    fill(values, d->data_size / sizeof(float));
    memcpy(file, &header_size, 8);
    memcpy(file + 8, d->header_text, d->header_size);
    memcpy(file + 8 + d->header_size, values, d->data_size);
    free(values);
    return file;
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
    d.header = open_memstream(&d.header_text, &d.header_size);
    char *text = strndup((const char *)data, size);
    if (!d.header || !text) {
        abort();
    }
    read_lines(&d, text);
    fclose(d.header);
    if (!d.too_large) {
        size_t file_size;
        uint8_t *file = assemble(&d, &file_size);
        try_network(&d, file, file_size);
        free(file);
    }
    free(d.header_text);
    free(text);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed) {
    return mutate_lines(data, size, most, seed);
}
