/* One image, from its file to what is made of it: see prepare_image in eval_pipeline.h. */
#include "tools/eval_pipeline.h"

#include <stdio.h>
#include <stdlib.h>

static void fail_image(struct prepared_image *image, enum eval_state state,
                       const struct fovea_error *err) {
    image->state = state;
    snprintf(image->message, sizeof(image->message), "%s", err->message);
}

void prepare_image(const struct pipeline_source *source, struct prepared_image *image, void *made) {
    struct fovea_error err;
    struct fovea_jpeg_report report = {0};
    const struct pipeline_product *product = &source->product;
    struct fovea_sha256 sha;
    uint8_t *bytes = NULL;
    size_t size = 0;
    enum eval_state state = EVAL_FAILED;
    if (eval_list_read(source->list, image->index, &bytes, &size, &state, &err)) {
        fail_image(image, state, &err);
        return;
    }
    fovea_sha256_init(&sha);
    fovea_sha256_update(&sha, bytes, size);
    fovea_sha256_digest(&sha, image->file_sha256);
    image->file_bytes = size;
    if (product->make(product->context, bytes, size, made, &report, &err)) {
        fail_image(image, EVAL_FAILED, &err);
    } else {
        image->state = EVAL_OK;
        snprintf(image->message, sizeof(image->message), "%s",
                 report.truncated && !report.first_warning[0] ? "the file ends early"
                                                              : report.first_warning);
    }
    free(bytes);
}
