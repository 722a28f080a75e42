/*
 * Graphs that make sense, from bytes of a fuzzer: they choose operators of the
 * registry, operands, attributes and shapes, of which an .onnx file is written.
 */
#ifndef FOVEA_TESTS_FUZZ_GRAPH_MAKER_H
#define FOVEA_TESTS_FUZZ_GRAPH_MAKER_H

#include "tests/pb_write.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Write a model to `out`, which is zeroed. The same bytes make the same model, so that inputs kept
 * from a finding repeat it. False if an operator of it may turn a little difference into a large
 * one.
 */
bool graph_make(const uint8_t *data, size_t size, struct pb *out);

#endif
