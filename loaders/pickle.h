/*
 * Pickles, as far as checkpoints need them: a machine that runs the opcodes
 * of protocols 2 to 5 on values of its own. Nothing is ever imported or
 * called: the names of globals select one of the few meanings below, all
 * others are refused by name.
 *
 *     numpy  (core|_core).multiarray _reconstruct, scalar; ndarray; dtype;
 *            (core|_core).numeric _frombuffer; ml_dtypes bfloat16
 *     torch  _utils _rebuild_tensor_v2, _rebuild_parameter; Size; *Storage
 *     and    collections OrderedDict; argparse Namespace (a dictionary);
 *            _codecs encode (bytes, in protocol 2)
 *
 * Stack, memo and objects are bounded (limits.h); texts and bytes are borrowed
 * from the pickle. https://docs.python.org/3/library/pickletools.html
 */
#ifndef FOVEA_LOADERS_PICKLE_H
#define FOVEA_LOADERS_PICKLE_H

#include "runtime/arena.h"
#include "runtime/error.h"

enum fovea_pickle_kind {
    FOVEA_PICKLE_NONE,
    FOVEA_PICKLE_BOOL,
    FOVEA_PICKLE_INT,
    FOVEA_PICKLE_FLOAT,
    FOVEA_PICKLE_TEXT,
    FOVEA_PICKLE_BYTES,
    FOVEA_PICKLE_TUPLE,
    FOVEA_PICKLE_LIST,
    FOVEA_PICKLE_DICT,   /* items: key, value, key, value ... */
    FOVEA_PICKLE_GLOBAL, /* number: which */
    FOVEA_PICKLE_DTYPE,
    FOVEA_PICKLE_ARRAY,   /* of numpy; complete once its state is set */
    FOVEA_PICKLE_STORAGE, /* of torch: text is its key, number its count of elements */
    FOVEA_PICKLE_TENSOR,  /* of torch: a strided view of `storage` */
};

/* A value. What a member means depends on the kind. */
struct fovea_pickle_value {
    enum fovea_pickle_kind kind;
    union {
        int64_t number; /* BOOL, INT, GLOBAL */
        double real;
        struct {
            const char *text; /* TEXT, BYTES: not NUL-terminated */
            size_t length;
            bool made; /* by the machine: not in the pickle, gone with it */
        };
        struct {
            struct fovea_pickle_value **items;
            size_t count, cap;
        };
        struct fovea_pickle_tensor *tensor; /* DTYPE, ARRAY, STORAGE, TENSOR */
    };
};

/* DTYPE has t.dtype, STORAGE that and key and n; ARRAY and TENSOR have all. */
struct fovea_pickle_tensor {
    struct fovea_tensor t; /* checked shape; data is NULL */
    bool complete;
    int64_t strides[FOVEA_MAX_RANK]; /* in elements, none negative */
    int64_t offset;                  /* in elements */
    const char *bytes;               /* ARRAY: contents, borrowed; unaligned */
    bool made;                       /* ARRAY: contents are gone with the pickle */
    const char *key;                 /* STORAGE, TENSOR: the storage's, NUL-terminated */
    int64_t n;                       /* STORAGE, TENSOR: elements of the storage */
};

struct fovea_pickle {
    struct fovea_arena arena;
    size_t n_objects;
    struct fovea_pickle_value *result;
    const struct fovea_pickle_tensor **storages; /* that persistent ids stand for; malloc */
    size_t n_storages, cap_storages;
};

/* Run a pickle. Finish it whatever comes of it, and before `bytes` go. */
enum fovea_status fovea_pickle_load(struct fovea_pickle *pickle, const void *bytes, size_t size,
                                    struct fovea_error *err);
/* The same of the first of several pickles, whose length is *length. */
enum fovea_status fovea_pickle_load_first(struct fovea_pickle *pickle, const void *bytes,
                                          size_t size, size_t *length, struct fovea_error *err);
void fovea_pickle_finish(struct fovea_pickle *pickle);

/* The value of a text key in a DICT, or NULL (of other kinds, too). */
struct fovea_pickle_value *fovea_pickle_get(const struct fovea_pickle_value *dict, const char *key);

#endif
