/*
 * Fuzzing a checkpoint container, compiled once for each (FUZZ_CONTAINER): any
 * bytes give tensors that can be read whole, or an error.
 */
#include "loaders/checkpoint.h"
#include "runtime/tensor.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MEMORY = 16 << 20 };

static uint64_t sum(const struct fovea_tensor *t) {
    const unsigned char *bytes = t->data;
    size_t size = fovea_tensor_bytes(t);
    uint64_t total = 0;
    if ((size > 0) != (bytes != NULL) || (uintptr_t)bytes % fovea_dtype_size(t->dtype) != 0) {
        abort();
    }
    for (size_t i = 0; i < size; i++) {
        total += bytes[i];
    }
    return total;
}

static uint64_t read_all(const struct fovea_tensor_dict *dict) {
    uint64_t total = 0;
    for (size_t i = 0; i < dict->count; i++) {
        total += sum(&dict->entries[i].t);
        if (fovea_tensor_dict_find(dict, dict->entries[i].name) != &dict->entries[i].t) {
            abort();
        }
    }
    return total;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct fovea_tensor_dict dict;
    struct fovea_error err = {.message = ""};
    fovea_tensor_dict_init(&dict, MEMORY);
    enum fovea_status st =
        fovea_checkpoint_parse(FUZZ_CONTAINER, "/", data, size, false, &dict, &err);
    volatile uint64_t total = st ? 0 : read_all(&dict);
    (void)total;
    if (st && (err.status != st || !err.message[0])) {
        abort();
    }
    fovea_tensor_dict_finish(&dict);
    return 0;
}
