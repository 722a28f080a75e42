/*
 * Preprocessing stage by stage, to compare with what does all in one call.
 */
#ifndef FOVEA_TESTS_STAGES_H
#define FOVEA_TESTS_STAGES_H

#include "loaders/preprocess.h"

struct stages {
    struct fovea_image resized, cropped;
};

/* timm's recipe, to a size of one's own. */
struct fovea_recipe timm_recipe(enum fovea_resize_mode mode, int height, int width,
                                double crop_pct);

/* Resize and crop; a failed check if that fails. To be finished. */
void stages_make(struct stages *stages, const struct fovea_recipe *recipe,
                 const struct fovea_image *decoded);
void stages_finish(struct stages *stages);

/*
 * Whether the JPEG of which `stages` were made becomes the same in one call,
 * normalised, to the bit.
 */
bool stages_agree(const struct stages *stages, const struct fovea_recipe *recipe,
                  const uint8_t *bytes, size_t size);

#endif
