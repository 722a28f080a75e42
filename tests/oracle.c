/* Talking to a reference script: see oracle.h. */
#include "tests/oracle.h"
#include "tests/check.h"

#include <stdlib.h>

static const char *python(void) {
    const char *named = getenv("FOVEA_PYTHON");
    return named ? named : "/usr/bin/python3";
}

FILE *oracle_open(const char *script) {
    char command[4096];
    snprintf(command, sizeof(command),
             "'%s' -c 'import PIL, sys; sys.exit(int(PIL.__version__.split(\".\")[0]) > 12)'"
             " 2>/dev/null",
             python());
    if (system(command) != 0) {
        check_skip("no Python with a Pillow up to 12 to compare with");
        return NULL;
    }
    snprintf(command, sizeof(command), "'%s' -B '%s/tests/%s'", python(), FOVEA_SOURCE_ROOT,
             script);
    FILE *oracle = popen(command, "r");
    CHECK(oracle != NULL);
    return oracle;
}

void oracle_close(FILE *oracle) {
    CHECK(pclose(oracle) == 0);
}

bool oracle_number(FILE *oracle, int *out) {
    uint8_t bytes[4];
    if (fread(bytes, 1, sizeof(bytes), oracle) != sizeof(bytes)) {
        return false;
    }
    uint32_t value =
        bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
    *out = (int)value;
    return true;
}

uint8_t *oracle_bytes(FILE *oracle, size_t n) {
    uint8_t *bytes = malloc(n ? n : 1);
    bool good = bytes && fread(bytes, 1, n, oracle) == n;
    CHECK(good);
    if (!good) {
        free(bytes);
        return NULL;
    }
    return bytes;
}
