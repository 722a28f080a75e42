/* See tensor_lines.h. */
#include "tests/tensor_lines.h"

#include "runtime/fovea.h"

#include <stdlib.h>
#include <string.h>

void tensor_lines_init(struct tensor_lines *lines, size_t most) {
    *lines = (struct tensor_lines){.most = most};
    lines->header = open_memstream(&lines->header_text, &lines->header_size);
    if (!lines->header) {
        abort();
    }
}

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

/* Bytes of a tensor of f32, INT64_MAX if they are more than `most`. One without is any size. */
static int64_t bytes_of(const int64_t *dims, int rank, int64_t most) {
    int64_t bytes = sizeof(float);
    bool none = false;
    for (int i = 0; i < rank; i++) {
        none = none || dims[i] == 0;
        bytes = bytes > most || dims[i] > most ? INT64_MAX : bytes * dims[i];
    }
    return none ? 0 : bytes;
}

void tensor_lines_add(struct tensor_lines *lines, const char *line) {
    const char *space = strrchr(line, ' ');
    size_t length = space ? (size_t)(space - line) : strlen(line);
    int64_t dims[FOVEA_MAX_RANK];
    int rank = read_dims(space ? space + 1 : NULL, dims);
    int64_t bytes = bytes_of(dims, rank, (int64_t)lines->most);
    fputs(lines->count++ > 0 ? ",\"" : "{\"", lines->header);
    write_name(lines->header, line, length);
    fputs("\":{\"dtype\":\"F32\",\"shape\":[", lines->header);
    for (int i = 0; i < rank; i++) {
        fprintf(lines->header, "%s%lld", i > 0 ? "," : "", (long long)dims[i]);
    }
    lines->too_large = lines->too_large || bytes > (int64_t)(lines->most - lines->data_size);
    size_t end = lines->data_size + (lines->too_large ? 0 : (size_t)bytes);
    fprintf(lines->header, "],\"data_offsets\":[%zu,%zu]}", lines->data_size, end);
    lines->data_size = end;
}

static void fill(float *data, size_t count) {
    uint32_t state = 1;
    for (size_t i = 0; i < count; i++) {
        state = state * 1664525u + 1013904223u;
        data[i] = (float)(state >> 8) * 0x1p-25f - 0.25f;
    }
}

static uint8_t *assemble(const struct tensor_lines *lines, size_t *size) {
    uint64_t header_size = lines->header_size;
    *size = 8 + lines->header_size + lines->data_size;
    uint8_t *file = malloc(*size);
    float *values = malloc(lines->data_size + 1);
    if (!file || !values) {
        abort();
    }
    fill(values, lines->data_size / sizeof(float));
    memcpy(file, &header_size, 8);
    memcpy(file + 8, lines->header_text, lines->header_size);
    memcpy(file + 8 + lines->header_size, values, lines->data_size);
    free(values);
    return file;
}

uint8_t *tensor_lines_finish(struct tensor_lines *lines, size_t *size) {
    fputs(lines->count > 0 ? "}" : "{}", lines->header);
    fclose(lines->header);
    uint8_t *file = lines->too_large ? NULL : assemble(lines, size);
    free(lines->header_text);
    return file;
}
