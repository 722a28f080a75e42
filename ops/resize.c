/*
 * Resize and Upsample: attributes and operands of every opset brought to one
 * description of each axis. resize_run.c computes with it.
 */
#include "ops/resize.h"
#include "ops/axes.h"
#include "ops/ops.h"
#include "runtime/limits.h"

#include <math.h>
#include <string.h>

/* ---- attributes --------------------------------------------------------- */

static const char *const modes[] = {"nearest", "linear", "cubic", NULL};
static const char *const nearest_modes[] = {"round_prefer_floor", "round_prefer_ceil", "floor",
                                            "ceil", NULL};
static const char *const coordinate_modes[] = {
    "half_pixel",           "pytorch_half_pixel", "align_corners",        "asymmetric",
    "tf_half_pixel_for_nn", "tf_crop_and_resize", "half_pixel_symmetric", NULL};
static const char *const policies[] = {"stretch", "not_larger", "not_smaller", NULL};

static enum fovea_status read_choice(const struct fovea_node *node, const char *attr,
                                     const char *const *choices, int *out,
                                     struct fovea_error *err) {
    const char *name = fovea_attr_string(node, attr, choices[0]);
    for (int i = 0; choices[i]; i++) {
        if (strcmp(name, choices[i]) == 0) {
            *out = i;
            return FOVEA_OK;
        }
    }
    return fovea_fail(err, FOVEA_ERR_UNSUPPORTED, "%s '%s' is not known", attr,
                      fovea_quote(name).text);
}

/* Before opset 11 there was one way to resize: x / scale, rounded "simply". */
static void set_early_rule(struct fovea_resize_rule *rule) {
    rule->coordinates = FOVEA_RESIZE_ASYMMETRIC;
    rule->nearest = FOVEA_NEAREST_SIMPLE;
}

static enum fovea_status read_rule(const struct fovea_node *node, struct fovea_resize *p,
                                   struct fovea_error *err) {
    int mode = 0, nearest = 0, coordinates = 0;
    bool early = node->opset < 11 || strcmp(node->type, "Upsample") == 0;
    enum fovea_status st = read_choice(node, "mode", modes, &mode, err);
    if (!st) {
        st = read_choice(node, "nearest_mode", nearest_modes, &nearest, err);
    }
    if (!st) {
        st = read_choice(node, "coordinate_transformation_mode", coordinate_modes, &coordinates,
                         err);
    }
    if (st) {
        return st;
    }
    p->rule = (struct fovea_resize_rule){
        .mode = (enum fovea_resize_mode)mode,
        .nearest = (enum fovea_resize_nearest)nearest,
        .coordinates = (enum fovea_resize_coordinates)coordinates,
        .antialias = fovea_attr_int(node, "antialias", 0) != 0,
        .exclude_outside = fovea_attr_int(node, "exclude_outside", 0) != 0,
        .cubic_a = (double)fovea_attr_float(node, "cubic_coeff_a", -0.75f),
    };
    if (early) {
        set_early_rule(&p->rule);
    }
    p->extrapolation = fovea_attr_float(node, "extrapolation_value", 0);
    if (mode != FOVEA_RESIZE_NEAREST) {
        return fovea_expect_dtype(node, 0, FOVEA_DTYPES_FLOAT, err);
    }
    return FOVEA_OK;
}

/* ---- operands ----------------------------------------------------------- */

/* Where operands are; Resize-10 and Upsample have scales second. */
struct places {
    int roi, scales, sizes;
};

/* The axes that operands speak of, in their order. */
struct selection {
    int axes[FOVEA_MAX_RANK];
    size_t n;
};

static enum fovea_status read_selection(const struct fovea_node *node, struct selection *s,
                                        struct fovea_error *err) {
    int rank = node->in[0]->t.rank;
    size_t n;
    const int64_t *axes = fovea_attr_ints(node, "axes", &n);
    if (!fovea_node_attr(node, "axes")) {
        s->n = (size_t)rank;
        for (int i = 0; i < rank; i++) {
            s->axes[i] = i;
        }
        return FOVEA_OK;
    }
    if (n > (size_t)rank) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "%zu axes for a rank-%d input", n, rank);
    }
    s->n = n;
    return fovea_resolve_axes(axes, n, rank, s->axes, err);
}

/* An operand that is absent may also be written as an empty tensor. */
static const struct fovea_tensor *operand(const struct fovea_node *node, int index) {
    const struct fovea_value *value = index > 0 ? fovea_node_input(node, index) : NULL;
    return value && fovea_tensor_count(&value->t) > 0 ? &value->t : NULL;
}

static enum fovea_status expect_elements(const struct fovea_tensor *t, size_t want, bool is_float,
                                         const char *what, struct fovea_error *err) {
    bool type = is_float ? fovea_dtype_is_float(t->dtype) : t->dtype == FOVEA_I64;
    if (type && t->rank == 1 && (size_t)t->dims[0] == want) {
        return FOVEA_OK;
    }
    return fovea_fail(err, FOVEA_ERR_INVALID, "%s is %s%s; it must be a list of %zu %s", what,
                      fovea_dtype_name(t->dtype), fovea_shape_text(t).text, want,
                      is_float ? "floats" : "i64");
}

static enum fovea_status apply_roi(const struct fovea_node *node, int index,
                                   const struct selection *s, struct fovea_resize *p,
                                   struct fovea_error *err) {
    if (p->rule.coordinates != FOVEA_RESIZE_TF_CROP_AND_RESIZE) {
        return FOVEA_OK;
    }
    const struct fovea_tensor *roi = operand(node, index);
    if (!roi) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "tf_crop_and_resize needs roi");
    }
    enum fovea_status st = expect_elements(roi, 2 * s->n, true, "roi", err);
    for (size_t i = 0; !st && i < s->n; i++) {
        p->axes[s->axes[i]].roi[0] = fovea_tensor_get_float(roi, (int64_t)i);
        p->axes[s->axes[i]].roi[1] = fovea_tensor_get_float(roi, (int64_t)(i + s->n));
    }
    return st;
}

/* "output_dimension = floor(input_dimension * scale)", in f32 as the scales are. */
static enum fovea_status apply_scale(struct fovea_resize_axis *axis, int number, double scale,
                                     struct fovea_error *err) {
    if (!(scale > 0) || !isfinite(scale)) {
        return fovea_fail(err, FOVEA_ERR_INVALID,
                          "scale of axis %d is %g; it must be above 0 and finite", number, scale);
    }
    float out = floorf((float)axis->in * (float)scale);
    if (!(out <= (float)FOVEA_LIMIT_TENSOR_BYTES)) {
        return fovea_fail(err, FOVEA_ERR_LIMIT,
                          "scale of axis %d is %g, of dimension %lld: over "
                          "2^46 together",
                          number, scale, (long long)axis->in);
    }
    axis->out = (int64_t)out;
    axis->scale = scale;
    axis->length = (double)axis->in * scale;
    return FOVEA_OK;
}

static enum fovea_status check_size(const struct fovea_resize_axis *axis, int number, int64_t size,
                                    struct fovea_error *err) {
    if (size < 0 || size > FOVEA_LIMIT_TENSOR_BYTES) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "size of axis %d is %lld; it must be 0 to 2^46",
                          number, (long long)size);
    }
    if (axis->in == 0 && size > 0) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "axis %d has no elements to make %lld of", number,
                          (long long)size);
    }
    return FOVEA_OK;
}

static void apply_size(struct fovea_resize_axis *axis, int64_t size) {
    axis->out = size;
    axis->length = (double)size;
    axis->scale = size > 0 ? (double)size / (double)axis->in : 1;
}

/* One scale for all the axes: the least or the greatest that a size asks for. */
static enum fovea_status keep_aspect(const struct selection *s, bool larger, struct fovea_resize *p,
                                     struct fovea_error *err) {
    double scale = 0;
    for (size_t i = 0; i < s->n; i++) {
        const struct fovea_resize_axis *axis = &p->axes[s->axes[i]];
        double own = axis->in > 0 ? (double)axis->out / (double)axis->in : 0;
        if (i == 0 || (larger ? own > scale : own < scale)) {
            scale = own;
        }
    }
    for (size_t i = 0; i < s->n; i++) {
        struct fovea_resize_axis *axis = &p->axes[s->axes[i]];
        axis->scale = scale;
        axis->length = (double)axis->in * scale;
        if (axis->length > (double)FOVEA_LIMIT_TENSOR_BYTES) {
            return fovea_fail(err, FOVEA_ERR_LIMIT,
                              "keeping the aspect ratio makes axis %d longer than 2^46",
                              s->axes[i]);
        }
        axis->out = (int64_t)floor(axis->length + 0.5);
    }
    return FOVEA_OK;
}

static enum fovea_status apply_sizes(const struct fovea_node *node,
                                     const struct fovea_tensor *sizes, const struct selection *s,
                                     struct fovea_resize *p, struct fovea_error *err) {
    int policy = 0;
    enum fovea_status st = expect_elements(sizes, s->n, false, "sizes", err);
    for (size_t i = 0; !st && i < s->n; i++) {
        int64_t size = fovea_tensor_get_int(sizes, (int64_t)i);
        st = check_size(&p->axes[s->axes[i]], s->axes[i], size, err);
        if (!st) {
            apply_size(&p->axes[s->axes[i]], size);
        }
    }
    if (!st) {
        st = read_choice(node, "keep_aspect_ratio_policy", policies, &policy, err);
    }
    if (!st && policy != 0) {
        st = keep_aspect(s, policy == 2, p, err);
    }
    return st;
}

static enum fovea_status apply_scales(const struct fovea_tensor *scales, const struct selection *s,
                                      struct fovea_resize *p, struct fovea_error *err) {
    enum fovea_status st = expect_elements(scales, s->n, true, "scales", err);
    for (size_t i = 0; !st && i < s->n; i++) {
        st = apply_scale(&p->axes[s->axes[i]], s->axes[i],
                         fovea_tensor_get_float(scales, (int64_t)i), err);
    }
    return st;
}

/* ---- infer -------------------------------------------------------------- */

static void set_identity(const struct fovea_tensor *x, struct fovea_resize *p) {
    for (int i = 0; i < x->rank; i++) {
        p->axes[i] = (struct fovea_resize_axis){.in = x->dims[i],
                                                .out = x->dims[i],
                                                .scale = 1,
                                                .length = (double)x->dims[i],
                                                .roi = {0, 1}};
    }
}

/* The buffers between passes hold at most the larger of input and output along each axis. */
static enum fovea_status set_output(struct fovea_node *node, const struct fovea_resize *p,
                                    struct fovea_error *err) {
    struct fovea_tensor y = node->in[0]->t, between = y;
    for (int i = 0; i < y.rank; i++) {
        y.dims[i] = p->axes[i].out;
        between.dims[i] = y.dims[i] > between.dims[i] ? y.dims[i] : between.dims[i];
    }
    enum fovea_status st = fovea_set_output(node, 0, y.dtype, y.rank, y.dims, err);
    return st ? st : fovea_tensor_check_shape(&between, err);
}

static enum fovea_status infer_at(struct fovea_node *node, const struct places *at,
                                  struct fovea_error *err) {
    struct fovea_resize *p = node->priv;
    struct selection s;
    const struct fovea_tensor *scales = operand(node, at->scales),
                              *sizes = operand(node, at->sizes);
    set_identity(&node->in[0]->t, p);
    enum fovea_status st = read_rule(node, p, err);
    if (!st) {
        st = read_selection(node, &s, err);
    }
    if (!st) {
        st = apply_roi(node, at->roi, &s, p, err);
    }
    if (st) {
        return st;
    }
    if (!scales == !sizes && node->in[0]->t.rank > 0) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "%s of scales and sizes given; one must be",
                          scales ? "both" : "none");
    }
    if (scales) {
        st = apply_scales(scales, &s, p, err);
    } else if (sizes) {
        st = apply_sizes(node, sizes, &s, p, err);
    }
    return st ? st : set_output(node, p, err);
}

static enum fovea_status infer(struct fovea_node *node, struct fovea_error *err) {
    return infer_at(node, &(struct places){.roi = 1, .scales = 2, .sizes = 3}, err);
}

static enum fovea_status infer_10(struct fovea_node *node, struct fovea_error *err) {
    return infer_at(node, &(struct places){.scales = 1}, err);
}

/* Upsample-7 has its scales as an attribute. */
static enum fovea_status infer_upsample_7(struct fovea_node *node, struct fovea_error *err) {
    struct fovea_resize *p = node->priv;
    const struct fovea_attr *scales = fovea_node_attr(node, "scales");
    int rank = node->in[0]->t.rank;
    set_identity(&node->in[0]->t, p);
    enum fovea_status st = read_rule(node, p, err);
    if (!st && scales->count != (size_t)rank) {
        st = fovea_fail(err, FOVEA_ERR_INVALID, "%zu scales for a rank-%d input", scales->count,
                        rank);
    }
    for (int i = 0; !st && i < rank; i++) {
        st = apply_scale(&p->axes[i], i, (double)scales->floats[i], err);
    }
    return st ? st : set_output(node, p, err);
}

/* ---- the operators ------------------------------------------------------ */

static const struct fovea_attr_spec mode_attrs[] = {{"mode", FOVEA_ATTR_STRING, false}, {0}};
static const struct fovea_attr_spec upsample_7_attrs[] = {
    {"mode", FOVEA_ATTR_STRING, false}, {"scales", FOVEA_ATTR_FLOATS, true}, {0}};
static const struct fovea_attr_spec attrs[] = {
    {"antialias", FOVEA_ATTR_INT, false},
    {"axes", FOVEA_ATTR_INTS, false},
    {"coordinate_transformation_mode", FOVEA_ATTR_STRING, false},
    {"cubic_coeff_a", FOVEA_ATTR_FLOAT, false},
    {"exclude_outside", FOVEA_ATTR_INT, false},
    {"extrapolation_value", FOVEA_ATTR_FLOAT, false},
    {"keep_aspect_ratio_policy", FOVEA_ATTR_STRING, false},
    {"mode", FOVEA_ATTR_STRING, false},
    {"nearest_mode", FOVEA_ATTR_STRING, false},
    {0}};

#define RESIZE_OP(name, attr_table, inputs_least, inputs, values, infer_fn)                        \
    const struct fovea_op name = {                                                                 \
        .priv_size = sizeof(struct fovea_resize),                                                  \
        .attrs = attr_table,                                                                       \
        .min_in = inputs_least,                                                                    \
        .max_in = inputs,                                                                          \
        .min_out = 1,                                                                              \
        .max_out = 1,                                                                              \
        .value_inputs = values,                                                                    \
        .infer = infer_fn,                                                                         \
        .prepare = fovea_resize_prepare,                                                           \
        .run = fovea_resize_run,                                                                   \
        .release = fovea_resize_release,                                                           \
    }

RESIZE_OP(fovea_op_resize_10, mode_attrs, 2, 2, 1u << 1, infer_10);
RESIZE_OP(fovea_op_resize_11, attrs, 1, 4, 1u << 1 | 1u << 2 | 1u << 3, infer);
RESIZE_OP(fovea_op_upsample_7, upsample_7_attrs, 1, 1, 0, infer_upsample_7);
RESIZE_OP(fovea_op_upsample_9, mode_attrs, 2, 2, 1u << 1, infer_10);
