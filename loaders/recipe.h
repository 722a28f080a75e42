/*
 * A recipe: how an image becomes a model's input, and where each part of that
 * knowledge came from.
 *
 * Recipes are put together by laying one over another, from the least to the
 * most binding: preset by architecture, config.json, the model's metadata, the
 * recipe file beside it, a recipe file named by the user, flags. A part that
 * nobody set has the source FOVEA_FROM_NOWHERE.
 */
#ifndef FOVEA_LOADERS_RECIPE_H
#define FOVEA_LOADERS_RECIPE_H

#include "loaders/resize.h"
#include "loaders/sha256.h"

/*
 * How the sides of the resized image follow from the target: the recipe's
 * size / crop_pct, or size + margin.
 */
enum fovea_resize_mode {
    FOVEA_RESIZE_SQUASH, /* both sides set, aspect ratio lost (timm: squash) */
    FOVEA_RESIZE_SHORT,  /* the shorter side set, aspect kept (timm: center) */
    FOVEA_RESIZE_LONG,   /* the longer side set, aspect kept, padded (timm: border) */
    FOVEA_N_RESIZE_MODES,
};

/* Whose arithmetic resizes, which also decides how sides are rounded. */
enum fovea_resampler {
    FOVEA_RESAMPLER_PILLOW,     /* antialiased, fixed point; sides as torchvision and timm */
    FOVEA_RESAMPLER_TENSORFLOW, /* tf.image.resize without antialiasing; sides as Big Vision */
};

/* What a resized pixel is. */
enum fovea_pixels {
    FOVEA_PIXELS_UINT8, /* Pillow: rounded; TensorFlow: clipped, then cut to an integer */
    FOVEA_PIXELS_FLOAT, /* f32 as TensorFlow leaves it, neither rounded nor clipped */
};

/* Where the centre crop begins when the rows (or columns) cut off are odd in number. */
enum fovea_crop_rounding {
    FOVEA_CROP_EVEN, /* half to even: torchvision, timm */
    FOVEA_CROP_UP,   /* (over + 1) / 2: DeepMind */
    FOVEA_CROP_DOWN, /* over / 2: Big Vision, Hugging Face */
};

/* libjpeg's inverse transform. */
enum fovea_dct {
    FOVEA_DCT_ACCURATE, /* JDCT_ISLOW: Pillow, OpenCV, PyTorch */
    FOVEA_DCT_FAST,     /* JDCT_IFAST: TensorFlow unless told otherwise */
};

enum fovea_recipe_field {
    FOVEA_RECIPE_RESIZE,
    FOVEA_RECIPE_SIZE,
    FOVEA_RECIPE_CROP_PCT, /* or the margin: the one that is set replaces the other */
    FOVEA_RECIPE_FILTER,
    FOVEA_RECIPE_MEAN,
    FOVEA_RECIPE_STD,
    FOVEA_RECIPE_FILL,
    FOVEA_RECIPE_ORDER,
    FOVEA_RECIPE_RESAMPLER,
    FOVEA_RECIPE_PIXELS,
    FOVEA_RECIPE_CROP_ROUNDING,
    FOVEA_RECIPE_DCT,
    FOVEA_RECIPE_N_FIELDS,
};

enum fovea_recipe_source {
    FOVEA_FROM_NOWHERE,
    FOVEA_FROM_DEFAULT,      /* nothing was known; said loudly */
    FOVEA_FROM_ARCHITECTURE, /* the preset of the model's architecture */
    FOVEA_FROM_CONFIG,       /* config.json or preprocessor_config.json beside the model */
    FOVEA_FROM_METADATA,     /* the model's own metadata, or the shape of its input */
    FOVEA_FROM_SIDECAR,      /* the recipe file beside the model */
    FOVEA_FROM_FILE,         /* --recipe FILE */
    FOVEA_FROM_PRESET,       /* --preset NAME */
    FOVEA_FROM_FLAG,
};

struct fovea_recipe {
    enum fovea_resize_mode resize;
    int height, width; /* of the model's input, 1..FOVEA_LIMIT_INPUT_SIDE */
    double crop_pct;   /* share of the resized side that the crop keeps; 0 where margin counts */
    int margin;        /* pixels by which the resized side exceeds size; where crop_pct is 0 */
    enum fovea_filter filter;
    double mean[3]; /* of R, G, B on the scale of 0..1 */
    double std[3];
    uint8_t fill[3]; /* padding; not set: round(255 * mean) for long, 0 else, as timm */
    enum fovea_resize_order order; /* of Pillow's passes */
    enum fovea_resampler resampler;
    enum fovea_pixels pixels;
    enum fovea_crop_rounding crop_rounding;
    enum fovea_dct dct;
    enum fovea_recipe_source source[FOVEA_RECIPE_N_FIELDS];
};

/* Replace the fields of `recipe` that `over` has set, and their sources. */
void fovea_recipe_overlay(struct fovea_recipe *recipe, const struct fovea_recipe *over);

/*
 * The recipe of a preset, or of a timm architecture known by name
 * ("dm_nfnet_f0"): all its fields from `source`, but for fill, and for size
 * where the name says none. FOVEA_ERR_INVALID for a name that is none.
 */
enum fovea_status fovea_recipe_preset(const char *name, enum fovea_recipe_source source,
                                      struct fovea_recipe *out, struct fovea_error *err);

/* The same, for the names of architectures only; false for one that is not known. */
bool fovea_recipe_architecture(const char *name, enum fovea_recipe_source source,
                               struct fovea_recipe *out);

/*
 * Whether an image can be prepared by it: resize, size, crop_pct (or margin),
 * filter, mean and std are set, all are in range, and the resampler has the
 * filter. FOVEA_ERR_INVALID names the field and its bounds.
 */
enum fovea_status fovea_recipe_check(const struct fovea_recipe *recipe, struct fovea_error *err);

/* Range checks of single fields, for whoever reads them; same errors. */
enum fovea_status fovea_recipe_check_size(int64_t size, struct fovea_error *err);
enum fovea_status fovea_recipe_check_crop_pct(double crop_pct, struct fovea_error *err);
enum fovea_status fovea_recipe_check_margin(int64_t margin, struct fovea_error *err);
enum fovea_status fovea_recipe_check_mean(double mean, struct fovea_error *err);
enum fovea_status fovea_recipe_check_std(double std, struct fovea_error *err);

/* The padding colour: `fill` if set, timm's otherwise. */
void fovea_recipe_get_fill(const struct fovea_recipe *recipe, uint8_t fill[3]);

/*
 * SHA-256 of everything in the recipe that decides a pixel, size included; who
 * said it does not enter. Equal digests mean equal inputs to the model. The
 * text that is hashed is in docs/recipes.md.
 */
struct fovea_sha256_hex fovea_recipe_digest(const struct fovea_recipe *recipe);

/*
 * Whether nobody said what the field is, and it matters: fields from fill on
 * have defaults that nobody need be warned of.
 */
bool fovea_recipe_is_guess(const struct fovea_recipe *recipe, enum fovea_recipe_field field);

const char *fovea_recipe_field_name(enum fovea_recipe_field field);
const char *fovea_recipe_source_name(enum fovea_recipe_source source);
const char *fovea_resize_mode_name(enum fovea_resize_mode mode);

/*
 * The fields whose values are words: resize, filter, resize_order, resampler,
 * pixels, crop_rounding, dct. `words` is NULL for another field, else the
 * choices as a sentence has them: "squash, short or long". find sets the
 * field, not its source, and returns false for a word that is none.
 */
const char *fovea_recipe_words(enum fovea_recipe_field field);
const char *fovea_recipe_get_word(const struct fovea_recipe *recipe, enum fovea_recipe_field field);
bool fovea_recipe_find_word(struct fovea_recipe *recipe, enum fovea_recipe_field field,
                            const char *word);

#endif
