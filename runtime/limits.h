/*
 * What files may ask for: the bounds of everything that is read from outside.
 * What depends on the machine (memory) is in the options of the calls; these
 * hold everywhere, and are far above anything in use. docs/limits.md lists them
 * all, and a test compares the two.
 */
#ifndef FOVEA_RUNTIME_LIMITS_H
#define FOVEA_RUNTIME_LIMITS_H

#include <stddef.h>
#include <stdint.h>

/* ---- models --------------------------------------------------------------- */

/* A protobuf message is at most 2 GiB - 1 by the format's own rule. */
#define FOVEA_LIMIT_PROTOBUF_BYTES ((uint64_t)INT32_MAX)

/* Messages within messages, as the C++ protobuf library has it. */
#define FOVEA_LIMIT_NESTING 100

#define FOVEA_LIMIT_NODES 1000000
#define FOVEA_LIMIT_TENSORS 1000000

/* Bytes of a name: of a node, value, operator, attribute, external file or entry of an archive. */
#define FOVEA_LIMIT_NAME 4096

/* Subgraphs within subgraphs; exporters get to three. */
#define FOVEA_LIMIT_SUBGRAPH_NESTING 6

#define FOVEA_LIMIT_NODE_ATTRS 256
#define FOVEA_LIMIT_NODE_VALUES 65536 /* inputs, or outputs */

/* Distinct files of external data. */
#define FOVEA_LIMIT_EXTERNAL_FILES 1024

/*
 * Unpacked, a message may take this many times the bytes of its file, over an
 * allowance for small ones. Networks take 1 to 7 times, a chain of the
 * smallest possible nodes 15; messages made to exhaust memory (empty nodes,
 * attributes, strings) take 40 to 200 times, as the scan reckons.
 */
#define FOVEA_LIMIT_AMPLIFICATION 24
#define FOVEA_LIMIT_AMPLIFICATION_ALLOWANCE ((uint64_t)32 << 20)

/* ---- graphs ----------------------------------------------------------------- */

/* Far over any machine's memory, far under where int64 arithmetic overflows. */
#define FOVEA_LIMIT_TENSOR_BYTES ((int64_t)1 << 46)

/*
 * What the subgraphs and sequences of one graph may come to: bytes of nodes
 * and values, ever made (some thousand nodes); and multiply-adds and elements of
 * results that are computed at load for copied nodes. Without these a file of a
 * kilobyte could ask for any amount; with them it is refused within a tenth of a
 * second.
 */
#define FOVEA_LIMIT_INLINED_BYTES ((size_t)4 << 20)
#define FOVEA_LIMIT_INLINED_WORK ((int64_t)1 << 30)

/*
 * Most elements of padding on one side of a window. oneDNN's kernels take time
 * over every position of the padding: a million of them took 25 s for a 3x3
 * kernel.
 */
#define FOVEA_LIMIT_WINDOW_PADDING 4096

/* Threads of a session: many more than CPUs have, and than processes may start, end in libgomp. */
#define FOVEA_LIMIT_THREADS 1024

/* ---- checkpoints, JSON -------------------------------------------------------- */

/* Of a checkpoint: tensors, files it is spread over; objects of a pickle, and dictionaries within
 * each other. Each costs up to some 30 MB; networks in use have some thousand tensors. */
#define FOVEA_LIMIT_CHECKPOINT_TENSORS 65536
#define FOVEA_LIMIT_CHECKPOINT_FILES 1024
#define FOVEA_LIMIT_PICKLE_OBJECTS 400000
#define FOVEA_LIMIT_PICKLE_DEPTH 16
#define FOVEA_LIMIT_NPY_HEADER 10000 /* bytes, as NumPy itself has it */

/* Of JSON: of a checkpoint's header or index, and of configuration beside it. */
#define FOVEA_LIMIT_JSON_BYTES ((size_t)16 << 20)
#define FOVEA_LIMIT_JSON_VALUES 300000
#define FOVEA_LIMIT_JSON_DEPTH 8

/* ---- images ------------------------------------------------------------------- */

/* What an encoded image may weigh; the largest of ImageNet is 15 MB. */
#define FOVEA_LIMIT_IMAGE_BYTES ((size_t)64 << 20)

/* Defaults of struct fovea_jpeg_options: pixels, where Pillow begins to warn. */
#define FOVEA_LIMIT_PIXELS 89478485
#define FOVEA_LIMIT_SCANS 100
#define FOVEA_LIMIT_DECODER_BYTES ((size_t)1 << 30)

/* Pixels of a JPEG, times the scans that go through them: 12 scans of the largest image. */
#define FOVEA_LIMIT_SCANNED_PIXELS ((uint64_t)1 << 30)

/* Sides of a model's input image, in recipes and architectures. */
#define FOVEA_LIMIT_INPUT_SIDE 16384

/* ---- datasets, labels, results ------------------------------------------------- */

/* Most classes, and the largest index a numeric name may say plus one. */
#define FOVEA_LIMIT_CLASSES 1000000

#define FOVEA_LIMIT_TAR_ENTRIES 50000000
#define FOVEA_LIMIT_LIST_BYTES ((size_t)1 << 30)   /* lists of images, ground truth */
#define FOVEA_LIMIT_LABEL_BYTES ((size_t)64 << 20) /* names of classes, maps between them */
#define FOVEA_LIMIT_RECIPE_BYTES ((size_t)1 << 20)

/* Images of a list that a journal may say, bytes of a journal and of predictions. */
#define FOVEA_LIMIT_LISTED ((size_t)100000000)
#define FOVEA_LIMIT_JOURNAL_BYTES ((size_t)1 << 37)
#define FOVEA_LIMIT_PREDICTIONS_BYTES ((size_t)4 << 30)

#endif
