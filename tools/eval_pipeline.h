/*
 * Images read and prepared by threads ahead of the model, handed over in the
 * order in which they were claimed, whatever thread made them.
 *
 *     work --claimed by workers--> ring of prepared images --in order--> taker
 *
 * A read may never end: a network file system whose server is gone waits for it.
 * The taker goes on without such an image if a timeout is set, and the end does
 * not wait for its reader.
 */
#ifndef FOVEA_TOOLS_EVAL_PIPELINE_H
#define FOVEA_TOOLS_EVAL_PIPELINE_H

#include "loaders/jpeg.h"
#include "tools/eval_list.h"

#include <signal.h>

/* No image is left to claim. */
#define EVAL_NO_IMAGE SIZE_MAX

/* What is made of an image's bytes, by several threads at once. */
struct pipeline_product {
    size_t bytes; /* of what is made; it begins as zeros, or as what another image left */
    enum fovea_status (*make)(const void *context, const uint8_t *bytes, size_t size, void *out,
                              struct fovea_jpeg_report *report, struct fovea_error *err);
    void (*finish)(void *made); /* what it owns, if nobody takes it; NULL: nothing */
    const void *context;
};

/* What to prepare. Lent until the pipeline is destroyed. */
struct pipeline_source {
    const struct eval_list *list;
    /* The index of the next image to prepare, or EVAL_NO_IMAGE, then and ever after. May wait;
     * called by one thread at a time. */
    size_t (*next)(void *context);
    void *context;
    struct pipeline_product product;
    double timeout_s; /* an image that takes longer has failed; 0: none does */
};

/* What became of one image. */
struct prepared_image {
    size_t index;
    enum eval_state state;
    char message[512]; /* why it failed, or a warning about one that did not; or "" */
    uint64_t file_bytes;
    uint8_t file_sha256[FOVEA_SHA256_SIZE];
};

/* Read image->index and make of it what there is to be, in the calling thread; the pipeline's own
 * work, of eval_prepare.c. */
void prepare_image(const struct pipeline_source *source, struct prepared_image *image, void *made);

struct pipeline;

/* `workers` threads, never more than `ahead` images before the taker, start at once. */
enum fovea_status pipeline_create(const struct pipeline_source *source, int workers, size_t ahead,
                                  struct pipeline **out, struct fovea_error *err);

/*
 * Wait for the next image: its index, or EVAL_NO_IMAGE when there is none left,
 * *stop is set, or the pipeline has failed. It stays the next one until it is
 * taken. By one thread at a time, as pipeline_take.
 */
size_t pipeline_peek(struct pipeline *pipeline, const volatile sig_atomic_t *stop);

/* Take the image that pipeline_peek saw; what was made of it is copied to `made`, and is the
 * caller's, if its state is EVAL_OK. */
void pipeline_take(struct pipeline *pipeline, void *made, struct prepared_image *out);

/* The same without a copy, for what is made in floats or bytes: *made, of malloc's kind and of the
 * product's size, becomes the pipeline's, which hands its own over. */
void pipeline_exchange(struct pipeline *pipeline, void **made, struct prepared_image *out);

/* FOVEA_ERR_IO if so many reads do not end that it was given up. */
enum fovea_status pipeline_status(const struct pipeline *pipeline, struct fovea_error *err);

/*
 * Stops the workers, whatever is left to do; NULL is fine. False if one of them
 * still waits for a file, a second later: it may go on any time, so that all that
 * was lent has to stay until the process ends.
 */
bool pipeline_destroy(struct pipeline *pipeline);

#endif
