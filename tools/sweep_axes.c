/* See sweep_axes.h. */
#include "tools/sweep_axes.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_VALUES = 16 };

/* What each axis takes, the recipe's own value first. */
struct axes {
    enum fovea_resize_mode modes[MAX_VALUES];
    enum fovea_filter filters[MAX_VALUES];
    double crops[MAX_VALUES]; /* 0: the recipe's margin */
    size_t n_modes, n_filters, n_crops;
};

static const char everything[] = "all";
static const char everything_pillow[] =
    "squash,short,bicubic,bilinear,lanczos,box,0.875,0.9,0.9375,1";
static const char everything_tensorflow[] = "squash,short,bicubic,bilinear,area,0.875,0.9,0.9375,1";

/* There are fewer modes, and fewer filters, than an axis may have values. */
static void add_mode(struct axes *a, enum fovea_resize_mode mode) {
    bool known = false;
    for (size_t i = 0; i < a->n_modes; i++) {
        known |= a->modes[i] == mode;
    }
    if (!known) {
        a->modes[a->n_modes++] = mode;
    }
}

static void add_filter(struct axes *a, enum fovea_filter filter) {
    bool known = false;
    for (size_t i = 0; i < a->n_filters; i++) {
        known |= a->filters[i] == filter;
    }
    if (!known) {
        a->filters[a->n_filters++] = filter;
    }
}

static enum fovea_status add_crop(struct axes *a, double crop_pct, struct fovea_error *err) {
    for (size_t i = 0; i < a->n_crops; i++) {
        if (a->crops[i] == crop_pct) {
            return FOVEA_OK;
        }
    }
    if (a->n_crops == MAX_VALUES) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "there are more than %d values of crop_pct",
                          MAX_VALUES - 1); /* and the recipe's */
    }
    a->crops[a->n_crops++] = crop_pct;
    return FOVEA_OK;
}

static enum fovea_status add_word(struct axes *a, const char *word, struct fovea_error *err) {
    struct fovea_recipe r;
    char *end;
    double number = strtod(word, &end);
    if (fovea_recipe_find_word(&r, FOVEA_RECIPE_RESIZE, word)) {
        add_mode(a, r.resize);
    } else if (fovea_recipe_find_word(&r, FOVEA_RECIPE_FILTER, word)) {
        add_filter(a, r.filter);
    } else if (end != word && !*end) {
        enum fovea_status status = fovea_recipe_check_crop_pct(number, err);
        return status ? status : add_crop(a, number, err);
    } else {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "'%s' is no filter, no resize mode and no crop_pct",
                          fovea_quote(word).text);
    }
    return FOVEA_OK;
}

static enum fovea_status parse(const char *text, struct axes *a, struct fovea_error *err) {
    char *words = strdup(text), *rest = words;
    if (!words) {
        return fovea_fail_memory(err, strlen(text), "words");
    }
    enum fovea_status status = FOVEA_OK;
    for (char *word = strsep(&rest, ","); !status && word; word = strsep(&rest, ",")) {
        status = add_word(a, word, err);
    }
    free(words);
    return status;
}

enum fovea_status sweep_check_axes(const char *axes, struct fovea_error *err) {
    struct axes a = {.n_crops = 1}; /* the recipe's, whatever it will be */
    return strcmp(axes, everything) == 0 ? FOVEA_OK : parse(axes, &a, err);
}

/* Variant number `i` of the product; number 0 has the first of each axis, the recipe's. */
static struct fovea_recipe vary(const struct fovea_recipe *recipe, const struct axes *a, size_t i) {
    struct fovea_recipe r = *recipe;
    r.filter = a->filters[i % a->n_filters];
    r.crop_pct = a->crops[i / a->n_filters % a->n_crops];
    r.margin = r.crop_pct == 0 ? recipe->margin : 0;
    r.resize = a->modes[i / a->n_filters / a->n_crops];
    return r;
}

enum fovea_status sweep_init(struct sweep *sweep, const char *axes,
                             const struct fovea_recipe *recipe, size_t n_images,
                             struct fovea_error *err) {
    struct axes a = {.n_modes = 0};
    bool pillow = recipe->resampler == FOVEA_RESAMPLER_PILLOW;
    add_mode(&a, recipe->resize);
    add_filter(&a, recipe->filter);
    a.crops[a.n_crops++] = recipe->crop_pct;
    if (strcmp(axes, everything) == 0) {
        axes = pillow ? everything_pillow : everything_tensorflow;
    }
    enum fovea_status status = parse(axes, &a, err);
    size_t n = a.n_modes * a.n_filters * a.n_crops;
    struct sweep made = {.variants = calloc(n, sizeof(*made.variants))};
    if (!status && !made.variants) {
        status = fovea_fail_memory(err, n * sizeof(*made.variants), "recipes");
    }
    for (; !status && made.n_variants < n; made.n_variants++) {
        struct sweep_variant *v = &made.variants[made.n_variants];
        v->recipe = vary(recipe, &a, made.n_variants);
        v->right = calloc(n_images ? n_images : 1, sizeof(*v->right));
        status = v->right ? fovea_recipe_check(&v->recipe, err)
                          : fovea_fail_memory(err, n_images, "answers");
    }
    if (status) {
        sweep_finish(&made);
        return status;
    }
    *sweep = made;
    return FOVEA_OK;
}

void sweep_finish(struct sweep *sweep) {
    for (size_t i = 0; i < sweep->n_variants; i++) {
        free(sweep->variants[i].right);
    }
    free(sweep->variants);
    *sweep = (struct sweep){0};
}
