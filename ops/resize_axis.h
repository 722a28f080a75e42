/*
 * Resize along one axis: which input elements make each output element, and
 * how much of each. Resize is separable, so this is all of its arithmetic.
 */
#ifndef FOVEA_OPS_RESIZE_AXIS_H
#define FOVEA_OPS_RESIZE_AXIS_H

#include "runtime/error.h"

enum fovea_resize_mode {
    FOVEA_RESIZE_NEAREST,
    FOVEA_RESIZE_LINEAR,
    FOVEA_RESIZE_CUBIC,
};

enum fovea_resize_nearest {
    FOVEA_NEAREST_ROUND_PREFER_FLOOR,
    FOVEA_NEAREST_ROUND_PREFER_CEIL,
    FOVEA_NEAREST_FLOOR,
    FOVEA_NEAREST_CEIL,
    FOVEA_NEAREST_SIMPLE, /* opset 10: floor when enlarging, ceil when reducing */
};

/* coordinate_transformation_mode. */
enum fovea_resize_coordinates {
    FOVEA_RESIZE_HALF_PIXEL,
    FOVEA_RESIZE_PYTORCH_HALF_PIXEL,
    FOVEA_RESIZE_ALIGN_CORNERS,
    FOVEA_RESIZE_ASYMMETRIC,
    FOVEA_RESIZE_TF_HALF_PIXEL_FOR_NN,
    FOVEA_RESIZE_TF_CROP_AND_RESIZE,
    FOVEA_RESIZE_HALF_PIXEL_SYMMETRIC,
};

/* What all axes of a node share. */
struct fovea_resize_rule {
    enum fovea_resize_mode mode;
    enum fovea_resize_nearest nearest;
    enum fovea_resize_coordinates coordinates;
    bool antialias, exclude_outside;
    double cubic_a;
};

struct fovea_resize_axis {
    int64_t in, out; /* elements; in is 0 only if out is */
    double scale;    /* > 0, finite; about out / in */
    double length;   /* scale * in, before it was rounded to out */
    double roi[2];   /* of tf_crop_and_resize: start and end, 1 being the input's end */
};

/*
 * Output element o is the sum of weights[o * taps + i] times input element
 * first[o] + i, for i < count[o]. A count of 0 stands for the extrapolation
 * value. All elements named exist.
 */
struct fovea_resize_table {
    int64_t taps;
    int64_t *first, *count;
    double *weights;
};

/* Whether the axis leaves the data as it is. */
bool fovea_resize_is_identity(const struct fovea_resize_rule *rule,
                              const struct fovea_resize_axis *axis);

enum fovea_status fovea_resize_table_init(struct fovea_resize_table *table,
                                          const struct fovea_resize_rule *rule,
                                          const struct fovea_resize_axis *axis,
                                          struct fovea_error *err);
void fovea_resize_table_finish(struct fovea_resize_table *table);

#endif
