/* See patch_grid.h. */
#include "tools/patch_grid.h"

#include "runtime/model.h"

#include <stdio.h>
#include <string.h>

/* Steps between the input and the convolution that are looked past. */
enum { MAX_STEPS = 8 };

/* What may come first and leaves every pixel in its place: types, normalisation. */
static bool keeps_places(const struct fovea_node *node) {
    static const char *const types[] = {"Add", "Cast", "Div", "Identity", "Mul", "Sub"};
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (strcmp(node->type, types[i]) == 0) {
            return node->n_out == 1 && node->out[0];
        }
    }
    return false;
}

/* The convolution that reads the value, at most `steps` nodes away; or NULL. */
static const struct fovea_node *find_conv(const struct fovea_value *value, int steps) {
    for (size_t i = 0; i < value->n_uses; i++) {
        const struct fovea_node *node = value->uses[i].node, *found = NULL;
        if (strcmp(node->type, "Conv") == 0) {
            return value->uses[i].index == 0 ? node : NULL;
        }
        if (steps > 0 && keeps_places(node)) {
            found = find_conv(node->out[0], steps - 1);
        }
        if (found) {
            return found;
        }
    }
    return NULL;
}

static bool all_are(const int64_t *values, size_t count, int64_t wanted) {
    for (size_t i = 0; i < count; i++) {
        if (values[i] != wanted) {
            return false;
        }
    }
    return true;
}

/* Side of the square patches that the convolution cuts, or 0. */
static int64_t patch_of(const struct fovea_node *conv) {
    size_t n_strides, n_pads, n_dilations;
    const int64_t *strides = fovea_attr_ints(conv, "strides", &n_strides);
    const int64_t *pads = fovea_attr_ints(conv, "pads", &n_pads);
    const int64_t *dilations = fovea_attr_ints(conv, "dilations", &n_dilations);
    const struct fovea_tensor *weights = conv->n_in > 1 && conv->in[1] ? &conv->in[1]->t : NULL;
    if (!weights || weights->rank != 4 || n_strides != 2 || !all_are(pads, n_pads, 0) ||
        !all_are(dilations, n_dilations, 1) ||
        strncmp(fovea_attr_string(conv, "auto_pad", "NOTSET"), "SAME", 4) == 0) {
        return 0;
    }
    int64_t patch = strides[0];
    bool square = strides[1] == patch && weights->dims[2] == patch && weights->dims[3] == patch;
    return square && patch > 1 ? patch : 0;
}

static void describe(int patch, int height, int width, char *note, size_t note_bytes) {
    int lower = height / patch * patch;
    char exact[64];
    if (height != width) {
        snprintf(exact, sizeof(exact), "multiples of %d are exact", patch);
    } else if (lower == 0) {
        snprintf(exact, sizeof(exact), "%d is exact", patch);
    } else {
        snprintf(exact, sizeof(exact), "%d or %d are exact", lower, lower + patch);
    }
    snprintf(note, note_bytes, "at %dx%d the model sees %dx%d pixels, in patches of %d; %s", height,
             width, lower, width / patch * patch, patch, exact);
}

void patch_grid_note(const struct fovea_model *model, int height, int width, char *note,
                     size_t note_bytes) {
    const struct fovea_graph *graph = &model->graph;
    const struct fovea_node *conv = graph->n_inputs ? find_conv(graph->inputs[0], MAX_STEPS) : NULL;
    int64_t patch = conv ? patch_of(conv) : 0;
    note[0] = 0;
    if (patch > 0 && patch <= INT32_MAX / 2 && (height % patch || width % patch)) {
        describe((int)patch, height, width, note, note_bytes);
    }
}
