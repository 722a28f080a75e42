/*
 * The arithmetic of sliding windows, shared by convolution and pooling:
 * attributes of untrusted origin to checked kernel, strides, dilations, pads
 * and output size.
 */
#ifndef FOVEA_OPS_WINDOW_H
#define FOVEA_OPS_WINDOW_H

#include "runtime/op.h"

/* Attributes that fovea_window_of reads; for an operator's table. */
#define FOVEA_WINDOW_ATTRS                                                                         \
    {"auto_pad", FOVEA_ATTR_STRING, false}, {"dilations", FOVEA_ATTR_INTS, false},                 \
        {"kernel_shape", FOVEA_ATTR_INTS, false}, {"pads", FOVEA_ATTR_INTS, false}, {              \
        "strides", FOVEA_ATTR_INTS, false                                                          \
    }

/* All values below 2^31: oneDNN keeps them in ints. */
struct fovea_window {
    int spatial; /* 1 to 3 */
    int64_t in[3], out[3];
    int64_t kernel[3], strides[3], dilations[3];
    int64_t before[3], after[3]; /* pads; with ceil_mode a window may reach over after */
};

struct fovea_window_rules {
    const int64_t *kernel; /* from the weights; NULL: attribute kernel_shape, required */
    bool ceil_mode;        /* a last window that is partly outside counts */
    bool within;           /* pads must be smaller than the kernel's extent */
};

/* The windows over the spatial dims of `x` [N,C,spatial...], rank 3 to 5. */
enum fovea_status fovea_window_of(const struct fovea_node *node, const struct fovea_tensor *x,
                                  const struct fovea_window_rules *rules, struct fovea_window *out,
                                  struct fovea_error *err);

#endif
