/*
 * Hard limits on what a file may ask for. What depends on the machine (memory)
 * is in the load options; these hold everywhere, and are far above any
 * network in use.
 */
#ifndef FOVEA_LOADERS_LIMITS_H
#define FOVEA_LOADERS_LIMITS_H

#include <stdint.h>

/* A protobuf message is at most 2 GiB - 1 by the format's own rule. */
#define FOVEA_LIMIT_PROTOBUF_BYTES ((uint64_t)INT32_MAX)

/* Messages within messages, as the C++ protobuf library has it. */
#define FOVEA_LIMIT_NESTING 100

#define FOVEA_LIMIT_NODES 1000000
#define FOVEA_LIMIT_TENSORS 1000000

/* Bytes of a name: of a node, value, operator, attribute or external file. */
#define FOVEA_LIMIT_NAME 4096

/* Subgraphs within subgraphs; exporters get to three. */
#define FOVEA_LIMIT_SUBGRAPH_NESTING 6

#define FOVEA_LIMIT_NODE_ATTRS 256
#define FOVEA_LIMIT_NODE_VALUES 65536

/* Distinct files of external data. */
#define FOVEA_LIMIT_EXTERNAL_FILES 1024

/* Of a checkpoint: tensors, files it is spread over; bytes, values and nesting of JSON; objects of
 * a pickle, and dictionaries within each other. Each costs up to some 30 MB; networks in use have
 * some thousand tensors. */
#define FOVEA_LIMIT_CHECKPOINT_TENSORS 65536
#define FOVEA_LIMIT_CHECKPOINT_FILES 1024
#define FOVEA_LIMIT_JSON_BYTES ((size_t)16 << 20)
#define FOVEA_LIMIT_JSON_VALUES 300000
#define FOVEA_LIMIT_JSON_DEPTH 8
#define FOVEA_LIMIT_PICKLE_OBJECTS 400000
#define FOVEA_LIMIT_PICKLE_DEPTH 16

/*
 * Unpacked, a message may take this many times the bytes of its file, over an
 * allowance for small ones. Networks take 1 to 7 times, a chain of the
 * smallest possible nodes 15; messages made to exhaust memory (empty nodes,
 * attributes, strings) take 40 to 200 times, as the scan reckons.
 */
#define FOVEA_LIMIT_AMPLIFICATION 24
#define FOVEA_LIMIT_AMPLIFICATION_ALLOWANCE ((uint64_t)32 << 20)

#endif
