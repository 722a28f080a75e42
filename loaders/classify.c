/* Images to classes: see classifier.h and fovea.h. */
#include "loaders/classifier.h"
#include "loaders/logits.h"
#include "loaders/preprocess.h"
#include "runtime/limits.h"
#include "runtime/options.h"
#include "runtime/stop.h"

#include <string.h>

/* ---- images ------------------------------------------------------------------------ */

enum fovea_status fovea_classifier_preprocess_jpeg(const struct fovea_classifier *classifier,
                                                   const void *bytes, size_t size, float *out,
                                                   struct fovea_error *err) {
    if (size > FOVEA_LIMIT_IMAGE_BYTES) {
        return fovea_fail(err, FOVEA_ERR_LIMIT, "the image has %zu bytes; the limit is %zu", size,
                          FOVEA_LIMIT_IMAGE_BYTES);
    }
    return fovea_preprocess_jpeg(&classifier->recipe, &classifier->jpeg, bytes, size, out, NULL,
                                 err);
}

static enum fovea_status check_rgb(const struct fovea_classifier *c, int width, int height,
                                   size_t row_bytes, struct fovea_error *err) {
    if (width < 1 || height < 1 || width > FOVEA_IMAGE_SIDE_MAX || height > FOVEA_IMAGE_SIDE_MAX) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "an image of %dx%d; sides are 1..%d", width,
                          height, FOVEA_IMAGE_SIDE_MAX);
    }
    if ((uint64_t)width * (uint64_t)height > c->jpeg.max_pixels) {
        return fovea_fail(err, FOVEA_ERR_LIMIT, "%dx%d pixels; the limit is %llu", width, height,
                          (unsigned long long)c->jpeg.max_pixels);
    }
    if (row_bytes < 3 * (size_t)width) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "rows of %zu bytes; %d pixels take %zu",
                          row_bytes, width, 3 * (size_t)width);
    }
    return FOVEA_OK;
}

/* Rows without gaps: those of the caller, or (*made) a copy. */
static enum fovea_status pack_rows(const uint8_t *pixels, size_t row_bytes,
                                   struct fovea_image *image, bool *made, struct fovea_error *err) {
    size_t bytes = 3 * (size_t)image->width;
    *made = row_bytes != bytes;
    if (!*made) {
        image->rgb = (uint8_t *)pixels;
        return FOVEA_OK;
    }
    enum fovea_status st = fovea_image_init(image, image->width, image->height, err);
    for (size_t y = 0; !st && y < (size_t)image->height; y++) {
        memcpy(image->rgb + y * bytes, pixels + y * row_bytes, bytes);
    }
    return st;
}

enum fovea_status fovea_classifier_preprocess_rgb(const struct fovea_classifier *classifier,
                                                  const uint8_t *pixels, int width, int height,
                                                  size_t row_bytes, float *out,
                                                  struct fovea_error *err) {
    struct fovea_image image = {.width = width, .height = height}, cropped;
    bool made;
    enum fovea_status st = check_rgb(classifier, width, height, row_bytes, err);
    if (!st) {
        st = pack_rows(pixels, row_bytes, &image, &made, err);
    }
    if (st) {
        return st;
    }
    st = fovea_preprocess_image(&classifier->recipe, &image, &cropped, err);
    if (made) {
        fovea_image_finish(&image);
    }
    if (st) {
        return st;
    }
    fovea_preprocess_normalize(&classifier->recipe, &cropped, out);
    fovea_image_finish(&cropped);
    return FOVEA_OK;
}

/* ---- running ------------------------------------------------------------------------ */

/* Some images through a batch of fixed size, whose other rows are of former images or zero. */
static enum fovea_status run_padded(struct fovea_classifier *c, const float *images, size_t n,
                                    float *logits, const struct fovea_run_options *options,
                                    struct fovea_error *err) {
    struct fovea_classifier_lane *lane = &c->lanes[0];
    size_t image_bytes = lane->rows.image_floats * sizeof(float);
    if (images != c->pixels) {
        memcpy(c->pixels, images, n * image_bytes);
    }
    enum fovea_status st =
        fovea_image_batch_run(&lane->rows, lane->session, c->pixels, c->logits, options, err);
    if (!st && logits != c->logits) {
        memcpy(logits, c->logits, n * (size_t)lane->rows.classes * sizeof(float));
    }
    return st;
}

/* The largest batch that `n` images fill, or the only one. */
static struct fovea_classifier_lane *find_lane(struct fovea_classifier *c, size_t n) {
    size_t i = 0;
    while (i + 1 < c->n_lanes && (size_t)c->lanes[i].rows.batch > n) {
        i++;
    }
    return &c->lanes[i];
}

enum fovea_status fovea_classifier_run(struct fovea_classifier *classifier, const float *images,
                                       size_t n, float *logits,
                                       const struct fovea_run_options *options,
                                       struct fovea_error *err) {
    enum fovea_status st = FOVEA_OK;
    while (!st && n > 0) {
        struct fovea_classifier_lane *lane = find_lane(classifier, n);
        struct fovea_image_batch *rows = &lane->rows;
        size_t batch = (size_t)rows->batch, done = batch < n ? batch : n;
        st = done < batch
                 ? run_padded(classifier, images, done, logits, options, err)
                 : fovea_image_batch_run(rows, lane->session, images, logits, options, err);
        images += done * rows->image_floats;
        logits += done * (size_t)rows->classes;
        n -= done;
    }
    return st;
}

enum fovea_status fovea_classifier_top(const struct fovea_classifier *classifier,
                                       const float *logits, size_t k, struct fovea_result *results,
                                       size_t *n, struct fovea_error *err) {
    int64_t classes = classifier->lanes[0].rows.classes;
    if (fovea_logits_are_broken(logits, classes)) {
        return fovea_fail(err, FOVEA_ERR_INVALID, "the model's output has NaN or infinite logits");
    }
    size_t count = k > 0 ? fovea_logits_top(logits, NULL, classes, k, results) : 0;
    for (size_t i = 0; i < count; i++) {
        results[i].label = fovea_labels_get(&classifier->labels, results[i].class_index);
    }
    *n = count;
    return FOVEA_OK;
}

/* The image in c->pixels, to its best classes. */
static enum fovea_status classify(struct fovea_classifier *c, size_t k,
                                  struct fovea_result *results, size_t *n,
                                  const struct fovea_run_options *options,
                                  struct fovea_error *err) {
    enum fovea_status st = fovea_classifier_run(c, c->pixels, 1, c->logits, options, err);
    return st ? st : fovea_classifier_top(c, c->logits, k, results, n, err);
}

/* Before an image is decoded for nothing. */
static enum fovea_status check_start(const struct fovea_run_options *options,
                                     struct fovea_error *err) {
    struct fovea_run_options whole;
    enum fovea_status st = fovea_options_read(options, &whole, sizeof(whole), "run options", err);
    return st ? st : fovea_stop_check(&whole, err);
}

enum fovea_status fovea_classify_jpeg(struct fovea_classifier *classifier, const void *bytes,
                                      size_t size, size_t k, struct fovea_result *results,
                                      size_t *n, const struct fovea_run_options *options,
                                      struct fovea_error *err) {
    enum fovea_status st = check_start(options, err);
    if (!st) {
        st = fovea_classifier_preprocess_jpeg(classifier, bytes, size, classifier->pixels, err);
    }
    return st ? st : classify(classifier, k, results, n, options, err);
}

enum fovea_status fovea_classify_rgb(struct fovea_classifier *classifier, const uint8_t *pixels,
                                     int width, int height, size_t row_bytes, size_t k,
                                     struct fovea_result *results, size_t *n,
                                     const struct fovea_run_options *options,
                                     struct fovea_error *err) {
    enum fovea_status st = check_start(options, err);
    if (!st) {
        st = fovea_classifier_preprocess_rgb(classifier, pixels, width, height, row_bytes,
                                             classifier->pixels, err);
    }
    return st ? st : classify(classifier, k, results, n, options, err);
}
