/*
 * Where primitives are made and run: a oneDNN engine and stream, and the
 * number of threads. One per session.
 */
#ifndef FOVEA_RUNTIME_ENGINE_H
#define FOVEA_RUNTIME_ENGINE_H

#include "runtime/error.h"

#include <stdbool.h>

struct fovea_dnn;

struct fovea_engine {
    struct fovea_dnn *dnn; /* dnn.h */
    int threads;
    bool winograd; /* convolutions may use it where it pays (ops/winograd.h) */
};

#endif
