/* A classifier of a few layers, with one of each kind that is prepared in its own way. */
#ifndef FOVEA_TESTS_INJECT_TINY_MODEL_H
#define FOVEA_TESTS_INJECT_TINY_MODEL_H

#include <stdbool.h>

/* Write it to `path`, which ends in .onnx; recipe and labels go into files beside it. */
bool tiny_model_write(const char *path);

#endif
