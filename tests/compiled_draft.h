/*
 * Compiled files written field by field, right but for what a test is about:
 *
 *     y = Conv(x, w) + b     x f32[1,2,2,2], w packed, b in an epilogue
 *
 * compiled_draft_init fills in what makes a sound file for this build and CPU,
 * whose original is not there; a test changes a member, and writes.
 */
#ifndef FOVEA_TESTS_COMPILED_DRAFT_H
#define FOVEA_TESTS_COMPILED_DRAFT_H

#include "loaders/byte_writer.h"
#include "runtime/fovea.h"

enum { DRAFT_MOST_VALUES = 48, DRAFT_MOST_INPUTS = 40, DRAFT_NONE = -1 };

struct draft_value {
    const char *name;
    int rank, layout;
    bool constant, contents;
    int64_t dims[4];
    int dtype;
};

struct draft_step {
    int kind, act, input;
};

struct compiled_draft {
    const char *version, *beside, *path, *load_options;
    /*
     * Of the original: locations, and where what has the digest lies (NULL: one of zeros). Those
     * beyond two are called "more".
     */
    const char *files[2], *digests[2];
    size_t n_files;
    const char *options; /* of the session */
    /* What was planned, and numbers of the values. */
    struct draft_value planned[DRAFT_MOST_INPUTS];
    int inputs[DRAFT_MOST_INPUTS];
    size_t n_inputs;
    uint32_t opset;
    size_t n_metadata; /* of empty keys and values */
    struct draft_value values[DRAFT_MOST_VALUES];
    size_t n_values;
    /* The one node. */
    const char *type;
    int in[DRAFT_MOST_VALUES], n_in, out[2], n_out;
    struct fovea_byte_writer attrs; /* n_attrs of them */
    size_t n_attrs;
    struct draft_step steps[2];
    int n_steps;
    int packed_input;
    uint64_t packed_bytes; /* 0: nothing is packed */
    int output;
    size_t cut; /* leave out so many bytes at the description's end */
};

void compiled_draft_init(struct compiled_draft *draft);
void compiled_draft_finish(struct compiled_draft *draft);

/* The size of the description that would be written. */
size_t compiled_draft_size(const struct compiled_draft *draft);

/* Write a file at `path`, as a file of its own, with checksums that are right. */
void compiled_draft_write(const struct compiled_draft *draft, const char *path);

#endif
