/*
 * The stages between a decoded image and a model's input:
 *
 *     decoded --resize--> resized --crop, pad--> cropped --normalise--> f32 planes
 *
 * with the geometry of the recipe's resampler: timm's evaluation transforms for
 * Pillow's, Big Vision's for TensorFlow's. Resized and cropped pixels are of 8
 * bits, or f32 under FOVEA_PIXELS_FLOAT.
 */
#ifndef FOVEA_LOADERS_PREPROCESS_H
#define FOVEA_LOADERS_PREPROCESS_H

#include "loaders/jpeg.h"
#include "loaders/recipe.h"

/* What a recipe makes of an image of given sides. */
struct fovea_geometry {
    int resized_width, resized_height;
    struct fovea_window kept; /* of the resized image, what the crop keeps */
    int left, top;            /* where that lies in the cropped image; around it is fill */
};

/*
 * Geometry for an image of width x height under a recipe that
 * fovea_recipe_check accepts.
 *
 * FOVEA_ERR_INVALID if a side would be less than a pixel (an extreme aspect
 * ratio under FOVEA_RESIZE_LONG), FOVEA_ERR_LIMIT if one would not fit an int.
 */
enum fovea_status fovea_geometry_init(struct fovea_geometry *geometry,
                                      const struct fovea_recipe *recipe, int width, int height,
                                      struct fovea_error *err);

/* The resized stage, whole. *out is the caller's to finish. */
enum fovea_status fovea_preprocess_resize(const struct fovea_recipe *recipe,
                                          const struct fovea_image *decoded,
                                          struct fovea_image *out, struct fovea_error *err);

/* The cropped stage: recipe->width x recipe->height. *out is the caller's to finish. */
enum fovea_status fovea_preprocess_crop(const struct fovea_recipe *recipe,
                                        const struct fovea_image *decoded,
                                        const struct fovea_image *resized, struct fovea_image *out,
                                        struct fovea_error *err);

/*
 * Both stages at once, computing only the pixels that the crop keeps; the same
 * bytes as one after the other. *out is the caller's to finish.
 */
enum fovea_status fovea_preprocess_image(const struct fovea_recipe *recipe,
                                         const struct fovea_image *decoded, struct fovea_image *out,
                                         struct fovea_error *err);

/*
 * (pixel / 255 - mean) / std in f32, rounded after each step as PyTorch's
 * ToTensor and Normalize do; of f32 pixels (pixel - 255 mean) / (255 std), as
 * DeepMind's code does. `out` has room for 3 * width * height floats:
 * the R plane, the G plane, the B plane, each row by row.
 */
void fovea_preprocess_normalize(const struct fovea_recipe *recipe,
                                const struct fovea_image *cropped, float *out);

/* What that makes of each of the 256 values of R, G and B. */
void fovea_preprocess_values(const struct fovea_recipe *recipe, float values[3][256]);

/* How to decode for a recipe: as `asked` (NULL: the defaults), with the recipe's transform. */
void fovea_preprocess_jpeg_options(const struct fovea_recipe *recipe,
                                   const struct fovea_jpeg_options *asked,
                                   struct fovea_jpeg_options *out);

/*
 * A JPEG in memory to one image of a batch: decode, resize, crop, normalise.
 * `out` as above, for recipe->width x recipe->height; its contents are
 * undefined on failure. `jpeg` and `report` may be NULL. The recipe must be
 * one that fovea_recipe_check accepts. Safe to call from several threads.
 */
enum fovea_status fovea_preprocess_jpeg(const struct fovea_recipe *recipe,
                                        const struct fovea_jpeg_options *jpeg, const uint8_t *bytes,
                                        size_t size, float *out, struct fovea_jpeg_report *report,
                                        struct fovea_error *err);

#endif
