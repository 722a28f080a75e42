/*
 * Whether a model's patches cover its input.
 */
#ifndef FOVEA_TOOLS_PATCH_GRID_H
#define FOVEA_TOOLS_PATCH_GRID_H

#include "runtime/fovea.h"

/*
 * One line into `note`, of note_bytes, if the first thing that the model does
 * to an image of height x width is a convolution of patches (its kernel its
 * stride, no padding) that do not fit a whole number of times: how many pixels
 * it sees, and which sizes are exact. Else "".
 */
void patch_grid_note(const struct fovea_model *model, int height, int width, char *note,
                     size_t note_bytes);

#endif
