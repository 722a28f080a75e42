/* What the library says of itself (fovea.h). */
#include "runtime/build_id.h"
#include "runtime/dnn.h"
#include "runtime/portability.h"

#include <stdio.h>

const char *fovea_version(void) {
    return FOVEA_VERSION;
}

size_t fovea_build_info(char *text, size_t size) {
    int length =
        snprintf(text, size, "fovea %s, build %s, %s %s, oneDNN %s (%s)", FOVEA_VERSION,
                 fovea_build_id(), FOVEA_COMPILER, __VERSION__, fovea_dnn_build(), fovea_dnn_isa());
    return length > 0 ? (size_t)length : 0;
}
