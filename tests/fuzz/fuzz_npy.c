/* Fuzzing the .npy parser: any bytes give a tensor of their size or an error. */
#include "loaders/npy.h"
#include "runtime/tensor.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct fovea_tensor tensor;
    struct fovea_error err = {.message = ""};
    enum fovea_status st = fovea_tensor_parse_npy(data, size, &tensor, &err);
    if (!st) {
        if (fovea_tensor_bytes(&tensor) > size) {
            abort();
        }
        free(tensor.data);
    } else if (err.status != st || !err.message[0]) {
        abort();
    }
    return 0;
}
