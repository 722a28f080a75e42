/* See preprocess_stream.h: the decoder's rows go to a resize_stream.h that normalises. */
#include "loaders/preprocess_stream.h"
#include "loaders/resize_stream.h"

bool fovea_preprocess_can_stream(const struct fovea_recipe *recipe,
                                 const struct fovea_jpeg_options *jpeg) {
    return recipe->resampler == FOVEA_RESAMPLER_PILLOW && recipe->filter != FOVEA_FILTER_NEAREST &&
           recipe->order == FOVEA_HORIZONTAL_FIRST && !jpeg->exif_orientation;
}

struct flow {
    const struct fovea_recipe *recipe;
    struct fovea_resize_stream resize;
    struct fovea_channel channels[3];
    float *out; /* [3, height, width] */
};

/* The colour of padding, everywhere: what is kept of the image is written over it. */
static void fill_planes(const struct flow *flow) {
    size_t plane = (size_t)flow->recipe->width * (size_t)flow->recipe->height;
    uint8_t fill[3];
    fovea_recipe_get_fill(flow->recipe, fill);
    for (size_t i = 0; i < 3 * plane; i++) {
        flow->out[i] = flow->channels[i / plane].values[fill[i / plane]];
    }
}

static enum fovea_status begin(void *context, int width, int height, struct fovea_window *wanted,
                               struct fovea_error *err) {
    struct flow *flow = context;
    const struct fovea_recipe *recipe = flow->recipe;
    struct fovea_geometry g;
    enum fovea_status status = fovea_geometry_init(&g, recipe, width, height, err);
    if (status) {
        return status;
    }
    if (g.kept.width < recipe->width || g.kept.height < recipe->height) {
        fill_planes(flow);
    }
    size_t row = (size_t)recipe->width;
    const struct fovea_planes planes = {
        .planes = flow->out + (size_t)g.top * row + (size_t)g.left,
        .plane = row * (size_t)recipe->height,
        .row = row,
        .channels = flow->channels,
    };
    const struct fovea_resize how = {
        .width = g.resized_width,
        .height = g.resized_height,
        .filter = recipe->filter,
        .window = g.kept,
    };
    return fovea_resize_stream_init(&flow->resize, width, height, &how, &planes, wanted, err);
}

static uint8_t *next_row(void *context, int y) {
    (void)y;
    struct flow *flow = context;
    return fovea_resize_stream_row(&flow->resize);
}

enum fovea_status fovea_preprocess_stream(const struct fovea_recipe *recipe,
                                          const struct fovea_jpeg_options *jpeg,
                                          const uint8_t *bytes, size_t size, float *out,
                                          struct fovea_jpeg_report *report,
                                          struct fovea_error *err) {
    struct flow flow = {.recipe = recipe, .out = out};
    const struct fovea_jpeg_taker taker = {&flow, begin, next_row};
    float values[3][256];
    fovea_preprocess_values(recipe, values);
    for (int c = 0; c < 3; c++) {
        fovea_channel_init(&flow.channels[c], values[c], recipe->mean[c], recipe->std[c]);
    }
    enum fovea_status status = fovea_jpeg_stream(bytes, size, jpeg, &taker, report, err);
    if (!status) {
        fovea_resize_stream_end(&flow.resize);
    }
    fovea_resize_stream_finish(&flow.resize);
    return status;
}
