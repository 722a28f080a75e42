/* Which views are dense channels-last images that are not empty. */
#ifndef FOVEA_OPS_CHANNELS_LAST_H
#define FOVEA_OPS_CHANNELS_LAST_H

#include "runtime/dnn.h"

/* An f32 image [N,C,H,W] whose memory is dense in the order N, H, W, C, of at least one element. */
static inline bool fovea_is_channels_last(const struct fovea_dnn_view *view) {
    const int64_t *dims = view->dims, *strides = view->strides;
    return view->dtype == FOVEA_F32 && view->rank == 4 && strides[1] == 1 &&
           strides[3] == dims[1] && strides[2] == dims[3] * dims[1] &&
           strides[0] == dims[2] * strides[2] && dims[0] > 0 && dims[1] > 0 && dims[2] > 0 &&
           dims[3] > 0;
}

#endif
