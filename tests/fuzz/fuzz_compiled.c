/*
 * Fuzzing compiled files: a description of any bytes, with checksums that are
 * right, loads and runs within a little memory, or is refused.
 *
 * An input is a compiled file, whose checksums are made right; or an .onnx
 * file, which is compiled first: then each of many changes to the description
 * is tried, so that replaying needs no stored seeds, which every change of the
 * format would make useless. With FOVEA_FUZZ_SEEDS=FOLDER it is only compiled,
 * and put there: seeds for fuzzing.
 */
#include "runtime/checksum.h"
#include "runtime/model.h"
#include "runtime/tensor.h"
#include "tests/fuzz/fuzz_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    MOST_INPUT = 4 << 20,
    MOST_NODES = 2000,
    MEMORY = 64 << 20,
    CHANGES = 400,
    MOST_SEED = 1 << 16,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- files in memory ---------------------------------------------------- */

static void put(uint8_t *at, uint64_t number) {
    memcpy(at, &number, sizeof(number));
}

static uint64_t get(const uint8_t *at) {
    uint64_t number;
    memcpy(&number, at, sizeof(number));
    return number;
}

/* Make all checksums right, if the sizes leave a file to have any. */
static void mend(uint8_t *file, size_t size) {
    uint64_t description = size >= 64 ? get(file + 16) : 0, data = size >= 64 ? get(file + 24) : 0;
    if (size < 64 || description > size || data > size) {
        return;
    }
    size_t begin = (64 + description + 4095) / 4096 * 4096;
    size_t pieces = (data + FOVEA_CHECKSUM_PIECE - 1) / FOVEA_CHECKSUM_PIECE;
    if (begin + data + 8 * pieces != size) {
        return;
    }
    for (size_t i = 0; i < pieces; i++) {
        size_t at = i * FOVEA_CHECKSUM_PIECE, left = data - at;
        size_t piece = left < FOVEA_CHECKSUM_PIECE ? left : FOVEA_CHECKSUM_PIECE;
        put(file + begin + data + 8 * i, fovea_checksum_piece(file + begin + at, piece));
    }
    put(file + 40, fovea_checksum(file + begin + data, 8 * pieces));
    put(file + 32, fovea_checksum(file + 64, begin - 64));
    put(file + 56, fovea_checksum(file, 56));
}

/* ---- running ------------------------------------------------------------ */

static bool make_input(const struct fovea_model *model, size_t index, struct fovea_tensor *t) {
    const struct fovea_tensor *planned = fovea_model_get_planned_input(model, index);
    const struct fovea_io *io = fovea_model_get_input(model, index);
    int64_t dims[FOVEA_MAX_RANK];
    for (int i = 0; i < io->rank; i++) {
        dims[i] = io->dims[i] < 0 ? 1 : io->dims[i];
    }
    fovea_tensor_set_shape(t, io->dtype, io->rank, dims);
    if (planned) {
        *t = *planned;
    }
    if (fovea_tensor_check_shape(t, NULL) || fovea_tensor_bytes(t) > MOST_INPUT) {
        return false;
    }
    t->data = calloc(1, fovea_tensor_bytes(t) + 1);
    return t->data;
}

/* `save_to`: store the session there, in bf16 or as it comes, instead of running it. */
static void plan_and_run(const struct fovea_model *model, bool bf16, const char *save_to) {
    struct fovea_tensor inputs[FUZZ_MOST_IO] = {{0}};
    struct fovea_session_options options;
    struct fovea_session *session;
    struct fovea_error err = {.message = ""};
    size_t n = fovea_model_n_inputs(model), made = 0;
    if (n > FUZZ_MOST_IO || fovea_model_n_outputs(model) > FUZZ_MOST_IO ||
        model->graph.n_nodes > MOST_NODES) {
        return;
    }
    fovea_session_options_default(&options);
    fovea_model_get_session_options(model, &options);
    options.threads = 1;
    options.precision = bf16 ? FOVEA_PRECISION_BF16 : options.precision;
    options.max_memory = MEMORY;
    while (made < n && make_input(model, made, &inputs[made])) {
        made++;
    }
    enum fovea_status st =
        made < n ? FOVEA_ERR_LIMIT : fovea_session_create(model, inputs, &options, &session, &err);
    if (made == n) {
        fuzz_check_error(st, &err);
    }
    if (!st && save_to) {
        fuzz_check_error(fovea_session_save(session, save_to, &err), &err);
    } else if (!st) {
        fuzz_session_run(session, fovea_model_n_outputs(model), inputs);
    }
    if (!st) {
        fovea_session_destroy(session);
    }
    for (size_t i = 0; i < made; i++) {
        free(inputs[i].data);
    }
}

static void run_compiled(const struct fovea_model *model) {
    plan_and_run(model, false, NULL);
}

static void try_bytes(uint8_t *file, size_t size) {
    mend(file, size);
    fuzz_model_load(file, size, run_compiled);
}

/* ---- from .onnx --------------------------------------------------------- */

static bool read_whole(const char *path, uint8_t **bytes, size_t *size) {
    FILE *in = fopen(path, "rb");
    struct stat status;
    if (!in || fstat(fileno(in), &status) != 0) {
        return false;
    }
    *size = (size_t)status.st_size;
    *bytes = malloc(*size + 1);
    bool ok = *bytes && fread(*bytes, 1, *size, in) == *size;
    fclose(in);
    return ok;
}

static void write_whole(const char *path, const uint8_t *bytes, size_t size) {
    FILE *out = fopen(path, "wb");
    if (!out || (size > 0 && fwrite(bytes, 1, size, out) != size) || fclose(out) != 0) {
        abort();
    }
}

static uint32_t next_random(uint32_t *state) {
    *state = *state * 1664525 + 1013904223;
    return *state >> 8;
}

/* Every change once: a byte, a number of four bytes, or a run of bytes from elsewhere. */
static void try_changes(uint8_t *file, size_t size) {
    size_t description = get(file + 16);
    uint8_t *original = malloc(64 + description);
    uint32_t state = 1;
    if (!original || description < 64) {
        abort();
    }
    memcpy(original, file, 64 + description);
    for (int i = 0; i < CHANGES; i++) {
        static const uint32_t numbers[] = {0, 1, 2, 5, 63, 255, 65536, 0x7fffffff, 0xffffffff};
        uint8_t *at = file + 64 + next_random(&state) % (description - 32);
        uint32_t number = numbers[next_random(&state) % 9];
        switch (i % 4) {
        case 0:
            *at ^= (uint8_t)(1 << next_random(&state) % 8);
            break;
        case 1:
            *at = (uint8_t)number;
            break;
        case 2:
            memcpy(at, &number, sizeof(number));
            break;
        default:
            memmove(at, original + 64 + next_random(&state) % (description - 32), 16);
            break;
        }
        try_bytes(file, size);
        memcpy(file, original, 64 + description);
    }
    free(original);
}

static void use_compiled(uint8_t *file, size_t size) {
    static int number;
    const char *seeds = getenv("FOVEA_FUZZ_SEEDS");
    char path[256];
    if (seeds && size > MOST_SEED) {
        return;
    }
    if (seeds) {
        snprintf(path, sizeof(path), "%.200s/%ld-%d.fovea", seeds, (long)getpid(), number++);
        write_whole(path, file, size);
        return;
    }
    try_changes(file, size);
}

static void compile_and_change(const uint8_t *data, size_t size, bool bf16) {
    char onnx[128], compiled[128];
    struct fovea_model *model;
    struct fovea_error err = {.message = ""};
    uint8_t *bytes = NULL;
    size_t length = 0;
    const char *folder = getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp";
    snprintf(onnx, sizeof(onnx), "%.80s/fuzz-compiled-%ld.onnx", folder, (long)getpid());
    snprintf(compiled, sizeof(compiled), "%.80s/fuzz-compiled-%ld.fovea", folder, (long)getpid());
    write_whole(onnx, data, size);
    if (!fovea_model_load(onnx, NULL, &model, &err)) {
        plan_and_run(model, bf16, compiled);
        fovea_model_destroy(model);
    }
    if (read_whole(compiled, &bytes, &length)) {
        use_compiled(bytes, length);
    }
    unlink(compiled);
    unlink(onnx);
    free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 8 || memcmp(data, "\211FOVEA\r\n", 8) != 0) {
        compile_and_change(data, size, false);
        compile_and_change(data, size, true);
        return 0;
    }
    uint8_t *file = malloc(size);
    if (!file) {
        return 0;
    }
    memcpy(file, data, size);
    try_bytes(file, size);
    free(file);
    return 0;
}
