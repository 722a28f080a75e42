/*
 * Recipes out of the configuration files of others: timm's config.json, and
 * Hugging Face's preprocessor_config.json. See recipe_json.h.
 */
#include "loaders/recipe_json.h"

#include <math.h>
#include <string.h>

/* ---- timm ----------------------------------------------------------------------- */

/*
 * Files older than the key have none. A crop_pct that is not the
 * architecture's then belongs to timm's own default, center.
 */
static void assume_timm_mode(double known_crop_pct, enum fovea_recipe_source source,
                             struct fovea_recipe *r) {
    if (r->source[FOVEA_RECIPE_CROP_PCT] == source && r->crop_pct != known_crop_pct) {
        r->resize = FOVEA_RESIZE_SHORT;
        r->source[FOVEA_RECIPE_RESIZE] = source;
    }
}

static enum fovea_status read_timm_mode(const char *mode, enum fovea_recipe_source source,
                                        struct fovea_recipe *r, struct fovea_error *err) {
    static const char *const modes[FOVEA_N_RESIZE_MODES] = {
        [FOVEA_RESIZE_SQUASH] = "squash",
        [FOVEA_RESIZE_SHORT] = "center",
        [FOVEA_RESIZE_LONG] = "border",
    };
    for (int i = 0; i < FOVEA_N_RESIZE_MODES; i++) {
        if (strcmp(mode, modes[i]) == 0) {
            r->resize = (enum fovea_resize_mode)i;
            r->source[FOVEA_RECIPE_RESIZE] = source;
            return FOVEA_OK;
        }
    }
    return fovea_recipe_fail_word("crop_mode", mode, "center, squash or border", err);
}

/* [3, H, W] */
static enum fovea_status read_timm_size(const json_t *shape, enum fovea_recipe_source source,
                                        struct fovea_recipe *r, struct fovea_error *err) {
    if (!json_is_array(shape) || json_array_size(shape) != 3) {
        return FOVEA_OK;
    }
    enum fovea_status status = fovea_recipe_get_side(json_array_get(shape, 1), &r->height, err);
    if (!status) {
        status = fovea_recipe_get_side(json_array_get(shape, 2), &r->width, err);
    }
    r->source[FOVEA_RECIPE_SIZE] = source;
    return status;
}

static enum fovea_status read_timm(const json_t *cfg, enum fovea_recipe_source source,
                                   struct fovea_recipe *r, struct fovea_error *err) {
    /* timm evaluates at the test values where a model has them. */
    const json_t *shape = json_object_get(cfg, "test_input_size");
    shape = json_is_array(shape) ? shape : json_object_get(cfg, "input_size");
    const json_t *crop_pct = json_object_get(cfg, "test_crop_pct");
    crop_pct = json_is_number(crop_pct) ? crop_pct : json_object_get(cfg, "crop_pct");

    const struct {
        enum fovea_recipe_field field;
        const json_t *value;
    } fields[] = {
        {FOVEA_RECIPE_CROP_PCT, crop_pct},
        {FOVEA_RECIPE_FILTER, json_object_get(cfg, "interpolation")},
        {FOVEA_RECIPE_MEAN, json_object_get(cfg, "mean")},
        {FOVEA_RECIPE_STD, json_object_get(cfg, "std")},
    };
    enum fovea_status status = FOVEA_OK;
    double known_crop_pct = r->crop_pct;
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]) && !status; i++) {
        status = fovea_recipe_set(r, fields[i].field, fields[i].value, source, err);
    }
    if (!status) {
        status = read_timm_size(shape, source, r, err);
    }
    const char *mode = json_string_value(json_object_get(cfg, "crop_mode"));
    if (!status && mode) {
        status = read_timm_mode(mode, source, r, err);
    } else if (!status) {
        assume_timm_mode(known_crop_pct, source, r);
    }
    return status;
}

/* ---- Hugging Face ------------------------------------------------------------------ */

/* The class that the file is for, "" if it does not say. */
static const char *processor_of(const json_t *cfg) {
    const char *type = json_string_value(json_object_get(cfg, "image_processor_type"));
    type = type ? type : json_string_value(json_object_get(cfg, "feature_extractor_type"));
    return type ? type : "";
}

/* Pillow's numbers of its filters; where there is none, the default of the class. */
static enum fovea_status read_resample(const json_t *cfg, enum fovea_recipe_source source,
                                       struct fovea_recipe *r, struct fovea_error *err) {
    static const enum fovea_filter filters[] = {
        [0] = FOVEA_FILTER_NEAREST, [1] = FOVEA_FILTER_LANCZOS, [2] = FOVEA_FILTER_BILINEAR,
        [3] = FOVEA_FILTER_BICUBIC, [4] = FOVEA_FILTER_BOX,
    };
    const json_t *value = json_object_get(cfg, "resample");
    const char *type = processor_of(cfg);
    json_int_t number = json_integer_value(value);
    if (!json_is_integer(value)) {
        bool bilinear = strncmp(type, "ViT", 3) == 0;
        bool bicubic = strncmp(type, "Siglip", 6) == 0 || strncmp(type, "CLIP", 4) == 0;
        if (!bilinear && !bicubic) {
            return FOVEA_OK;
        }
        number = bilinear ? 2 : 3;
    }
    if (number < 0 || number > 4) {
        return fovea_fail(err, FOVEA_ERR_UNSUPPORTED, "\"resample\" is %lld; known are 0..4",
                          (long long)number);
    }
    r->filter = filters[number];
    r->source[FOVEA_RECIPE_FILTER] = source;
    return FOVEA_OK;
}

/*
 * The share that makes timm's floor(size / share) give exactly `resized`, cut
 * to the 15 digits that results are written with, so that it comes back as it
 * was.
 */
static double crop_pct_of(int size, int resized) {
    double digits = floor((double)size / resized * 1e15), share = digits / 1e15;
    return floor(size / share) < resized ? (digits - 1) / 1e15 : share;
}

/* What a size of one number or of "height" and "width" says. */
static enum fovea_status read_sides(const json_t *size, int *height, int *width,
                                    struct fovea_error *err) {
    const json_t *down = json_is_integer(size) ? size : json_object_get(size, "height");
    const json_t *across = json_is_integer(size) ? size : json_object_get(size, "width");
    if (!down || !across) {
        return fovea_fail(err, FOVEA_ERR_UNSUPPORTED,
                          "a preprocessor whose output size is not fixed by height and width");
    }
    enum fovea_status status = fovea_recipe_get_side(down, height, err);
    return status ? status : fovea_recipe_get_side(across, width, err);
}

/*
 * ConvNeXt's processor: below 384 the shorter side goes to edge / crop_pct and
 * the centre is cut out; from there on both sides are squashed to the edge.
 */
static enum fovea_status read_convnext_size(const json_t *cfg, const json_t *edge,
                                            struct fovea_recipe *r, struct fovea_error *err) {
    enum fovea_status status = fovea_recipe_get_side(edge, &r->height, err);
    double crop_pct = json_number_value(json_object_get(cfg, "crop_pct"));
    r->width = r->height;
    r->resize = FOVEA_RESIZE_SQUASH;
    r->crop_pct = 1.0;
    if (!status && r->height < 384) {
        status = fovea_recipe_check_crop_pct(crop_pct, err);
        r->resize = FOVEA_RESIZE_SHORT;
        r->crop_pct = crop_pct;
    }
    return status;
}

/* {"height", "width"}: both sides; {"shortest_edge"}: that, and a crop. */
static enum fovea_status read_cropped_size(const json_t *cfg, const json_t *shortest,
                                           struct fovea_recipe *r, struct fovea_error *err) {
    const json_t *size = json_object_get(cfg, "size");
    bool crops = json_is_true(json_object_get(cfg, "do_center_crop"));
    const json_t *target = crops ? json_object_get(cfg, "crop_size") : size;
    enum fovea_status status = read_sides(target, &r->height, &r->width, err);
    r->resize = shortest ? FOVEA_RESIZE_SHORT : FOVEA_RESIZE_SQUASH;
    r->crop_pct = 1.0;
    if (!status && crops) {
        const json_t *edge = shortest                ? shortest
                             : json_is_integer(size) ? size
                                                     : json_object_get(size, "height");
        int resized = r->height;
        status = fovea_recipe_get_side(edge, &resized, err);
        r->crop_pct = status ? 1.0 : crop_pct_of(r->height, resized);
    }
    return status;
}

static enum fovea_status read_hf_size(const json_t *cfg, enum fovea_recipe_source source,
                                      struct fovea_recipe *r, struct fovea_error *err) {
    const json_t *size = json_object_get(cfg, "size");
    const json_t *shortest = json_object_get(size, "shortest_edge");
    /* CLIP's older files have the shorter side as a bare number. */
    if (json_is_integer(size) && strncmp(processor_of(cfg), "CLIP", 4) == 0) {
        shortest = size;
    }
    bool convnext = shortest && json_is_number(json_object_get(cfg, "crop_pct"));
    enum fovea_status status = convnext ? read_convnext_size(cfg, shortest, r, err)
                                        : read_cropped_size(cfg, shortest, r, err);
    r->crop_rounding = FOVEA_CROP_DOWN;
    r->source[FOVEA_RECIPE_RESIZE] = source;
    r->source[FOVEA_RECIPE_CROP_PCT] = source;
    r->source[FOVEA_RECIPE_SIZE] = source;
    r->source[FOVEA_RECIPE_CROP_ROUNDING] = source;
    return status;
}

/* Steps that are switched off, or done with another scale than x / 255. */
static enum fovea_status check_hf_steps(const json_t *cfg, struct fovea_error *err) {
    static const char *const steps[] = {"do_resize", "do_rescale"};
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        if (json_is_false(json_object_get(cfg, steps[i]))) {
            return fovea_fail(err, FOVEA_ERR_UNSUPPORTED, "a preprocessor without %s", steps[i]);
        }
    }
    const json_t *factor = json_object_get(cfg, "rescale_factor");
    if (json_is_number(factor) && fabs(json_number_value(factor) * 255 - 1) > 1e-6) {
        return fovea_fail(err, FOVEA_ERR_UNSUPPORTED,
                          "a preprocessor with a rescale_factor of %g, not 1/255",
                          json_number_value(factor));
    }
    return FOVEA_OK;
}

static enum fovea_status read_hf_normalization(const json_t *cfg, enum fovea_recipe_source source,
                                               struct fovea_recipe *r, struct fovea_error *err) {
    if (json_is_false(json_object_get(cfg, "do_normalize"))) {
        for (int c = 0; c < 3; c++) {
            r->mean[c] = 0;
            r->std[c] = 1;
        }
        r->source[FOVEA_RECIPE_MEAN] = r->source[FOVEA_RECIPE_STD] = source;
        return FOVEA_OK;
    }
    enum fovea_status status =
        fovea_recipe_set(r, FOVEA_RECIPE_MEAN, json_object_get(cfg, "image_mean"), source, err);
    return status ? status
                  : fovea_recipe_set(r, FOVEA_RECIPE_STD, json_object_get(cfg, "image_std"), source,
                                     err);
}

static enum fovea_status read_hf(const json_t *cfg, enum fovea_recipe_source source,
                                 struct fovea_recipe *r, struct fovea_error *err) {
    enum fovea_status status = check_hf_steps(cfg, err);
    if (!status) {
        status = read_hf_normalization(cfg, source, r, err);
    }
    if (!status) {
        status = read_resample(cfg, source, r, err);
    }
    bool has_size = json_object_get(cfg, "size") != NULL;
    return status || !has_size ? status : read_hf_size(cfg, source, r, err);
}

enum fovea_status fovea_recipe_read_config(const json_t *object, enum fovea_recipe_source source,
                                           struct fovea_recipe *recipe, struct fovea_error *err) {
    const char *architecture = json_string_value(json_object_get(object, "architecture"));
    const json_t *timm = json_object_get(object, "pretrained_cfg");
    struct fovea_recipe preset;
    if (architecture && fovea_recipe_architecture(architecture, FOVEA_FROM_ARCHITECTURE, &preset)) {
        fovea_recipe_overlay(recipe, &preset);
    }
    if (json_is_object(timm)) {
        return read_timm(timm, source, recipe, err);
    }
    /* timm's older files, and a pretrained_cfg by itself, have the same keys at the top. */
    if (json_is_array(json_object_get(object, "input_size"))) {
        return read_timm(object, source, recipe, err);
    }
    if (json_object_get(object, "image_mean") || processor_of(object)[0]) {
        return read_hf(object, source, recipe, err);
    }
    return FOVEA_OK;
}
