/*
 * A batch of images on its way through a session: a model whose one input is
 * [N,3,H,W] of floats, and one of whose outputs has logits.
 */
#ifndef FOVEA_LOADERS_IMAGE_BATCH_H
#define FOVEA_LOADERS_IMAGE_BATCH_H

#include "loaders/recipe.h"

struct fovea_image_batch {
    int64_t batch, classes;
    size_t image_floats;       /* 3 * height * width */
    struct fovea_tensor input; /* in the model's type; its data only if that is not f32 */
    struct fovea_tensor *outputs;
    size_t n_outputs, output; /* which of them has the logits */
};

/* Whether the model takes images: FOVEA_ERR_INVALID or FOVEA_ERR_UNSUPPORTED say why not. */
enum fovea_status fovea_image_batch_check(const struct fovea_model *model, struct fovea_error *err);

/*
 * Let the recipe's size give way to what the model fixes of it; `note`, of
 * note_bytes, then says so and is left alone otherwise. FOVEA_ERR_INVALID if
 * the size is by flag and another.
 */
enum fovea_status fovea_image_batch_fit(const struct fovea_model *model,
                                        struct fovea_recipe *recipe, char *note, size_t note_bytes,
                                        struct fovea_error *err);

/* The shape of the input, and memory for it if its type is not f32. */
enum fovea_status fovea_image_batch_init(struct fovea_image_batch *b,
                                         const struct fovea_model *model,
                                         const struct fovea_recipe *recipe, int64_t batch,
                                         struct fovea_error *err);

/* Memory for the outputs of a session that was made for that input, and which has the logits. */
enum fovea_status fovea_image_batch_attach(struct fovea_image_batch *b,
                                           const struct fovea_session *session,
                                           struct fovea_error *err);

/*
 * From `pixels`, [batch, 3, height, width], to `logits`, [batch, classes]; the
 * other outputs stay in b->outputs. Leaves `pixels` as the input's data.
 */
enum fovea_status fovea_image_batch_run(struct fovea_image_batch *b, struct fovea_session *session,
                                        const float *pixels, float *logits,
                                        const struct fovea_run_options *options,
                                        struct fovea_error *err);

/* Free what there is; a zeroed batch is fine. */
void fovea_image_batch_finish(struct fovea_image_batch *b);

#endif
