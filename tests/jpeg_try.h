/*
 * JPEGs in memory, for tests that cut, patch and decode them.
 */
#ifndef FOVEA_TESTS_JPEG_TRY_H
#define FOVEA_TESTS_JPEG_TRY_H

#include "loaders/jpeg.h"

/* A copy that ends where its block does, so that ASan sees any reading past it. */
uint8_t *jpeg_copy(const void *bytes, size_t size);

/* Decode and forget; the message is in err. */
enum fovea_status jpeg_try(const uint8_t *bytes, size_t size,
                           const struct fovea_jpeg_options *options,
                           struct fovea_jpeg_report *report, struct fovea_error *err);

/* Offset of the payload length after marker FFxx in a sample. */
size_t jpeg_segment(const uint8_t *bytes, size_t size, int marker);

#endif
