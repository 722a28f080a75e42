/*
 * Where primitives are made and run: a oneDNN engine and stream, the number of
 * threads, and the precision of what the graph computes. One per session.
 */
#ifndef FOVEA_RUNTIME_ENGINE_H
#define FOVEA_RUNTIME_ENGINE_H

#include "runtime/progress.h"

#include <stdbool.h>

struct fovea_dnn;

struct fovea_engine {
    struct fovea_dnn *dnn; /* dnn.h */
    int threads;
    enum fovea_precision precision; /* F32 or BF16 */
    bool winograd;                  /* convolutions may use it where it pays (ops/winograd.h) */
    struct fovea_progress progress; /* while the session is made; then zero */
};

#endif
