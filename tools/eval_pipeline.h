/*
 * Images read and prepared by threads ahead of the model, handed over in the
 * order in which they were claimed, whatever thread made them.
 *
 *     work --claimed by workers--> ring of prepared images --in order--> taker
 */
#ifndef FOVEA_TOOLS_EVAL_PIPELINE_H
#define FOVEA_TOOLS_EVAL_PIPELINE_H

#include "tools/eval_list.h"

#include <signal.h>

/* No image is left to claim. */
#define EVAL_NO_IMAGE SIZE_MAX

/* What to prepare. Lent until the pipeline is destroyed. */
struct pipeline_source {
    const struct eval_list *list;
    /* The index of the next image to prepare, or EVAL_NO_IMAGE, then and ever after. May wait;
     * called by one thread at a time. */
    size_t (*next)(void *context);
    void *context;
    const struct fovea_recipe *recipe;
    const struct fovea_jpeg_options *jpeg;
};

/* What became of one image. */
struct prepared_image {
    size_t index;
    enum eval_state state;
    char message[512]; /* why it failed, or a warning about one that did not; or "" */
    uint64_t file_bytes;
    uint8_t file_sha256[FOVEA_SHA256_SIZE];
};

struct pipeline;

/* `workers` threads, never more than `ahead` images before the taker, start at once. */
enum fovea_status pipeline_create(const struct pipeline_source *source, int workers, size_t ahead,
                                  struct pipeline **out, struct fovea_error *err);

/*
 * Wait for the next image: its index, or EVAL_NO_IMAGE when there is none left
 * or *stop is set. It stays the next one until it is taken. By one thread at a
 * time, as pipeline_take.
 */
size_t pipeline_peek(struct pipeline *pipeline, const volatile sig_atomic_t *stop);

/* Take the image that pipeline_peek saw, its pixels copied to `pixels` if its state is EVAL_OK. */
void pipeline_take(struct pipeline *pipeline, float *pixels, struct prepared_image *out);

/* Stops the workers, whatever is left to do. NULL is fine. */
void pipeline_destroy(struct pipeline *pipeline);

#endif
