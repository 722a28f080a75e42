/* Recipes: words, ranges, layering, digest. See recipe.h. */
#include "loaders/recipe.h"

#include "runtime/limits.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* ---- names ---------------------------------------------------------------- */

static const char *const field_names[FOVEA_RECIPE_N_FIELDS] = {
    [FOVEA_RECIPE_RESIZE] = "resize",
    [FOVEA_RECIPE_SIZE] = "size",
    [FOVEA_RECIPE_CROP_PCT] = "crop_pct",
    [FOVEA_RECIPE_FILTER] = "filter",
    [FOVEA_RECIPE_MEAN] = "mean",
    [FOVEA_RECIPE_STD] = "std",
    [FOVEA_RECIPE_FILL] = "fill",
    [FOVEA_RECIPE_ORDER] = "resize_order",
    [FOVEA_RECIPE_RESAMPLER] = "resampler",
    [FOVEA_RECIPE_PIXELS] = "pixels",
    [FOVEA_RECIPE_CROP_ROUNDING] = "crop_rounding",
    [FOVEA_RECIPE_DCT] = "dct",
};

static const char *const source_names[] = {
    [FOVEA_FROM_NOWHERE] = "not set",
    [FOVEA_FROM_DEFAULT] = "default",
    [FOVEA_FROM_ARCHITECTURE] = "architecture",
    [FOVEA_FROM_CONFIG] = "config",
    [FOVEA_FROM_METADATA] = "model",
    [FOVEA_FROM_SIDECAR] = "sidecar",
    [FOVEA_FROM_FILE] = "recipe file",
    [FOVEA_FROM_PRESET] = "preset",
    [FOVEA_FROM_FLAG] = "flag",
};

static const char *const mode_names[FOVEA_N_RESIZE_MODES] = {
    [FOVEA_RESIZE_SQUASH] = "squash",
    [FOVEA_RESIZE_SHORT] = "short",
    [FOVEA_RESIZE_LONG] = "long",
};

static const char *const order_names[] = {
    [FOVEA_HORIZONTAL_FIRST] = "horizontal",
    [FOVEA_VERTICAL_FIRST] = "vertical",
};

static const char *const resampler_names[] = {
    [FOVEA_RESAMPLER_PILLOW] = "pillow",
    [FOVEA_RESAMPLER_TENSORFLOW] = "tensorflow",
};

static const char *const pixels_names[] = {
    [FOVEA_PIXELS_UINT8] = "uint8",
    [FOVEA_PIXELS_FLOAT] = "float",
};

static const char *const rounding_names[] = {
    [FOVEA_CROP_EVEN] = "even",
    [FOVEA_CROP_UP] = "up",
    [FOVEA_CROP_DOWN] = "down",
};

static const char *const dct_names[] = {
    [FOVEA_DCT_ACCURATE] = "accurate",
    [FOVEA_DCT_FAST] = "fast",
};

bool fovea_recipe_is_guess(const struct fovea_recipe *recipe, enum fovea_recipe_field field) {
    return field < FOVEA_RECIPE_FILL && recipe->source[field] == FOVEA_FROM_DEFAULT;
}

const char *fovea_recipe_field_name(enum fovea_recipe_field field) {
    return field_names[field];
}

const char *fovea_recipe_source_name(enum fovea_recipe_source source) {
    return source_names[source];
}

const char *fovea_resize_mode_name(enum fovea_resize_mode mode) {
    return mode_names[mode];
}

/* ---- fields that are words ------------------------------------------------- */

/* Where such a field is and what its values are called; `names` NULL: by fovea_filter_name. */
struct word_field {
    size_t offset;
    const char *const *names;
    int count;
    const char *words;
};

static const struct word_field word_fields[FOVEA_RECIPE_N_FIELDS] = {
    [FOVEA_RECIPE_RESIZE] = {offsetof(struct fovea_recipe, resize), mode_names,
                             FOVEA_N_RESIZE_MODES, "squash, short or long"},
    [FOVEA_RECIPE_FILTER] = {offsetof(struct fovea_recipe, filter), NULL, FOVEA_N_FILTERS,
                             "nearest, box, bilinear, bicubic, lanczos or area"},
    [FOVEA_RECIPE_ORDER] = {offsetof(struct fovea_recipe, order), order_names, 2,
                            "horizontal or vertical"},
    [FOVEA_RECIPE_RESAMPLER] = {offsetof(struct fovea_recipe, resampler), resampler_names, 2,
                                "pillow or tensorflow"},
    [FOVEA_RECIPE_PIXELS] = {offsetof(struct fovea_recipe, pixels), pixels_names, 2,
                             "uint8 or float"},
    [FOVEA_RECIPE_CROP_ROUNDING] = {offsetof(struct fovea_recipe, crop_rounding), rounding_names, 3,
                                    "even, up or down"},
    [FOVEA_RECIPE_DCT] = {offsetof(struct fovea_recipe, dct), dct_names, 2, "accurate or fast"},
};

static const char *word_name(const struct word_field *field, unsigned value) {
    return field->names ? field->names[value] : fovea_filter_name((enum fovea_filter)value);
}

const char *fovea_recipe_words(enum fovea_recipe_field field) {
    return word_fields[field].words;
}

const char *fovea_recipe_get_word(const struct fovea_recipe *recipe,
                                  enum fovea_recipe_field field) {
    unsigned value;
    memcpy(&value, (const char *)recipe + word_fields[field].offset, sizeof(value));
    return word_name(&word_fields[field], value);
}

bool fovea_recipe_find_word(struct fovea_recipe *recipe, enum fovea_recipe_field field,
                            const char *word) {
    static_assert(sizeof(enum fovea_filter) == sizeof(unsigned), "enums are stored as unsigned");
    const struct word_field *f = &word_fields[field];
    for (unsigned value = 0; value < (unsigned)f->count; value++) {
        if (strcmp(word_name(f, value), word) == 0) {
            memcpy((char *)recipe + f->offset, &value, sizeof(value));
            return true;
        }
    }
    return false;
}

/* ---- layering ------------------------------------------------------------- */

/* Bytes of the recipe that belong to a field, which lie together. */
struct extent {
    size_t offset, size;
};

#define EXTENT(first, last)                                                                        \
    {                                                                                              \
        offsetof(struct fovea_recipe, first), offsetof(struct fovea_recipe, last) +                \
                                                  sizeof(((struct fovea_recipe *)0)->last) -       \
                                                  offsetof(struct fovea_recipe, first)             \
    }

static const struct extent extents[FOVEA_RECIPE_N_FIELDS] = {
    [FOVEA_RECIPE_RESIZE] = EXTENT(resize, resize),
    [FOVEA_RECIPE_SIZE] = EXTENT(height, width),
    [FOVEA_RECIPE_CROP_PCT] = EXTENT(crop_pct, margin),
    [FOVEA_RECIPE_FILTER] = EXTENT(filter, filter),
    [FOVEA_RECIPE_MEAN] = EXTENT(mean, mean),
    [FOVEA_RECIPE_STD] = EXTENT(std, std),
    [FOVEA_RECIPE_FILL] = EXTENT(fill, fill),
    [FOVEA_RECIPE_ORDER] = EXTENT(order, order),
    [FOVEA_RECIPE_RESAMPLER] = EXTENT(resampler, resampler),
    [FOVEA_RECIPE_PIXELS] = EXTENT(pixels, pixels),
    [FOVEA_RECIPE_CROP_ROUNDING] = EXTENT(crop_rounding, crop_rounding),
    [FOVEA_RECIPE_DCT] = EXTENT(dct, dct),
};

void fovea_recipe_overlay(struct fovea_recipe *recipe, const struct fovea_recipe *over) {
    for (int i = 0; i < FOVEA_RECIPE_N_FIELDS; i++) {
        if (over->source[i]) {
            size_t at = extents[i].offset;
            memcpy((char *)recipe + at, (const char *)over + at, extents[i].size);
            recipe->source[i] = over->source[i];
        }
    }
}

/* ---- ranges --------------------------------------------------------------- */

enum fovea_status fovea_recipe_check_size(int64_t size, struct fovea_error *err) {
    if (size < 1 || size > FOVEA_LIMIT_INPUT_SIDE) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "size %lld is outside 1..%d", (long long)size,
                          FOVEA_LIMIT_INPUT_SIDE);
    }
    return FOVEA_OK;
}

/* Written so that NaN is out of range. */
static bool in_range(double value, double low, double high) {
    return value >= low && value <= high;
}

enum fovea_status fovea_recipe_check_crop_pct(double crop_pct, struct fovea_error *err) {
    if (!in_range(crop_pct, 0.01, 2)) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "crop_pct %g is outside 0.01..2", crop_pct);
    }
    return FOVEA_OK;
}

enum fovea_status fovea_recipe_check_margin(int64_t margin, struct fovea_error *err) {
    if (margin < 0 || margin > FOVEA_LIMIT_INPUT_SIDE) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "margin %lld is outside 0..%d", (long long)margin,
                          FOVEA_LIMIT_INPUT_SIDE);
    }
    return FOVEA_OK;
}

enum fovea_status fovea_recipe_check_mean(double mean, struct fovea_error *err) {
    if (!in_range(mean, 0, 1)) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "mean %g is outside 0..1, the scale of a pixel divided by 255", mean);
    }
    return FOVEA_OK;
}

enum fovea_status fovea_recipe_check_std(double std, struct fovea_error *err) {
    if (!in_range(std, 1e-6, 1)) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "std %g is outside 1e-6..1, the scale of a pixel divided by 255", std);
    }
    return FOVEA_OK;
}

static enum fovea_status check_ranges(const struct fovea_recipe *recipe, struct fovea_error *err) {
    enum fovea_status status = fovea_recipe_check_size(recipe->height, err);
    if (!status) {
        status = fovea_recipe_check_size(recipe->width, err);
    }
    if (!status && recipe->crop_pct == 0) {
        status = fovea_recipe_check_margin(recipe->margin, err);
    } else if (!status) {
        status = fovea_recipe_check_crop_pct(recipe->crop_pct, err);
    }
    for (int c = 0; c < 3 && !status; c++) {
        status = fovea_recipe_check_mean(recipe->mean[c], err);
        if (!status) {
            status = fovea_recipe_check_std(recipe->std[c], err);
        }
    }
    return status;
}

/* Each resampler has filters and pixels of its own. */
static enum fovea_status check_resampler(const struct fovea_recipe *recipe,
                                         struct fovea_error *err) {
    bool tensorflow = recipe->resampler == FOVEA_RESAMPLER_TENSORFLOW;
    enum fovea_filter filter = recipe->filter;
    bool shared = filter == FOVEA_FILTER_BILINEAR || filter == FOVEA_FILTER_BICUBIC;
    if (!shared && tensorflow != (filter == FOVEA_FILTER_AREA)) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "filter %s is not one of resampler %s, which has %s",
                          fovea_filter_name(filter), resampler_names[recipe->resampler],
                          tensorflow ? "bilinear, bicubic and area"
                                     : "nearest, box, bilinear, bicubic and lanczos");
    }
    if (!tensorflow && recipe->pixels == FOVEA_PIXELS_FLOAT) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "pixels float need resampler tensorflow; Pillow's are uint8");
    }
    if (tensorflow && recipe->resize != FOVEA_RESIZE_SQUASH && recipe->height != recipe->width) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "resize %s with resampler tensorflow needs a square size, not %dx%d",
                          mode_names[recipe->resize], recipe->height, recipe->width);
    }
    return FOVEA_OK;
}

enum fovea_status fovea_recipe_check(const struct fovea_recipe *recipe, struct fovea_error *err) {
    for (int i = 0; i < FOVEA_RECIPE_FILL; i++) { /* from there on, fields have defaults */
        if (!recipe->source[i]) {
            return fovea_fail(err, FOVEA_ERR_INVALID, "nothing says the recipe's %s",
                              field_names[i]);
        }
    }
    enum fovea_status status = check_ranges(recipe, err);
    return status ? status : check_resampler(recipe, err);
}

void fovea_recipe_get_fill(const struct fovea_recipe *recipe, uint8_t fill[3]) {
    for (int c = 0; c < 3; c++) {
        if (recipe->source[FOVEA_RECIPE_FILL]) {
            fill[c] = recipe->fill[c];
        } else if (recipe->resize == FOVEA_RESIZE_LONG) {
            fill[c] = (uint8_t)rint(255 * recipe->mean[c]); /* half to even, as Python rounds */
        } else {
            fill[c] = 0;
        }
    }
}

/* ---- digest ----------------------------------------------------------------- */

/* The bits of a double: the same text in every locale, and different for different values. */
static unsigned long long bits_of(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    return bits;
}

struct fovea_sha256_hex fovea_recipe_digest(const struct fovea_recipe *recipe) {
    const struct fovea_recipe *r = recipe;
    uint8_t fill[3];
    char text[1024];
    fovea_recipe_get_fill(r, fill);
    int n = snprintf(text, sizeof(text),
                     "fovea recipe 1\nsize %d %d\ncrop_pct %016llx\nmargin %d\n"
                     "mean %016llx %016llx %016llx\nstd %016llx %016llx %016llx\nfill %d %d %d\n",
                     r->height, r->width, bits_of(r->crop_pct), r->margin, bits_of(r->mean[0]),
                     bits_of(r->mean[1]), bits_of(r->mean[2]), bits_of(r->std[0]),
                     bits_of(r->std[1]), bits_of(r->std[2]), fill[0], fill[1], fill[2]);
    for (int i = 0; i < FOVEA_RECIPE_N_FIELDS; i++) {
        enum fovea_recipe_field field = (enum fovea_recipe_field)i;
        if (fovea_recipe_words(field)) {
            n += snprintf(text + n, sizeof(text) - (size_t)n, "%s %s\n", field_names[i],
                          fovea_recipe_get_word(r, field));
        }
    }
    return fovea_sha256_text((const uint8_t *)text, (size_t)n);
}
