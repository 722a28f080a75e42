/* The build's name, made by build_id.sh: see build_id.h. */
#include "runtime/build_id.h"

const char *fovea_build_id(void) {
    return
#include "runtime/build_id.inc"
        ;
}
