/*
 * Images read and prepared by threads ahead of the model, handed over in the
 * order of the list whatever thread made them, so that nothing downstream
 * depends on how many there are.
 *
 *     list --workers--> ring of prepared images --in order--> taker
 */
#ifndef FOVEA_TOOLS_EVAL_PIPELINE_H
#define FOVEA_TOOLS_EVAL_PIPELINE_H

#include "loaders/preprocess.h"

#include <stddef.h>

/* What to prepare. Lent until the pipeline is destroyed. */
struct pipeline_source {
    const char *root;
    const char *(*path)(const void *context, size_t index); /* below the root */
    const void *context;
    size_t count;
    const struct fovea_recipe *recipe;
    const struct fovea_jpeg_options *jpeg;
};

enum image_state {
    IMAGE_NOT_DONE,
    IMAGE_OK,
    IMAGE_FAILED,
    IMAGE_MISSING, /* there is no such file */
};

/* What became of one image. */
struct prepared_image {
    enum image_state state;
    char message[512]; /* why it failed, or a warning about one that did not; or "" */
};

struct pipeline;

/* `workers` threads, never more than `ahead` images before the taker, start at once. */
enum fovea_status pipeline_create(const struct pipeline_source *source, int workers, size_t ahead,
                                  struct pipeline **out, struct fovea_error *err);

/*
 * Wait for the next image of the list and copy its pixels to `pixels` (only if
 * its state is IMAGE_OK). To be called at most source->count times.
 */
void pipeline_take(struct pipeline *pipeline, float *pixels, struct prepared_image *out);

/* Stops the workers, whatever is left to do. NULL is fine. */
void pipeline_destroy(struct pipeline *pipeline);

#endif
