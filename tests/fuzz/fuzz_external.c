/*
 * Fuzzing what names other files: external data of an .onnx file, and the
 * index of a checkpoint in several files. They lie in a folder with everything
 * that must not be followed, and beside it lies a file that nobody may read:
 * whatever the bytes say, the result is the contents of a file in the folder,
 * or an error.
 *
 * The first byte chooses. Then: for external data, entries of
 * a byte that chooses a key, and a value up to the next newline; else the index.
 */
#include "loaders/checkpoint.h"
#include "runtime/model.h"
#include "runtime/tensor.h"
#include "tests/fuzz/fuzz_model.h"
#include "tests/onnx_parts.h"
#include "tests/temp_dir.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ELEMENTS = 8, FILE_BYTES = 64, MEMORY = 16 << 20, SECRET = 0x5e };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- the folder ------------------------------------------------------------- */

static void must(int result) {
    if (result != 0) {
        perror("fuzz_external");
        exit(1);
    }
}

static const char *within(const char *name) {
    char joined[64];
    snprintf(joined, sizeof(joined), "model/%s", name);
    return temp_path(joined);
}

/* A safetensors file of one tensor "a", of the four bytes given. */
static void write_shard(const char *name, const char *contents) {
    static const char header[] =
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}}  ";
    uint8_t file[8 + sizeof(header) - 1 + 4] = {sizeof(header) - 1};
    memcpy(file + 8, header, sizeof(header) - 1);
    memcpy(file + 8 + sizeof(header) - 1, contents, 4);
    temp_write(name, file, sizeof(file));
}

static void make_folder(void) {
    static bool made;
    uint8_t good[FILE_BYTES], secret[FILE_BYTES];
    if (made) {
        return;
    }
    made = true;
    memset(good, 1, sizeof(good));
    memset(secret, SECRET, sizeof(secret));
    must(mkdir(temp_path("model"), 0700));
    must(mkdir(within("sub"), 0700));
    temp_write("model/data", good, sizeof(good));
    temp_write("model/sub/data", good, sizeof(good));
    temp_write("model/empty", good, 0);
    temp_write("secret", secret, sizeof(secret));
    write_shard("model/one", "\1\1\1\1");
    write_shard("shard", (char[]){SECRET, SECRET, SECRET, SECRET});
    must(symlink("../secret", within("link")));
    must(symlink("../shard", within("shard_link")));
    must(symlink("..", within("up")));
    must(link(temp_path("secret"), within("hard")));
    must(mkfifo(within("pipe"), 0600));
}

/* ---- external data ------------------------------------------------------------- */

static void entry(struct pb *pb, const char *key, const char *value, size_t length) {
    size_t begin = pb_begin(pb, 13);
    pb_text(pb, 1, key);
    pb_bytes(pb, 2, value, length);
    pb_end(pb, begin);
}

static void entries(struct pb *pb, const char *at, size_t left) {
    static const char *const keys[] = {"location", "offset", "length", "checksum", "basepath"};
    while (left > 0) {
        const char *key = keys[(unsigned char)*at % 5], *value = at + 1;
        const char *end = memchr(value, '\n', left - 1);
        size_t length = end ? (size_t)(end - value) : left - 1;
        entry(pb, key, value, length);
        left -= 1 + length + (end != NULL);
        at += 1 + length + (end != NULL);
    }
}

static void check_contents(const void *contents, size_t size) {
    for (size_t i = 0; i < size; i++) {
        if (((const uint8_t *)contents)[i] == SECRET) {
            abort();
        }
    }
}

static void check_model(const struct fovea_model *model) {
    for (const struct fovea_node *node = model->graph.first; node; node = node->next) {
        for (int i = 0; i < node->n_in; i++) {
            if (node->in[i] && node->in[i]->constant) {
                check_contents(node->in[i]->t.data, fovea_tensor_bytes(&node->in[i]->t));
            }
        }
    }
}

static void try_external(const char *text, size_t size) {
    struct onnx_parts parts;
    struct pb file = {0};
    struct fovea_error err = {.message = ""};
    struct fovea_model *model;
    onnx_parts_init(&parts);
    size_t tensor =
        onnx_tensor_begin(&parts.initializers, "w", ONNX_UINT8, 1, (int64_t[]){ELEMENTS});
    entries(&parts.initializers, text, size);
    pb_int(&parts.initializers, 14, 1);
    pb_end(&parts.initializers, tensor);
    onnx_node(&parts.nodes, "Identity", "use", "w", "z");
    onnx_parts_encode(&parts, &file);
    onnx_parts_finish(&parts);
    const char *path = temp_write("model/model.onnx", file.bytes, file.size);
    pb_finish(&file);
    enum fovea_status st = fovea_model_load(path, NULL, &model, &err);
    fuzz_check_error(st, &err);
    if (!st) {
        check_model(model);
        fovea_model_destroy(model);
    }
}

/* ---- an index -------------------------------------------------------------------- */

static void try_index(const char *text, size_t size) {
    struct fovea_tensor_dict dict;
    struct fovea_error err = {.message = ""};
    fovea_tensor_dict_init(&dict, MEMORY);
    enum fovea_status st = fovea_checkpoint_parse(
        FOVEA_CONTAINER_SAFETENSORS_INDEX, within("index.json"), text, size, false, &dict, &err);
    fuzz_check_error(st, &err);
    for (size_t i = 0; !st && i < dict.count; i++) {
        check_contents(dict.entries[i].t.data, fovea_tensor_bytes(&dict.entries[i].t));
    }
    fovea_tensor_dict_finish(&dict);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    make_folder();
    if (size > 0 && data[0] % 2 == 0) {
        try_external((const char *)data + 1, size - 1);
    } else if (size > 0) {
        try_index((const char *)data + 1, size - 1);
    }
    return 0;
}
