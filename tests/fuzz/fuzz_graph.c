/*
 * Fuzzing the whole path with graphs that make sense (graph_maker.h). A graph
 * loads, plans and runs, or is refused, and a session with passes says what
 * one without says.
 */
#include "tests/fuzz/both_ways.h"
#include "tests/fuzz/fuzz_model.h"
#include "tests/fuzz/graph_maker.h"

#include <stdio.h>
#include <stdlib.h>

enum { MEMORY = 4 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool continuous;

static void try_model(const struct fovea_model *model) {
    both_ways(model, model, MEMORY, continuous);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct pb file = {0};
    continuous = graph_make(data, size, &file);
    const char *save = getenv("FOVEA_FUZZ_SAVE"); /* to look at the graph of a finding */
    FILE *out = save ? fopen(save, "wb") : NULL;
    if (out) {
        fwrite(file.bytes, 1, file.size, out);
        fclose(out);
    }
    fuzz_model_load(file.bytes, file.size, try_model);
    pb_finish(&file);
    return 0;
}
