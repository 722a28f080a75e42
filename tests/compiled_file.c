/* See compiled_file.h. */
#include "tests/compiled_file.h"

#include "runtime/checksum.h"
#include "tests/check.h"
#include "tests/temp_dir.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool compiled_file_load(struct compiled_file *file, const char *path) {
    FILE *in = fopen(path, "rb");
    *file = (struct compiled_file){0};
    if (!in) {
        return false;
    }
    fseek(in, 0, SEEK_END);
    file->size = (size_t)ftell(in);
    rewind(in);
    file->bytes = malloc(file->size + 1);
    bool ok = file->bytes && fread(file->bytes, 1, file->size, in) == file->size;
    fclose(in);
    return ok;
}

/* As a file of its own: what is mapped of the former one stays. */
bool compiled_file_save(const struct compiled_file *file, const char *path) {
    unlink(path);
    FILE *out = fopen(path, "wb");
    bool ok = out && fwrite(file->bytes, 1, file->size, out) == file->size;
    return out && fclose(out) == 0 && ok;
}

void compiled_file_finish(struct compiled_file *file) {
    free(file->bytes);
    *file = (struct compiled_file){0};
}

static uint64_t number_at(const struct compiled_file *file, size_t at) {
    uint64_t number;
    memcpy(&number, file->bytes + at, sizeof(number));
    return number;
}

static void put(struct compiled_file *file, size_t at, uint64_t number) {
    memcpy(file->bytes + at, &number, sizeof(number));
}

size_t compiled_file_description(const struct compiled_file *file) {
    return (size_t)number_at(file, 16);
}

size_t compiled_file_data(const struct compiled_file *file) {
    return (64 + compiled_file_description(file) + 4095) / 4096 * 4096;
}

size_t compiled_file_find(const struct compiled_file *file, const char *text) {
    unsigned char *at = memmem(file->bytes, file->size, text, strlen(text));
    if (!at) {
        printf("'%s' is not in the compiled file\n", text);
        exit(1);
    }
    return (size_t)(at - file->bytes);
}

void compiled_file_mend(struct compiled_file *file, bool data) {
    size_t begin = compiled_file_data(file), size = (size_t)number_at(file, 24);
    size_t pieces = (size + FOVEA_CHECKSUM_PIECE - 1) / FOVEA_CHECKSUM_PIECE;
    for (size_t i = 0; data && i < pieces; i++) {
        size_t at = i * FOVEA_CHECKSUM_PIECE, left = size - at;
        size_t piece = left < FOVEA_CHECKSUM_PIECE ? left : FOVEA_CHECKSUM_PIECE;
        put(file, begin + size + 8 * i, fovea_checksum_piece(file->bytes + begin + at, piece));
    }
    put(file, 40, fovea_checksum(file->bytes + begin + size, 8 * pieces));
    put(file, 32, fovea_checksum(file->bytes + 64, begin - 64));
    put(file, 56, fovea_checksum(file->bytes, 56));
}

/* ---- examples ----------------------------------------------------------- */

static bool copy(const char *from, const char *to) {
    struct compiled_file file;
    bool ok = compiled_file_load(&file, from) && compiled_file_save(&file, to);
    compiled_file_finish(&file);
    return ok;
}

enum fovea_status compiled_session_load(struct compiled_session *s, const char *path,
                                        const struct fovea_session_options *options,
                                        struct fovea_error *err) {
    const struct fovea_tensor input = {.dtype = FOVEA_F32, .rank = 4, .dims = {1, 3, 480, 480}};
    enum fovea_status st = fovea_model_load(path, NULL, &s->model, err);
    if (st) {
        return st;
    }
    st = fovea_session_create(s->model, &input, options, &s->session, err);
    if (st) {
        fovea_model_destroy(s->model);
    }
    return st;
}

void compiled_session_finish(struct compiled_session *s) {
    fovea_session_destroy(s->session);
    fovea_model_destroy(s->model);
}

static enum fovea_status compile(const struct compiled_example *example, const char *passes,
                                 struct fovea_error *err) {
    struct compiled_session s;
    struct fovea_session_options options;
    fovea_session_options_default(&options);
    options.passes = passes;
    options.threads = 1;
    enum fovea_status st = compiled_session_load(&s, example->model, &options, err);
    if (!st) {
        st = fovea_session_save(s.session, example->compiled, err);
        compiled_session_finish(&s);
    }
    return st;
}

bool compiled_example_make(struct compiled_example *example, const char *name, const char *passes,
                           struct fovea_error *err) {
    char source[512];
    snprintf(source, sizeof(source), FOVEA_SOURCE_ROOT "/examples/shapes/%s.onnx", name);
    snprintf(example->model, sizeof(example->model), "%s/%s.onnx", temp_dir(), name);
    snprintf(example->compiled, sizeof(example->compiled), "%s/%s.fovea", temp_dir(), name);
    return copy(source, example->model) && compile(example, passes, err) == FOVEA_OK;
}

void compiled_example_append(const char *path, const char *text) {
    FILE *file = fopen(path, "ab");
    CHECK(file && fputs(text, file) >= 0 && fclose(file) == 0);
}
